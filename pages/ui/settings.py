"""The settings in force: what the sidebar chooses, what the address carries, and what fits together."""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attention import AttentionConfig, Cell, Edit, tokenize
from attention.learn import checkpoint_steps
from attention.pretrained import Pretrained
from pages.ui import models
from pages.ui.tensors import fits

D_MODELS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
MAX_HEADS = 16
MAX_CHARACTERS = 200
MAX_TOKENS = 64
MAX_SEED = 999_999
MOST_EDITED = 1000.0
MAX_LAYER = 99
LANGUAGES = ("en", "zh")
WEIGHTS = ("learned", "random", "hand", "real")
CHECKPOINTS = checkpoint_steps()
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SWAPPED = "tokens"  # an edit of the sentence itself: the words at its row and column change places
EDITABLE = ("embeddings", "scores", "attn_weights")  # one cell at a time
SILENCED = "head_outputs"  # an edit of a whole head
UNCHANGED = "same"  # a pin from which nothing differs yet


@dataclass(frozen=True)
class Example:
    """A sentence to start from, and the token whose row is worth following first."""

    sentence: str
    query: int


EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "en": (
        Example("the brave queen found the book near the man because it seemed small", 10),
        Example("the brave queen found the book near the man because she seemed small", 10),
        Example("the old king saw the princess and she smiled", 7),
        Example("Anna lost her ring in the quiet garden", 2),
        Example("the animal did not cross the street because it was too tired", 8),
        Example("the animal did not cross the street because it was too wide", 8),
        Example("Anna found the red hat and the blue cup but lost the red one", 13),
        Example("time flies like an arrow, fruit flies like a banana", 7),
    ),
    "zh": (
        Example("那位勇敢的国王拜访了那位公主，然后她笑了", 17),
        Example("那位勇敢的国王拜访了那位公主，然后他笑了", 17),
        Example("学生们喂了那只小狗，然后他们睡着了", 12),
        Example("小芳在那个花园里弄丢了她的帽子", 11),
        Example("那只动物没有过马路，因为它太累了", 12),
        Example("那只动物没有过马路，因为它太宽了", 12),
        Example("我 喜欢 猫 因为 猫 很 可爱", 6),
    ),
}


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a page shows. Equal settings show equal pages."""

    lang: str = "en"
    sentence: str = EXAMPLES["en"][0].sentence
    weights: str = WEIGHTS[0]
    checkpoint: int = len(CHECKPOINTS) - 1  # how far the training has gone, a place in CHECKPOINTS
    model: str = MODEL
    layer: int = 0
    d_model: int = 32
    num_heads: int = 2
    head: int = 0
    query: int = EXAMPLES["en"][0].query
    causal: bool = False
    scaled: bool = True
    positions: bool = True
    hidden: tuple[int, ...] = ()
    seed: int = 0
    questions: bool = True
    cell: Cell | None = None  # the number asked about; None: the one that the page would choose
    edit: Edit | None = None  # a number set by hand, a silenced head, or two words swapped
    pin: "Settings | None" = None  # what to compare with

    @property
    def before(self) -> "Settings | None":
        """What the changes on screen are measured against: the pinned settings, or those without the edit."""
        if self.pin:
            return fit(replace(self.pin, lang=self.lang, head=self.head))  # its model may not have been at hand
        return replace(self, edit=None) if self.edit else None

    @property
    def elsewhere(self) -> "Settings":
        """The same for another page, which chooses its own cell to start from."""
        return replace(self, cell=None)

    @property
    def real(self) -> Pretrained | None:
        """The real model in force, where one is chosen and loaded."""
        return models.loaded(self.model) if self.weights == "real" else None

    @property
    def heads(self) -> int:
        """How many heads the layer in force has."""
        return self.real.num_heads if self.real else self.num_heads

    @property
    def config(self) -> AttentionConfig:
        """What the core needs to know of them: a real model brings its own sizes."""
        if self.real:
            own = self.real.config(self.layer)
            return replace(own, causal=own.causal or self.causal, scaled=self.scaled)
        return AttentionConfig(self.d_model, self.num_heads, self.causal, self.scaled, self.positions, self.seed)

    @property
    def grammar(self) -> str:
        """Whose grammar the layer learns: Chinese where at least half of the sentence is, English otherwise."""
        tokens = fit_sentence(self.sentence).tokens
        chinese = sum("\u4e00" <= token[0] <= "\u9fff" for token in tokens)
        return ("zh" if 2 * chinese >= len(tokens) else "en") if tokens else self.lang


_OPTIONAL = ("cell", "edit", "pin")
_UNPINNED: Mapping[str, Any] = {"pin": None, "cell": None, "head": 0, "query": 0, "questions": True}
_OF_AN_EDIT = ("sentence", "weights", "model", "layer", "d_model", "num_heads", "seed")
COMPARED = (
    "sentence",
    "weights",
    "checkpoint",
    "model",
    "layer",
    "d_model",
    "num_heads",
    "scaled",
    "positions",
    "causal",
    "hidden",
    "seed",
    "edit",
)


def defaults(lang: str) -> Settings:
    """The settings of a first visit in that language."""
    first = EXAMPLES[lang][0]
    return Settings(lang=lang, sentence=first.sentence, query=first.query)


def examples(lang: str) -> tuple[Example, ...]:
    """All example sentences, those in the reader's language first."""
    return EXAMPLES[lang] + tuple(example for other in LANGUAGES if other != lang for example in EXAMPLES[other])


def head_counts(d_model: int) -> tuple[int, ...]:
    """The numbers of heads that d_model columns can be cut into, up to 16.

    >>> head_counts(24)
    (1, 2, 3, 4, 6, 8, 12)
    """
    return tuple(n for n in range(1, MAX_HEADS + 1) if d_model % n == 0)


def nearest_head_count(d_model: int, wanted: int) -> int:
    """The valid number of heads nearest to the wanted one, the smaller of two equally near.

    >>> nearest_head_count(8, 3), nearest_head_count(64, 12)
    (2, 8)
    """
    return min(head_counts(d_model), key=lambda n: (abs(n - wanted), n))


@dataclass(frozen=True)
class Fitted:
    """A typed text cut to what the pages can show, and how much was left out."""

    sentence: str
    tokens: tuple[str, ...]
    characters_left_out: int
    tokens_left_out: int


def fit_sentence(text: str) -> Fitted:
    """Keep the first 200 characters and of those the first 64 tokens."""
    kept = text[:MAX_CHARACTERS]
    tokens = tokenize(kept)
    if len(tokens) > MAX_TOKENS:
        return Fitted(
            " ".join(tokens[:MAX_TOKENS]), tokens[:MAX_TOKENS], len(text) - len(kept), len(tokens) - MAX_TOKENS
        )
    return Fitted(kept, tokens, len(text) - len(kept), 0)


def read(settings: Settings) -> Fitted:
    """The sentence as it fits, cut into the tokens of the layer in force: a real model has its own."""
    fitted = fit_sentence(settings.sentence)
    return (
        replace(fitted, tokens=settings.real.tokenize(fitted.sentence)) if settings.real and fitted.tokens else fitted
    )


def shown(settings: Settings) -> Fitted:
    """What the pages work with: the sentence as it is read, its two words swapped where the reader asked for it."""
    fitted = read(settings)
    edit = settings.edit
    if edit is None or edit.tensor != SWAPPED:
        return fitted
    tokens = list(fitted.tokens)
    tokens[edit.row], tokens[edit.column] = tokens[edit.column], tokens[edit.row]
    return replace(fitted, sentence=" ".join(tokens), tokens=tuple(tokens))


def to_query(settings: Settings) -> dict[str, str]:
    """The settings as an address carries them: all of them, so that a link shows the same numbers for ever."""
    query = {field.name: _write(getattr(settings, field.name)) for field in fields(settings) if field.name != "pin"}
    if settings.pin is None:
        return query | {"pin": ""}
    pinned = to_query(replace(settings.pin, **_UNPINNED))
    differs = {name: text for name, text in pinned.items() if name in COMPARED and text != query[name]}
    return query | {"pin": urlencode(differs) or UNCHANGED}


def pinned(settings: Settings) -> Settings:
    """The same settings, held: what is on screen now becomes what later changes are compared with."""
    return replace(settings, pin=replace(settings, **_UNPINNED))


def from_query(query: Mapping[str, str], default: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings of an address, and the names of those whose values do not fit and fell back to the default."""
    lang = query.get("lang", default.lang)
    settings = defaults(lang) if lang in LANGUAGES and "lang" in query else default
    bad = [] if lang in LANGUAGES else ["lang"]
    if "sentence" in query:
        settings = replace(settings, sentence=query["sentence"][:MAX_CHARACTERS])
        settings = replace(settings, query=min(settings.query, max(0, len(read(settings).tokens) - 1)))
    if "d_model" in query and "num_heads" not in query:  # the default number of heads may not divide it
        number = _whole(query["d_model"])
        if number in D_MODELS:
            settings = replace(settings, num_heads=nearest_head_count(number, settings.num_heads))
    for field in fields(settings):
        name, text = field.name, query.get(field.name)
        if text is None or name in ("lang", "sentence"):
            continue
        value: Any = _read_pin(text, query, settings) if name == "pin" else _read(name, text, settings)
        if value is None and (text or name not in _OPTIONAL):
            bad.append(name)
        else:
            settings = replace(settings, **{name: value})
    return fit(settings), tuple(bad)


def fit(settings: Settings) -> Settings:
    """The nearest settings that fit together: heads that divide d_model, rows and cells that the sentence has."""
    length, real = len(read(settings).tokens), settings.real
    settings = replace(
        settings,
        num_heads=nearest_head_count(settings.d_model, settings.num_heads),
        layer=min(settings.layer, real.num_layers - 1) if real else settings.layer,
    )
    fitted = replace(
        settings,
        head=min(settings.head, settings.heads - 1),
        query=min(settings.query, max(0, length - 1)),
        hidden=tuple(key for key in settings.hidden if key < length),
    )
    edit = fitted.edit if fitted.edit and _edit_fits(fitted.edit, fitted) else None
    cell = fitted.cell if fitted.cell and cell_fits(fitted.cell, fitted) else None
    return replace(fitted, edit=edit, cell=cell)


def moved(last: Settings, now: Settings, *, edit_is_new: bool = False) -> Settings:
    """What follows from the reader's change: the cell asked about goes with the head and makes way for another row;
    an edit belongs to the numbers it was made for. edit_is_new: it came with the change."""
    cell, edit = now.cell, now.edit
    if now.query != last.query:
        cell = None
    elif now.head != last.head and cell is not None and cell.head is not None:
        cell = replace(cell, head=now.head)
    if any(getattr(now, name) != getattr(last, name) for name in _OF_AN_EDIT):
        edit = None if edit == last.edit and not edit_is_new else edit
    return replace(now, cell=cell, edit=edit)


def text_sizes(settings: Settings) -> tuple[int, int]:
    """How many tokens the sentence has, and how many different ones: seq_len and vocab_size."""
    fitted = read(settings)
    real = settings.real if fitted.tokens else None  # two of its tokens may look alike
    return len(fitted.tokens), len(set(real.ids(fitted.sentence) if real else fitted.tokens))


def cell_fits(cell: Cell, settings: Settings) -> bool:
    """Whether the trace of these settings has such a cell."""
    return fits(cell, settings.config, *text_sizes(settings))


def limits(tensor: str) -> tuple[float, float]:
    """From where to where a number of a tensor can be set by hand: a weight stays a share."""
    return (0.0, 1.0) if tensor == "attn_weights" else (-MOST_EDITED, MOST_EDITED)


def _edit_fits(edit: Edit, settings: Settings) -> bool:
    if edit.tensor == SWAPPED:
        length = 0 if settings.weights == "real" else len(read(settings).tokens)  # its tokens are no words
        return edit.row < edit.column < length and edit.head is None and edit.value == 0
    if edit.tensor == "embeddings" and settings.weights == "real":  # X does not follow from them alone
        return False
    whole = edit.tensor != SILENCED or (edit.row, edit.column, edit.value) == (0, 0, 0.0)
    low, high = limits(edit.tensor)
    return (
        edit.tensor in (*EDITABLE, SILENCED)
        and whole
        and low <= edit.value <= high
        and cell_fits(Cell(edit.tensor, edit.row, edit.column, edit.head), settings)
    )


def address_of(cell: Cell) -> str:
    """A cell as an address writes it.

    >>> address_of(Cell("scores", 8, 5, 0)), address_of(Cell("x", 8, 3))
    ('scores.8.5.0', 'x.8.3')
    """
    return ".".join([cell.tensor, *(str(part) for part in (cell.row, cell.column, cell.head) if part is not None)])


def cell_at(address: str) -> Cell | None:
    """The cell of an address; None where it is not one.

    >>> cell_at("scores.8.5.0"), cell_at("scores.8")
    (Cell(tensor='scores', row=8, column=5, head=0), None)
    """
    tensor, *parts = address.split(".")
    numbers = [number for part in parts if (number := _whole(part)) is not None]
    return Cell(tensor, *numbers) if len(numbers) == len(parts) and len(parts) in (2, 3) else None


def _write(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Cell):
        return address_of(value)
    if isinstance(value, Edit):
        place = address_of(Cell(value.tensor, value.row, value.column, value.head))
        return f"{place}:{_number(value.value)}"
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(name: str, text: str, settings: Settings) -> Any:
    """The value of one setting as its address writes it; None where it does not fit."""
    length = len(read(settings).tokens)
    if name == "weights":
        return text if text in WEIGHTS else None
    if name == "model":
        return text if 0 < len(text) <= MAX_CHARACTERS else None
    if name == "cell":
        cell = cell_at(text)
        return cell if cell and cell_fits(cell, settings) else None
    if name == "edit":
        edit = _edit_at(text)
        return edit if edit and _edit_fits(edit, settings) else None
    if name == "hidden":
        keys = {_whole(part) for part in text.split("-")} if text else set()
        return tuple(key for key in range(length) if key in keys) if keys <= set(range(length)) else None
    number = _whole(text)
    allowed: Mapping[str, Container[int | None]] = {
        "d_model": D_MODELS,
        "num_heads": head_counts(settings.d_model),
        "checkpoint": range(len(CHECKPOINTS)),
        "layer": range(settings.real.num_layers if settings.real else MAX_LAYER),
        "head": range(settings.heads),
        "query": range(max(1, length)),
        "seed": range(MAX_SEED + 1),
    }
    if name in ("causal", "scaled", "positions", "questions"):
        return bool(number) if number in (0, 1) else None
    return number if number in allowed[name] else None


def as_written(value: float) -> float:
    """A number set by hand as an address keeps it: to six digits."""
    return float(_number(value))


def _number(value: float) -> str:
    return f"{value:g}"


def _edit_at(text: str) -> Edit | None:
    place, _, written = text.partition(":")
    cell = cell_at(place)
    try:
        value = float(written) if written.isascii() else math.nan
    except ValueError:
        value = math.nan
    if cell is None or not math.isfinite(value):
        return None
    return Edit(cell.tensor, cell.row, cell.column, cell.head, as_written(value))


def _read_pin(text: str, query: Mapping[str, str], settings: Settings) -> Settings | None:
    """The pinned settings: those of the address, save for what the pin says is different."""
    differs = {} if text == UNCHANGED else dict(parse_qsl(text, keep_blank_values=True))
    if not differs.keys() <= set(COMPARED) or (not differs and text != UNCHANGED):
        return None
    own = {name: query[name] for name in query if name not in _UNPINNED} | differs
    held, bad = from_query(own, settings)
    is_empty = not read(held).tokens
    return None if bad or is_empty else replace(held, **_UNPINNED)


def _whole(text: str) -> int | None:
    """A whole number written in plain digits, None for anything else (signs, spaces, other scripts' digits)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
