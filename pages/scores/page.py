"""Scores: every query meets every key in a dot product."""

from attention import functional, measures
from pages.scores.play import play
from pages.scores.stage import stage
from pages.ui.lesson import Lesson, sized

here = Lesson()
q, k, scores, query = here.own("q"), here.own("k"), here.own("scores"), here.query
best = measures.peak(scores[query])


def notice() -> None:
    here.notice(
        "notice",
        "scores",
        query=here.token(query),
        key=here.leader(scores[query]),
        score=best.value,
        query_length=float(q[query].norm()),
        key_length=float(k[best.column].norm()),
        cosine=measures.cosine(q[query], k[best.column]),
        count=scores.numel(),
    )


here.stage(stage(here), "scores", play(here))
here.faces(notice, "scores", code=[functional.attention_scores], compare=["scores"])


def more() -> None:
    here.formula(sized(f"S_{here.head}", scores), "=", sized(f"Q_{here.head}", q), sized(rf"K_{here.head}^\top", k.T))
    here.say("why")
    if bool(here.closed("masked_scores").any()):
        here.say("masks_later")
    here.story()


here.more(more)
