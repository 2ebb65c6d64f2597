"""Embedding: tokens, ids, one-hot rows, vectors, positions, X."""

from attention import embedding, measures
from pages.embedding.play import play
from pages.embedding.stage import stage
from pages.ui.lesson import Lesson, sized

here = Lesson()
trace = here.trace
sizes = {"tokens": len(trace.tokens), "words": len(trace.vocabulary), "d_model": trace.config.d_model}


def notice() -> None:
    count = {"tokens": sizes["tokens"], "words": sizes["words"]}
    here.notice("notice", "embeddings", **count, query=here.token(here.query), id=int(trace.ids[here.query]))


here.stage(stage(here), "x", play(here))
here.faces(
    notice,
    "x",
    code=[embedding.look_up, embedding.sinusoidal_positions, embedding.add_positions],
    compare=["x"],
    by_hand="swap",
)


def more() -> None:
    symbols = (("X", "x"), ("H", "one_hot"), ("E", "embedding_table"), ("P", "positions"))
    x, one_hot, table, positions = (sized(symbol, here.own(tensor)) for symbol, tensor in symbols)
    here.formula(x, "=", one_hot, table, "+", positions)
    here.say("why")
    if len(trace.vocabulary) > 1:
        apart = measures.distances(trace.embedding_table)
        here.say("distances", nearest=float(apart.min()), farthest=float(apart.max()))
    if trace.x_given:
        here.say("positions", layer=here.settings.layer)
    else:
        here.say("positions" if trace.config.positions else "positions_off")
    repeat = measures.first_repeat(trace.ids.tolist())  # two tokens of a real model may only look alike
    if repeat and not here.is_edited("embeddings"):
        section = "repeat" if trace.config.positions else "repeat_off"
        here.say(section, first=here.token(repeat[0]), second=here.token(repeat[1]))
    here.question(sizes)
    here.story()


here.more(more)
