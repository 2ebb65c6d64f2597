"""Scaling: divide the scores by the square root of head_dim."""

import math

from attention import functional, measures
from pages.scaling.play import play
from pages.scaling.stage import stage
from pages.ui.lesson import Lesson, sized

here = Lesson()
scores, scaled, query, d_k = here.own("scores"), here.own("scaled_scores"), here.query, here.now.config.head_dim
is_on = here.settings.scaled
divided = functional.scale_scores(scores, 1 / math.sqrt(d_k))
shares = {
    "raw": measures.peak(functional.softmax(scores)[query]).value,
    "calm": measures.peak(functional.softmax(divided)[query]).value,
}


def notice() -> None:
    spread = {"before": measures.variance(scores), "after": measures.variance(divided)}
    if d_k == 1:
        here.notice("notice_one", before=spread["before"])
    else:
        here.notice("notice" if is_on else "notice_off", d_k=d_k, root=math.sqrt(d_k), **spread, **shares)


here.stage(stage(here), "scaled_scores", play(here))
here.faces(notice, "scaled_scores", code=[functional.scale_scores], compare=["scaled_scores"])


def more() -> None:
    divisor = rf"\sqrt{{{d_k}}}" if is_on else "1"
    here.formula(sized(r"S_{\mathrm{scaled}}", scaled), "=", sized("S", scores), rf"/\; {divisor}")
    here.say("why", d_k=d_k, after=measures.variance(divided))
    here.question({"query": here.token(query), **shares})
    here.story()


here.more(more)
