"""Overview: the sentence, what each word looks at, and the whole computation on one screen."""

from attention import measures
from pages.overview.stage import stage
from pages.ui.lesson import Lesson

here = Lesson()
here.stage(stage(here), "output")
best = measures.peak(here.own("attn_weights")[here.query])


def notice() -> None:
    if here.is_closed:
        here.say("gist_closed", query=here.token(here.query), head=here.head)
    else:
        weight = {"key": here.token(best.column), "weight": best.value}
        here.say("gist", query=here.token(here.query), head=here.head, **weight)
    here.caption("hint", head=here.head, heads=here.now.heads)


with here.more():
    here.story()
here.faces(notice, "attn_weights", code=[], compare=["output"])
