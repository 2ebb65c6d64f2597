"""What the step projections asks."""

from attention import Cell
from pages.ui.quiz.making import Here, Maker, shape, words
from pages.ui.quiz.question import Question, Target, Token


def _changed_row(here: Here) -> Question | None:
    row, *_ = here.rows("changed_row")
    reasons = {"only": "right", "all": "shared", "none": "unchanged"}
    if 0 < row < here.length - 1:  # else "this row and those after it" were all rows, or this one alone
        reasons["after"] = "order"
    facts, look = here.facts(token=Token(row)), Cell("q", row, 0, here.head)
    return words(here, "changed_row", facts, look, reasons, "only") if here.length > 1 else None


def _made_from(here: Here) -> Question:
    d_model = here.trace.config.d_model
    row, column = here.places("made_from", d_model)[0]
    head, place = divmod(column, here.trace.config.head_dim)
    rows, anywhere = range(row, row + 1), range(max(here.length, d_model))
    others = [("role", Target(name, anywhere, anywhere)) for name in ("k", "v", "w_k", "w_v", "b_k", "b_v")]
    slips = (("column", Target("q", rows, anywhere)), *others)
    facts, target = here.facts(token=Token(row), column=column), Target("q", rows, range(place, place + 1), head)
    return Question("made_from", "cell", facts, Cell("q", row, place, head), target=target, slips=slips)


def _qkv_shape(here: Here) -> Question | None:
    tokens, d_model, d_k = here.length, here.trace.config.d_model, here.trace.config.head_dim
    wrong = {"head": (tokens, d_k), "matrix": (d_model, d_model), "turned": (d_model, tokens)}
    wrong["three"] = (tokens, 3 * d_model)  # never the same as the right one
    return shape(here, "shape", Cell("q", here.rows("shape")[0], 0, here.head), (tokens, d_model), **wrong)


MAKERS: tuple[Maker, ...] = (
    _changed_row,
    _made_from,
    _qkv_shape,
)
