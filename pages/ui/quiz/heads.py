"""What the step heads asks."""

from attention import Cell, measures
from pages.ui.quiz.making import WEIGHT_GAP, Here, Maker, bug, hiding, which
from pages.ui.quiz.question import Question, Target
from pages.ui.state.settings import head_counts


def _previous(here: Here) -> Question | None:
    if here.length == 1:
        return None
    shares = measures.previous_share(here.trace.attention.attn_weights).tolist()
    look = Cell("attn_weights", 1, 0, shares.index(max(shares)))
    return which(here, look, "previous", range(len(shares)), WEIGHT_GAP, {}, str, share=shares)


def _columns(here: Here) -> Question | None:
    heads, d_k, rows = here.trace.config.num_heads, here.trace.config.head_dim, range(here.length)
    asked, *_ = here.shuffled("columns", (head for head in range(heads) if head != here.head or heads == 1))
    columns = range(asked * d_k, (asked + 1) * d_k)
    facts, look = here.facts(asked=asked, first=columns[0], last=columns[-1]), Cell("joined", 0, columns[0])
    slips = (("output", Target("output", rows, range(heads * d_k))),)
    question = Question("columns", "cell", facts, look, target=Target("joined", rows, columns), slips=slips)
    return question if heads > 1 else None


def _width(here: Here) -> Question:
    d_model, heads = here.trace.config.d_model, here.trace.config.num_heads
    counts = here.shuffled("width", (count for count in head_counts(d_model) if count != heads))
    other = min(counts, key=lambda count: d_model // count in (d_model, count))  # where no typical mistake is right
    slips = (("all", d_model), ("count", other), ("now", d_model // heads))
    facts, look = here.facts(other=other), Cell("q", here.rows("width")[0], 0, here.head)
    return Question("width", "number", facts, look, number=d_model // other, slips=slips)


BLOCK = (4, 6)  # rows and columns of a picture


def _bug(here: Here) -> Question | None:
    """The joined heads as they are, as if there were no W_O."""
    rows, columns = BLOCK
    right, wrong = (here.own(tensor)[:rows, :columns] for tensor in ("output", "joined"))
    if here.trace.config.num_heads == 1:
        return None
    return bug(here, "output", right, wrong, Cell("joined", 0, 0))


MAKERS: tuple[Maker, ...] = (
    _previous,
    _columns,
    _width,
    hiding(_bug, "output", along="all"),
)
