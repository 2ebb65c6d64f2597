"""What the step heads asks."""

import torch

from attention import Cell, measures
from pages.ui.quiz.making import WEIGHT_GAP, Here, Maker, bug, hiding, which, words
from pages.ui.quiz.question import Question, Token
from pages.ui.state.settings import head_counts


def _previous(here: Here) -> Question | None:
    if here.length == 1:
        return None
    shares = measures.previous_share(here.trace.attention.attn_weights).tolist()
    look = Cell("attn_weights", 1, 0, shares.index(max(shares)))
    return which(here, look, "previous", range(len(shares)), WEIGHT_GAP, {}, str, share=shares)


def _silence(here: Here) -> Question | None:
    """Which columns of the output one head reaches."""
    heads, d_k = here.trace.config.num_heads, here.trace.config.head_dim
    if heads == 1:
        return None
    asked, *_ = here.shuffled("silence", (head for head in range(heads) if head != here.head))
    own = slice(asked * d_k, (asked + 1) * d_k)
    part = here.own("joined")[:, own] @ here.trace.weights.w_o[own]  # (L, d_model): what is then missing
    reached = part.abs().amax(dim=0)  # (d_model,)
    others = torch.cat([reached[: own.start], reached[own.stop :]])
    if float(reached.min()) >= 0.01:
        right, reasons = "all", {"own": "mixed"}
    elif not bool(others.any()) and float(reached[own].min()) >= 0.01:
        right, reasons = "own", {"all": "identity"}
    else:
        return None
    outside = [column for column in range(heads * d_k) if not own.start <= column < own.stop or right == "own"]
    column = max(outside, key=reached.tolist().__getitem__)
    row = int(part[:, column].abs().argmax())
    before = float(here.own("output")[row, column])
    facts = here.facts(asked=asked, first=own.start, last=own.stop - 1, token=Token(row), column=column)
    facts |= {"before": before, "after": before - float(part[row, column])}
    reasons |= {"none": "made_up", right: f"right_{right}"}
    return words(here, "silence", facts, Cell("output", row, column), reasons, right)


def _more_heads(here: Here) -> Question | None:
    """What another number of heads costs."""
    d_model, heads = here.trace.config.d_model, here.trace.config.num_heads
    other, *_ = here.shuffled("more_heads", (count for count in head_counts(d_model) if count != heads))
    facts = here.facts(other=other, other_d_k=d_model // other)
    facts |= {"numbers": here.trace.weights.w_q.numel()}
    reasons = {"same": "right", "more": "own", "fewer": "narrow"}
    return words(here, "more_heads", facts, Cell("q", here.rows("more_heads")[0], 0, here.head), reasons, "same")


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
    _silence,
    _more_heads,
    hiding(_bug, "output", along="all"),
)
