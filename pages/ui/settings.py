"""The settings in force: what the sidebar chooses, what the address carries, and what fits together."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from attention import AttentionConfig, tokenize

D_MODELS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
MAX_HEADS = 16
MAX_CHARACTERS = 200
MAX_TOKENS = 64
MAX_SEED = 999_999
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Example:
    """A sentence to start from, and the token whose row is worth following first."""

    sentence: str
    query: int


EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "en": (
        Example("the animal did not cross the street because it was too tired", 8),
        Example("the animal did not cross the street because it was too wide", 8),
        Example("the dog saw the cat", 3),
        Example("she poured water from the jug into the cup until it was full", 10),
        Example("time flies like an arrow, fruit flies like a banana", 7),
    ),
    "zh": (
        Example("那只动物没有过马路，因为它太累了", 12),
        Example("我 喜欢 猫 因为 猫 很 可爱", 6),
        Example("他把书还给她，因为她要用", 7),
        Example("我看见那个人拿着望远镜", 1),
    ),
}


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a page shows. Equal settings show equal pages."""

    lang: str = "en"
    sentence: str = EXAMPLES["en"][0].sentence
    d_model: int = 8
    num_heads: int = 2
    head: int = 0
    query: int = EXAMPLES["en"][0].query
    causal: bool = False
    scaled: bool = True
    positions: bool = True
    hidden: tuple[int, ...] = ()
    seed: int = 0

    @property
    def config(self) -> AttentionConfig:
        """What the core needs to know of them."""
        return AttentionConfig(self.d_model, self.num_heads, self.causal, self.scaled, self.positions, self.seed)


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


def to_query(settings: Settings) -> dict[str, str]:
    """The settings as an address carries them: all of them, so that a link shows the same numbers for ever."""
    return {field.name: _write(getattr(settings, field.name)) for field in fields(settings)}


def from_query(query: Mapping[str, str], default: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings of an address, and the names of those whose values do not fit and fell back to the default."""
    lang = query.get("lang", default.lang)
    settings = defaults(lang) if lang in LANGUAGES and "lang" in query else default
    bad = [] if lang in LANGUAGES else ["lang"]
    if "sentence" in query:
        settings = replace(settings, sentence=query["sentence"][:MAX_CHARACTERS])
        length = len(fit_sentence(settings.sentence).tokens)
        settings = replace(settings, query=min(settings.query, max(0, length - 1)))
    if "d_model" in query and "num_heads" not in query:  # the default number of heads may not divide it
        number = _whole(query["d_model"])
        if number in D_MODELS:
            settings = replace(settings, num_heads=nearest_head_count(number, settings.num_heads))
    for field in fields(settings):
        if field.name in ("lang", "sentence") or field.name not in query:
            continue
        value = _read(field.name, query[field.name], settings)
        if value is None:
            bad.append(field.name)
        else:
            settings = replace(settings, **{field.name: value})
    return fit(settings), tuple(bad)


def fit(settings: Settings) -> Settings:
    """The nearest settings that fit together: heads that divide d_model, rows that the sentence has."""
    length = len(fit_sentence(settings.sentence).tokens)
    num_heads = nearest_head_count(settings.d_model, settings.num_heads)
    return replace(
        settings,
        num_heads=num_heads,
        head=min(settings.head, num_heads - 1),
        query=min(settings.query, max(0, length - 1)),
        hidden=tuple(key for key in settings.hidden if key < length),
    )


def _write(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(name: str, text: str, settings: Settings) -> Any:
    """The value of one setting as its address writes it; None where it does not fit."""
    length = len(fit_sentence(settings.sentence).tokens)
    if name == "hidden":
        keys = {_whole(part) for part in text.split("-")} if text else set()
        return tuple(key for key in range(length) if key in keys) if keys <= set(range(length)) else None
    number = _whole(text)
    allowed: Mapping[str, Container[int | None]] = {
        "d_model": D_MODELS,
        "num_heads": head_counts(settings.d_model),
        "head": range(settings.num_heads),
        "query": range(max(1, length)),
        "seed": range(MAX_SEED + 1),
    }
    if name in ("causal", "scaled", "positions"):
        return bool(number) if number in (0, 1) else None
    return number if number in allowed[name] else None


def _whole(text: str) -> int | None:
    """A whole number written in plain digits, None for anything else (signs, spaces, other scripts' digits)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
