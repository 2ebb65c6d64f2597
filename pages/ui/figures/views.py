"""Which part of which tensor a panel shows, so that it can be told from a trace, and a click on it answered."""

from dataclasses import dataclass

from torch import Tensor

from attention import SentenceTrace
from attention.tensors import matrix, side_by_side


@dataclass(frozen=True)
class View:
    """A tensor upright or transposed; some of its columns; or the columns of all heads side by side.

    first, width: the columns that are shown, 0 for all of them. head_dim: where all heads stand side by side, how many
    columns each has.
    """

    tensor: str
    head: int | None = None
    transposed: bool = False
    first: int = 0
    width: int = 0
    head_dim: int = 0

    def of(self, trace: SentenceTrace, query: int) -> Tensor:
        """What it shows of a trace: (rows, columns)."""
        if self.head_dim:
            return side_by_side(trace, self.tensor)  # (L, d_model)
        values = matrix(trace, self.tensor, self.head, query)
        values = values[:, self.first : self.first + (self.width or values.shape[1])]
        return values.T if self.transposed else values

    def same_of(self, trace: SentenceTrace, query: int, shape: tuple[int, ...]) -> Tensor | None:
        """The same of another trace, to compare with; None where that has no such thing, or not of that shape."""
        missing = self.tensor == "contributions" and query >= len(trace.tokens)
        if missing or (self.head or 0) >= trace.config.num_heads:
            return None
        values = self.of(trace, query)
        return values if tuple(values.shape) == shape else None
