"""Heads: d_model is cut into heads, all steps run per head, the results are joined and mixed by W_O."""

from attention import functional, measures, parity
from pages.heads.play import play
from pages.heads.stage import split, stage
from pages.ui.layers import story
from pages.ui.lesson import Lesson, sized
from pages.ui.words.numbers import percent

here = Lesson()
trace, attention, config = here.trace, here.trace.attention, here.trace.config
sizes = {"d_model": config.d_model, "heads": config.num_heads, "d_k": config.head_dim}


def notice() -> None:
    own = attention.attn_weights[:, here.query]  # (num_heads, L)
    if here.says and (pair := story.two_looks(here.now, here.layer, own)):
        first, second = (percent(float(own[look])) for look in pair)
        here.say("two_looks", **of_both(pair), first_share=first, second_share=second)
    if here.is_closed and not bool(own.any()):
        here.say("heads_closed", query=here.token(here.query))
    elif config.num_heads == 1:
        here.say("heads_one", query=here.token(here.query), key=here.leader(own[0]))
    else:
        here.say("heads", different=measures.favourites(own), heads=config.num_heads, query=here.token(here.query))
    if here.says and (pair := story.candidates(here.now, own)):
        here.say("apart", **of_both(pair))
    if config.num_heads > 1:
        jobs()


def of_both(pair: tuple[tuple[int, int], tuple[int, int]]) -> dict[str, object]:
    """Where two heads look, each given as head and position, and what the output makes of it, as facts."""
    (one, first), (other, second) = pair
    looks = {"one": one, "first": here.token(first), "other": other, "second": here.token(second)}
    return {"query": here.token(here.query), "word": here.said(), **looks}


def jobs() -> None:
    """Why the heads differ, and where a layer learned what each of them does on sentences it has not seen."""
    if not here.says:
        here.say("differ")
        return
    here.say("differ" if here.layer.is_divided else "differ_free")
    if not here.layer.is_learning:
        told = story.jobs_told(here.now, here.layer)
        if told:
            here.say("jobs", jobs=told)
        else:
            here.say("jobs_none")


here.stage(stage(here), "output", play(here))
here.faces(
    notice, "output", code=[functional.split_heads, functional.merge_heads], compare=["output"], by_hand="silence"
)


def more() -> None:
    if config.num_heads > 1:
        here.say("split", **sizes, head=here.head)
    else:
        here.say("split_one", d_model=config.d_model)
    parts = r"(Q_0, Q_1, \dots)" if config.num_heads > 1 else "(Q_0)"
    here.formula(sized("Q", here.whole("q")), r"\longrightarrow", sized(parts, attention.q))
    here.show(split(here), "split")
    heads = r"[O_0\,|\,O_1 \cdots]" if config.num_heads > 1 else "O_0"
    joined, mixer = sized(heads, here.own("joined")), sized("W_O", here.own("w_o"))
    here.formula(sized("Y", here.own("output")), "=", joined, mixer, "+", sized("b_O", trace.weights.b_o))
    here.decoded()
    here.say("why", **sizes)
    if trace.edits:
        here.say("check_edited")
    else:
        here.say("check" if here.settings.scaled else "check_unscaled", difference=parity.largest_difference(trace))
    here.story()


here.more(more)
