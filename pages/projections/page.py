"""Projections: three learned matrices turn X into queries, keys and values."""

from attention import functional, measures
from pages.projections.play import play
from pages.projections.stage import stage
from pages.ui.lesson import Lesson, sized

here = Lesson()


def notice() -> None:
    sizes = {"d_model": here.now.config.d_model, "learned": measures.projection_parameters(here.trace.weights)}
    here.notice("notice", query=here.token(here.query), **sizes)


here.stage(stage(here), "q", play(here))
here.faces(notice, "q", code=[functional.project], compare=["q", "k", "v"])


def more() -> None:
    for role in "qkv":
        symbol, matrix = role.upper(), sized(f"W_{role.upper()}", here.own(f"w_{role}"))
        here.formula(sized(symbol, here.whole(role)), "=", sized("X", here.own("x")), matrix, "+", f"b_{symbol}")
    here.say("analogy")
    here.question({"tokens": len(here.labels), "d_model": here.now.config.d_model})
    here.story()


here.more(more)
