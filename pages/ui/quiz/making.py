"""What questions are made from, and ways to ask that several steps use."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeVar

from torch import Tensor

from attention import Cell, Edit, SentenceTrace, apply_edit
from attention.tensors import TENSORS, matrix
from pages.ui.quiz.question import Choice, Facts, Picture, Question, Target, Token, Words

MOST_CHOICES = 4
MOST_EDITED = 4  # rows in which a number is set, until one shows the mistake
# How far a wrong choice must be from the right one: a weight; and any other number, as a part of the row's spread, but
# never less than two decimals show.
WEIGHT_GAP, SPREAD_GAP, SHOWN_GAP = 0.05, 0.05, 0.02
VISIBLE = 0.2  # how far two pictures must be apart somewhere

Item = TypeVar("Item")


@dataclass(frozen=True)
class Here:
    """The trace as a page shows it: one head, and the row that its captions speak of."""

    trace: SentenceTrace
    head: int
    query: int

    @property
    def length(self) -> int:
        return len(self.trace.tokens)

    def own(self, tensor: str) -> Tensor:
        """The chosen head's rows and columns."""
        return matrix(self.trace, tensor, self.head_of(tensor))  # (rows, columns)

    def head_of(self, tensor: str) -> int | None:
        """The chosen head, of a tensor where each has its own."""
        return self.head if TENSORS[tensor].per_head else None

    def facts(self, **own: object) -> dict[str, object]:
        """A question's own facts, and how large everything is."""
        config = self.trace.config
        sizes = {"d_model": config.d_model, "heads": config.num_heads, "d_k": config.head_dim, "head": self.head}
        return {"tokens": self.length, "words": len(self.trace.vocabulary), **sizes, **own}

    def shuffled(self, name: str, items: Iterable[Item], most: int | None = None) -> list[Item]:
        """The items, or some of them, in an order that follows from the sentence, the settings and the name alone."""
        config, text = self.trace.config, " ".join(self.trace.tokens)
        seed = f"{config.d_model} {config.num_heads} {self.head} {config.seed} {name} {text}"
        kept = list(items)
        return Random(seed.encode("utf-8", "surrogatepass")).sample(kept, min(len(kept), most or len(kept)))

    def edited(self, tensor: str) -> set[int]:
        """The rows in which the reader has set a number by hand."""
        return {e.row for e in self.trace.edits if e.tensor == tensor and e.head in (None, self.head)}

    def rows(self, name: str, untouched: str = "") -> list[int]:
        """The rows to ask about: not the query's, where there is another, and none that was edited in that tensor."""
        told = {self.query} if self.length > 1 else set()
        return [row for row in self.shuffled(name, range(self.length)) if row not in told | self.edited(untouched)]

    def places(self, name: str, columns: int, untouched: str = "") -> list[tuple[int, int]]:
        """A few columns of each row to ask about."""
        rows = self.rows(name, untouched)
        return [(row, column) for row in rows for column in self.shuffled(f"{name} {row}", range(columns), 4)]


Maker = Callable[[Here], Question | None]


# Ways to ask that several pages use.


def words(
    here: Here, name: str, facts: Facts, look: Cell, reasons: Mapping[str, str], right: str, of: str = ""
) -> Question:
    """Choose among texts: reasons maps each label to what is said about it, both without the name in front."""
    start = of or name
    labels = here.shuffled(name, reasons)
    choices = [
        Choice(Words(f"{start}_{label}"), label == right, f"{start}_{reasons[label]}", facts) for label in labels
    ]
    return Question(name, "choice", facts, look, tuple(choices))


def shape(here: Here, name: str, look: Cell, right: tuple[int, int], **wrong: tuple[int, int]) -> Question | None:
    """Choose a shape; of equal ones only the first is offered. wrong: shapes by what is said about them."""
    reasons = {right: "right"}
    for reason, shape in wrong.items():
        reasons.setdefault(shape, reason)
    facts = here.facts()
    choices = [
        Choice(f"{shape[0]} × {shape[1]}", shape == right, f"{name}_{reasons[shape]}", facts)
        for shape in here.shuffled(name, list(reasons)[:MOST_CHOICES])
    ]
    return Question(name, "choice", facts, look, tuple(choices)) if len(choices) > 1 else None


def which(
    here: Here,
    look: Cell,
    name: str,
    keys: Sequence[int],
    gap: float,
    special: Mapping[int, str],
    label: Callable[[int], Token | str] = Token,
    **values: Sequence[float],
) -> Question | None:
    """Choose the key with the largest of the first values; what is less than gap below it is not offered.

    look: a cell of the row that is asked about. special: keys to offer first, and what is said about them; then comes
    the largest of the others, then chance.
    """
    ranking = next(iter(values.values()))
    best = max(keys, key=ranking.__getitem__, default=0)
    rivals = [key for key in here.shuffled(f"{name} rivals", keys) if ranking[best] - ranking[key] >= gap]
    nearest = max(rivals, key=ranking.__getitem__, default=best)
    rivals = sorted(rivals, key=lambda key: (key not in special, key != nearest))[: MOST_CHOICES - 1]
    truth: dict[str, object] = {"query": Token(look.row), "key": label(best)}
    truth |= {fact: column[best] for fact, column in values.items()}
    choices = []
    for key in here.shuffled(f"{name} order", [best, *rivals]):
        reason = "right" if key == best else special.get(key, "wrong")
        guess = {f"guess_{fact}": column[key] for fact, column in values.items()}
        facts = here.facts(**truth, **guess, guess=label(key))
        choices.append(Choice(label(key), key == best, f"{name}_{reason}", facts))
    return Question(name, "choice", here.facts(**truth), look, tuple(choices)) if rivals else None


def clear(values: Sequence[float]) -> float:
    """How far apart two of these numbers must be to be told apart."""
    return max(SPREAD_GAP * (max(values) - min(values)), SHOWN_GAP)


def bug(here: Here, tensor: str, right: Tensor, wrong: Tensor, look: Cell, **facts: object) -> Question | None:
    """Which of two pictures has the mistake; none where nobody could see it."""
    if here.trace.edits or float((right - wrong).abs().max()) < VISIBLE:  # by hand, neither follows the rules
        return None
    shuffled = here.shuffled("bug", (("wrong", right), ("right", wrong)))
    told = here.facts(**facts)
    choices = tuple(
        Choice(str(place), verdict == "right", f"bug_{verdict}", told) for place, (verdict, _) in enumerate(shuffled, 1)
    )
    pictures = tuple(Picture(tensor, tuple(map(tuple, values.tolist()))) for _, values in shuffled)
    return Question("bug", "choice", told, look, choices, pictures=pictures)


def hiding(make: Maker, *tensors: str, along: Literal["row", "column", "cell", "all"] = "row") -> Maker:
    """The same question, which covers those tensors until it is answered.

    along: the row, column or cell of where to look, or all of them.
    """

    def made(here: Here) -> Question | None:
        question = make(here)
        if question is None:
            return None
        assert question.look is not None  # it is where the covers lie
        covers = []
        for tensor in tensors:
            rows, columns = map(range, here.own(tensor).shape)
            at = question.look
            if along in ("row", "cell"):
                rows = range(at.row, at.row + 1)
            if along in ("column", "cell"):
                place = at.row if along == "column" else at.column
                columns = range(place, place + 1)
            covers.append(Target(tensor, rows, columns, here.head_of(tensor)))
        return replace(question, covers=tuple(covers))

    return made


def by_row(
    name: str,
    ask: Callable[[Here, int], Question | None],
    untouched: str = "",
    first: Callable[[Here, int], bool] = lambda *_: False,
    edit: Callable[[Here, int], Edit | None] = lambda *_: None,
) -> Maker:
    """Ask about the first row that allows it. first: rows to try before others, where a usual mistake shows.

    edit: a number to set by hand so that the mistake shows in a row, where it shows in none; the question says so.
    """

    def tries(here: Here) -> Iterator[Question | None]:
        rows = here.rows(name, untouched)
        telling = [row for row in rows if first(here, row)]
        others = [row for row in rows if row not in telling]
        yield from (ask(here, row) for row in telling)
        yield from (_by_hand(here, row, ask, first, edit) for row in others[:MOST_EDITED])
        yield from (ask(here, row) for row in others)

    return lambda here: next(filter(None, tries(here)), None)


def _by_hand(
    here: Here,
    row: int,
    ask: Callable[[Here, int], Question | None],
    first: Callable[[Here, int], bool],
    edit: Callable[[Here, int], Edit | None],
) -> Question | None:
    """A question about a row in which one number is set by hand, so that a usual mistake shows."""
    change = None if here.trace.edits else edit(here, row)
    if change is None:
        return None
    edited = replace(here, trace=apply_edit(here.trace, change))
    question = ask(edited, row) if first(edited, row) else None
    if question is None:
        return None
    was = float(here.own(change.tensor)[change.row, change.column])
    told = {"set_query": Token(change.row), "set_key": Token(change.column), "set_value": change.value, "set_was": was}
    return replace(question, edit=change, set_by_hand=told)
