"""Overview: the sentence, what each word looks at, and the whole computation on one screen."""

from attention import multi_head_attention
from pages.overview.stage import stage
from pages.ui.lesson import Lesson

here = Lesson()
here.stage(stage(here), "output")
row = here.own("attn_weights")[here.query]


def notice() -> None:
    if here.is_closed:
        here.say("gist_closed", query=here.token(here.query), head=here.head)
    else:
        found = {"key": here.leader(row), "weight": float(row.max())}
        here.say("gist", query=here.token(here.query), head=here.head, **found)
    here.caption("hint", head=here.head, heads=here.now.heads)


def more() -> None:
    here.story()


here.more(more)
here.faces(notice, "attn_weights", code=[multi_head_attention], compare=["output"])
