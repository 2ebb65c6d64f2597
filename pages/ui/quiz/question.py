"""What a question is, and how an answer is judged.

Nothing here knows a language: what is asked, offered and said about an answer are sections of the page's text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from attention import Cell, Edit


@dataclass(frozen=True)
class Token:
    """A fact or a choice that is shown as that token's label, such as `3 street`."""

    position: int


@dataclass(frozen=True)
class Words:
    """A choice whose label is a section of the page's text."""

    section: str


@dataclass(frozen=True)
class Target:
    """Cells of a tensor, addressed as in Cell; head None: of any head, or of a tensor without heads."""

    tensor: str
    rows: range
    columns: range
    head: int | None = None


Facts = Mapping[str, object]
Answer = float | Target | tuple[float, ...]
Given = int | float | Cell | tuple[float, ...]  # what a reader can answer
CLOSE = 0.12  # how far drawn shares may be from the true ones: half the sum of what they are apart


@dataclass(frozen=True)
class Choice:
    """One answer of several. label is a text only where it is the same in all languages, such as "12 × 4"."""

    label: Token | Words | str
    right: bool
    reason: str
    facts: Facts


@dataclass(frozen=True)
class Picture:
    """Numbers to compare by looking: the first rows and columns of a tensor, or of what a mistake would make of it."""

    tensor: str
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Question:
    """Asked by the section "ask_<name>". look: the cell to look at afterwards, where there is one.

    Of items, all tokens, are asked the order of their truth, largest first ("rank"), or the truth itself, as shares
    that add up to 1 ("draw"). slips: typical wrong answers, each under the end of the name of the section that speaks
    to it. covers: what nobody can see before the question is answered. edit: a number that is set by hand for this
    question alone; set_by_hand: what is said of it.
    """

    name: str
    kind: Literal["choice", "number", "cell", "rank", "draw"]
    facts: Facts
    look: Cell | None = None
    choices: tuple[Choice, ...] = ()
    number: float = 0.0
    tolerance: float = 0.0
    target: Target | None = None
    slips: tuple[tuple[str, Answer], ...] = ()
    covers: tuple[Target, ...] = ()
    items: tuple[Token, ...] = ()
    truth: tuple[float, ...] = ()
    pictures: tuple[Picture, ...] = ()  # to choose from, numbered from 1
    edit: Edit | None = None
    set_by_hand: Facts = field(default_factory=dict)

    def hides(self, cell: Cell) -> bool:
        """Whether nobody can see that number before the question is answered."""
        return any(_fits(self, cell, target) for target in self.covers)


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and the section that says why, with its facts."""

    right: bool
    section: str
    facts: Facts


def grade(question: Question, answer: Given) -> Verdict:
    """Judge an answer: the index of a choice, a number, a cell, places of items in order, or shares of items."""
    if question.kind == "choice" and isinstance(answer, int):
        choice = question.choices[answer]
        return Verdict(choice.right, choice.reason, choice.facts)
    expected: Answer = question.target or question.truth or question.number
    right = _fits(question, answer, expected)
    wrong = [end for end, slip in question.slips if _fits(question, answer, slip)]
    if isinstance(answer, Cell) and isinstance(expected, Target) and answer.tensor != expected.tensor:
        wrong.append("tensor")
    end = "right" if right else [*wrong, "wrong"][0]
    return Verdict(right, f"{question.name}_{end}", {**question.facts, **_guess(question, answer)})


def shares_of(values: Sequence[float]) -> tuple[float, ...]:
    """Numbers that are not negative as shares of their sum; equal ones where all are 0."""
    total = sum(values)
    return tuple(value / total if total else 1 / len(values) for value in values)


def apart(first: Sequence[float], second: Sequence[float]) -> float:
    """Half the sum of what shares are apart: 0 where they are the same, 1 where they have nothing in common."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / 2


def _fits(question: Question, answer: Given, expected: Answer) -> bool:
    if isinstance(answer, Cell) and isinstance(expected, Target):
        is_there = answer.row in expected.rows and answer.column in expected.columns
        return is_there and answer.tensor == expected.tensor and expected.head in (None, answer.head)
    if isinstance(answer, tuple) and isinstance(expected, tuple):
        if question.kind == "rank":
            return all(expected[int(a)] >= expected[int(b)] for a, b in pairwise(answer))
        return apart(shares_of(answer), expected) <= question.tolerance
    if isinstance(answer, int | float) and isinstance(expected, int | float):
        return abs(answer - expected) <= question.tolerance + 1e-9
    return False


def _guess(question: Question, answer: Given) -> Facts:
    """The answer as facts: next to the right number; as shares; or, in the tensor that was asked about, as a place."""
    if isinstance(answer, tuple):
        drawn = shares_of(answer) if question.kind == "draw" else ()
        return {f"guess_{i}": share for i, share in enumerate(drawn, 1)}
    if not isinstance(answer, Cell):
        whole = not question.tolerance and float(answer).is_integer()
        return {"guess": int(answer) if whole else float(answer), "truth": question.number}
    if question.target is None or answer.tensor != question.target.tensor:
        return {}
    column = Token(answer.column) if answer.tensor in ("scores", "attn_weights") else answer.column
    return {"guess_row": Token(answer.row), "guess_column": column}
