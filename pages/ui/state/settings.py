"""The settings: everything that decides what a page shows, each declared once, as plain data.

A new setting is one line in Settings, with its kind of value (see values.py), and a control where a reader sets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_type_hints

from attention import AttentionConfig, Cell, Edit, trace_by_hand
from attention.learn import checkpoint_steps
from attention.vectors import METHODS
from pages.ui.state.examples import EXAMPLES, SMALLEST
from pages.ui.state.values import Cells, Change, Choice, Flag, Number, Place, Positions, Scope, Text, Value

Lang = Literal["en", "zh"]
Weights = Literal["learned", "random", "hand", "real"]
Face = Literal["notice", "number", "turn", "code", "compare"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
FACES: tuple[Face, ...] = get_args(Face)

D_MODELS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
MAX_HEADS = 16
MAX_CHARACTERS = 200
MAX_TOKENS = 64
MAX_SEED = 999_999
CHECKPOINTS = checkpoint_steps()
MOST_EXPERIMENTS = 9  # of a lab
WIDTHS = tuple(2**i for i in range(11))  # of a head, in labs that draw their own numbers
MASKS = ("none", "causal", "window", "painted")
WINDOWS = range(1, 9)  # tokens that a sliding window can hold
HIDEABLE = 5  # steps on paper that can be covered; 0 covers none
MAX_SHIFT = 40
IMAGES = ("cross", "disc", "stripes")
SOFTCAPS = (0, 1, 2, 5, 10, 20, 50)  # 0 is none
MOST_WAYS, MOST_MOMENTS = 2, 100  # of a play
SWITCHES = ("scaled", "positions", "causal")  # of a layer: what can be changed with the same weights
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Declared:
    """What is declared of a setting: its kind of value, and whether A and B can be told apart by it."""

    value: Value
    compared: bool = True


def head_counts(d_model: int) -> tuple[int, ...]:
    """The numbers of heads that d_model columns can be cut into, up to 16.

    >>> head_counts(24)
    (1, 2, 3, 4, 6, 8, 12)
    """
    return tuple(n for n in range(1, MAX_HEADS + 1) if d_model % n == 0)


def _rows(scope: Scope) -> range:
    return range(max(1, scope.seq_len))


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a page shows. Equal settings show equal pages.

    retrained: whether a layer that learns was trained with causal, scaled and positions as they are here; else they act
    on the layer that was trained without a mask, scaled, with positions. divided: whether it is asked to divide the
    work among its heads.
    checkpoint: how far the training has gone, a place in CHECKPOINTS. cell: the number asked about; None is the one
    that the page would choose. pin: the settings held to compare with. method, word, other, mix: of the word vectors;
    an empty word is the language's first one. way, moment: how a step is played, and where the play stands; 0 is the
    whole picture.
    Of the labs: experiment: the one on the stage. width: of a head. mask, window, painted: closed cells as row ×
    MAX_TOKENS + column. second: another sentence, to attend to or to compare with; empty is the lab's own. shift: which
    order of the words, draw of numbers or pair of sentences. given: small numbers for paper; hides: the step that is
    covered. image: what is cut into patches. kv_heads, softcap: of today's models.
    """

    lang: Annotated[Lang, Declared(Choice(LANGUAGES), compared=False)] = "en"
    sentence: Annotated[str, Declared(Text(MAX_CHARACTERS, cut=True))] = EXAMPLES["en"][0].sentence
    weights: Annotated[Weights, Declared(Choice(WEIGHTS))] = "learned"
    checkpoint: Annotated[int, Declared(Number(lambda _: range(len(CHECKPOINTS))))] = len(CHECKPOINTS) - 1
    model: Annotated[str, Declared(Text(MAX_CHARACTERS, least=1))] = MODEL
    layer: Annotated[int, Declared(Number(lambda scope: range(scope.num_layers)))] = 0
    d_model: Annotated[int, Declared(Number(lambda _: D_MODELS))] = 32
    num_heads: Annotated[int, Declared(Number(lambda scope: head_counts(scope.d_model)))] = 2
    head: Annotated[int, Declared(Number(lambda scope: range(scope.num_heads)), compared=False)] = 0
    query: Annotated[int, Declared(Number(_rows), compared=False)] = EXAMPLES["en"][0].query
    causal: Annotated[bool, Declared(Flag())] = False
    scaled: Annotated[bool, Declared(Flag())] = True
    positions: Annotated[bool, Declared(Flag())] = True
    hidden: Annotated[tuple[int, ...], Declared(Positions())] = ()
    retrained: Annotated[bool, Declared(Flag())] = False
    divided: Annotated[bool, Declared(Flag())] = True
    seed: Annotated[int, Declared(Number(lambda _: range(MAX_SEED + 1)))] = 0
    questions: Annotated[bool, Declared(Flag(), compared=False)] = True
    face: Annotated[Face, Declared(Choice(FACES), compared=False)] = "number"
    present: Annotated[bool, Declared(Flag(), compared=False)] = False
    way: Annotated[int, Declared(Number(lambda _: range(MOST_WAYS)), compared=False)] = 0
    moment: Annotated[int, Declared(Number(lambda _: range(MOST_MOMENTS)), compared=False)] = 0
    method: Annotated[str, Declared(Choice(METHODS), compared=False)] = METHODS[0]
    word: Annotated[str, Declared(Text(40), compared=False)] = ""
    other: Annotated[str, Declared(Text(40), compared=False)] = ""
    mix: Annotated[int, Declared(Number(lambda _: range(101)), compared=False)] = 50
    experiment: Annotated[int, Declared(Number(lambda _: range(MOST_EXPERIMENTS)), compared=False)] = 0
    width: Annotated[int, Declared(Number(lambda _: WIDTHS), compared=False)] = 64
    mask: Annotated[str, Declared(Choice(MASKS), compared=False)] = "causal"
    window: Annotated[int, Declared(Number(lambda _: WINDOWS), compared=False)] = 2
    painted: Annotated[tuple[int, ...], Declared(Cells(MAX_TOKENS), compared=False)] = ()
    second: Annotated[str, Declared(Text(MAX_CHARACTERS, cut=True), compared=False)] = ""
    shift: Annotated[int, Declared(Number(lambda _: range(MAX_SHIFT + 1)), compared=False)] = 0
    given: Annotated[str, Declared(Text(MAX_CHARACTERS), compared=False)] = ""
    hides: Annotated[int, Declared(Number(lambda _: range(HIDEABLE + 1)), compared=False)] = 0
    image: Annotated[str, Declared(Choice(IMAGES), compared=False)] = "cross"
    kv_heads: Annotated[int, Declared(Number(lambda scope: head_counts(scope.num_heads)), compared=False)] = 1
    softcap: Annotated[int, Declared(Number(lambda _: SOFTCAPS), compared=False)] = 0
    cell: Annotated[Cell | None, Declared(Place(), compared=False)] = None
    edit: Annotated[Edit | None, Declared(Change())] = None
    pin: "Settings | None" = None

    @property
    def elsewhere(self) -> "Settings":
        """The same for another page, which chooses its own cell to start from."""
        return replace(self, cell=None, way=0, moment=0, experiment=0)

    @property
    def pinned(self) -> "Settings":
        """The same, held: what is on screen now becomes what later changes are compared with."""
        return replace(self, pin=self.held)

    @property
    def held(self) -> "Settings":
        """What of these settings is held: what A and B can be told apart by. The rest is as at a first visit."""
        return replace(Settings(lang=self.lang), query=0, **{name: getattr(self, name) for name in COMPARED})

    @property
    def before(self) -> "Settings | None":
        """What the changes on screen are measured against: the pinned settings, or those without the edit."""
        if self.pin:
            return replace(self.pin, lang=self.lang, head=self.head)
        return replace(self, edit=None) if self.edit else None


DECLARED: Mapping[str, Declared] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
COMPARED = tuple(name for name, declared in DECLARED.items() if declared.compared)


def defaults(lang: Lang) -> Settings:
    """The settings of a first visit in that language."""
    first = EXAMPLES[lang][0]
    return Settings(lang=lang, sentence=first.sentence, query=first.query)


def small(settings: Settings) -> Settings:
    """Small numbers first: three tokens, d_k 2, whole numbers up to the scores; the rest as at a first visit."""
    sentence = SMALLEST[settings.lang]
    return replace(
        Settings(lang=settings.lang, face=settings.face, present=settings.present, questions=settings.questions),
        sentence=sentence,
        weights="hand",
        d_model=_SMALL.d_model,
        num_heads=_SMALL.num_heads,
        positions=_SMALL.positions,
        query=_telling_row(sentence),
    )


_SMALL = AttentionConfig(d_model=4, num_heads=2, positions=False)


@cache
def _telling_row(sentence: str) -> int:
    """The token of the small numbers whose scores in the first head differ most: another's may all be 0."""
    scores = trace_by_hand(sentence, _SMALL).attention.scores[0]  # (L, L)
    return int((scores.amax(-1) - scores.amin(-1)).argmax())


def fit(settings: Settings, scope: Scope) -> Settings:
    """The nearest settings that fit these sizes."""
    return replace(
        settings,
        **{name: each.value.fit(getattr(settings, name), scope) for name, each in DECLARED.items()},
    )


# An edit belongs to the numbers that it was made for: what changes these takes it away.
_OF_AN_EDIT = ("sentence", "weights", "model", "layer", "d_model", "num_heads", "seed")


def changed(settings: Settings, **values: Any) -> Settings:
    """The settings after the reader's change, and what follows from it.

    The cell asked about goes with the head, and makes way for another row; an edit belongs to the numbers that it was
    made for. What the change itself says of cell and edit counts.
    """
    now = replace(settings, **values)
    if "cell" not in values:
        cell = now.cell
        if now.query != settings.query:
            cell = None
        elif now.head != settings.head and cell is not None and cell.head is not None:
            cell = replace(cell, head=now.head)
        now = replace(now, cell=cell)
    if "edit" not in values and any(getattr(now, name) != getattr(settings, name) for name in _OF_AN_EDIT):
        now = replace(now, edit=None)
    return now
