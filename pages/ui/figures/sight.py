"""What of a trace is on screen: its tensors by name as panels, for the head and the row that the reader follows.

It knows nothing of Streamlit, so that a page and the server's own route can show the same.
"""

from dataclasses import replace

from torch import Tensor

from attention import SentenceTrace
from attention.tensors import SILENCED, TENSORS, AxisKind, changes, closed, matrix, side_by_side
from pages.ui.figures.panels import Axis, Band, Board, Closed, Outline, Panel, Scale, token_labels
from pages.ui.figures.views import View
from pages.ui.state.resolved import Resolved
from pages.ui.words.labels import label


class Sight:
    """The settings in force, their trace, and the ways to show a part of it.

    before: what changes are measured against. says: the words that the output's rows say, where they say any.
    """

    def __init__(
        self,
        now: Resolved,
        trace: SentenceTrace,
        before: SentenceTrace | None = None,
        says: tuple[str, ...] = (),
    ) -> None:
        self.now, self.trace, self.before, self.says = now, trace, before, says
        self.settings, self.lang = now.settings, now.settings.lang
        self.head, self.query = now.settings.head, now.settings.query
        self.labels = token_labels(trace.tokens)

    def name(self, key: str, **facts: object) -> str:
        """A short label in the reader's language."""
        return label(key, self.lang, **facts)

    @property
    def guessed(self) -> dict[str, str]:
        """The tokens that are in no word list of the layer that learned, and in words what each is taken for."""
        return {token: self.name(f"kind_{kind.lower()}") for token, kind in self.now.unlisted.items()}

    def own(self, tensor: str) -> Tensor:
        """The values of a tensor: of the chosen head where each head has its own, of the query where each has one."""
        return matrix(self.trace, tensor, self._head(tensor), self.query)  # (rows, columns)

    def whole(self, tensor: str) -> Tensor:
        """The values of a tensor with the columns of all heads side by side."""
        return side_by_side(self.trace, tensor)  # (L, d_model)

    def closed(self, tensor: str, head: int | None = None) -> Tensor:
        """Which cells of a tensor a mask has closed, in the chosen head where no other is named: (L, S)."""
        cells = closed(self.trace, tensor, self.head if head is None else head)
        assert cells is not None  # a tensor between the masks and the weighted sum
        return cells

    @property
    def is_closed(self) -> bool:
        """Whether the followed query has no open key."""
        return bool(self.closed("attn_weights")[self.query].all())

    def is_edited(self, tensor: str, row: int | None = None) -> bool:
        """Whether a number of that tensor (and that row), in the chosen head, was set by hand."""
        return any(
            edit.tensor == tensor and edit.head in (None, self.head) and (row in (None, edit.row) or tensor == SILENCED)
            for edit in self.trace.edits
        )

    def _head(self, tensor: str, head: int | None = None) -> int | None:
        if not TENSORS[tensor].per_head:
            return None
        return self.head if head is None else head

    def panel(
        self,
        tensor: str,
        *,
        head: int | None = None,
        all_heads: bool = False,
        own_columns: bool = False,
        transposed: bool = False,
        title: str = "",
        scale: Scale | None = None,
        follows: bool = False,
        outlines: tuple[Outline, ...] = (),
        bands: tuple[Band, ...] = (),
        first: int = 0,
        leads_to: str = "",
        spread: bool = False,
    ) -> Panel:
        """A tensor as a panel: what it is called, its axes, colours and closed cells follow from its name.

        The chosen head's, where each head has its own and no other is named; all_heads: their columns side by side.
        own_columns: of a matrix of weights only the columns that make the chosen head. follows: the followed row is
        framed. first: what its columns are counted from.
        """
        known, config = TENSORS[tensor], self.trace.config
        if all_heads:
            view = View(tensor, head_dim=config.head_dim)
        elif own_columns:
            view = View(tensor, first=self.head * config.head_dim, width=config.head_dim)
        else:
            view = View(tensor, self._head(tensor, head), transposed)
        values = view.of(self.trace, self.query)
        axes = [self.axis(known.rows), self.axis("out" if all_heads else known.columns, first)]
        rows, columns = reversed(axes) if transposed else axes
        name = title or self.title(tensor, view) + "ᵀ" * transposed
        role = tensor.removeprefix("w_").removeprefix("b_")
        role = role if role in ("q", "k", "v") else ""
        cells = None if all_heads or own_columns else closed(self.trace, tensor, view.head)
        row = Outline(role or ("q" if known.rows == "query" else ""), rows=(self.query, self.query + 1))
        return Panel(
            values,
            name,
            rows,
            columns,
            scale or self._scale(tensor, values, name),
            role,
            closed=None if cells is None else Closed(cells, self.name("closed")),
            outlines=((row,) if follows else ()) + outlines,
            bands=bands,
            whole=known.whole,
            view=view,
            leads_to=leads_to,
            spread=spread,
        )

    def title(self, tensor: str, view: View) -> str:
        """What a tensor is called above its panel: Q of all heads together, Q with its number of one head."""
        head = f"<sub>{view.head}</sub>" if tensor in ("q", "k", "v") and view.head is not None else ""
        return self.name(f"tensor_{tensor}") + head

    def axis(self, kind: AxisKind, first: int = 0) -> Axis:
        """Rows or columns of that kind: tokens and words by their labels, the rest numbered."""
        name = self.name(f"axis_{kind}")
        if kind in ("token", "query", "key"):
            return Axis(name, self.labels)
        return Axis(name, token_labels(self.trace.vocabulary)) if kind == "word" else Axis(name, first=first)

    def _scale(self, tensor: str, values: Tensor, name: str) -> Scale:
        known = TENSORS[tensor]
        if known.range == "signed":
            return Scale.signed(values, name=name)
        return Scale(weight=known.range == "share", plain=known.range == "plain", name=name)

    def marked(self, board: Board) -> Board:
        """The board with the cells framed whose numbers were others before."""
        return board if self.before is None else board.each(self._marked)

    def _marked(self, panel: Panel) -> Panel:
        if self.before is None or panel.view is None:
            return panel
        then = panel.view.same_of(self.before, self.query, tuple(panel.values.shape))
        return panel if then is None else replace(panel, changed=changes(panel.values, then))
