"""The settings in the address: all of them, so that a link shows the same page with the same numbers for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from pages.ui.state.resolved import ModelOf, Resolved, fitting_heads, resolve, width_alone
from pages.ui.state.settings import COMPARED, DECLARED, LANGUAGES, Settings, defaults
from pages.ui.state.text import follow
from pages.ui.state.values import Scope

NAMES = (*DECLARED, "pin")
UNCHANGED = "same"  # a pin from which nothing differs yet
_FIRST = ("sentence", "weights", "model", "d_model")  # what bounds the others


def to_query(settings: Settings) -> dict[str, str]:
    """The settings as an address carries them."""
    query = {name: each.value.write(getattr(settings, name)) for name, each in DECLARED.items()}
    if settings.pin is None:
        return query | {"pin": ""}
    held = to_query(settings.pin)
    differs = {name: held[name] for name in COMPARED if held[name] != query[name]}
    return query | {"pin": urlencode(differs) or UNCHANGED}


def from_query(
    query: Mapping[str, str], default: Settings, model_of: ModelOf = lambda _: None
) -> tuple[Resolved, tuple[str, ...]]:
    """What the settings of an address lead to, and the names of those whose values do not fit and fell back.

    model_of: gives the real model that settings name, None where it cannot be had.
    """
    bad = {"lang"} if query.get("lang", "en") not in LANGUAGES else set[str]()
    settings = defaults(DECLARED["lang"].value.take(query["lang"])) if "lang" in query and not bad else default
    sentence = settings.sentence
    settings = _judged(settings, _FIRST, query, None, bad)
    if "num_heads" in query or "d_model" not in query:
        settings = _judged(settings, ("num_heads",), query, None, bad)
    settings = fitting_heads(settings)  # the default number of heads may not divide the width
    here = resolve(settings, model_of(settings))
    if settings.sentence != sentence:
        settings = replace(settings, query=follow("", 0, here.reading.tokens))
    rest = [name for name in DECLARED if name not in ("lang", *_FIRST, "num_heads")]
    settings = _judged(settings, rest, query, here.scope, bad)
    if "pin" in query:
        try:
            settings = replace(settings, pin=_pin(query["pin"], query, settings, model_of))
        except ValueError:
            bad.add("pin")
    return here.again(settings), tuple(name for name in NAMES if name in bad)


def _judged(
    settings: Settings, names: Sequence[str], query: Mapping[str, str], scope: Scope | None, bad: set[str]
) -> Settings:
    """The settings with those values of the address that fit; the names of the others are added to the bad ones.

    scope: None for the settings that bound the others, whose own bounds need no more than d_model.
    """
    for name in names:
        if name in query:
            kind = DECLARED[name].value
            try:
                value = kind.parse(query[name])
            except ValueError:
                bad.add(name)
                continue
            if kind.allows(value, scope or width_alone(settings.d_model)):
                settings = replace(settings, **{name: value})
            else:
                bad.add(name)
    return settings


def _pin(text: str, query: Mapping[str, str], settings: Settings, model_of: ModelOf) -> Settings | None:
    """The pinned settings: those of the address, save for what the pin says is different. ValueError for a bad one."""
    if not text:
        return None
    differs = {} if text == UNCHANGED else dict(parse_qsl(text, keep_blank_values=True))
    if not differs.keys() <= set(COMPARED) or (not differs and text != UNCHANGED):
        raise ValueError(f"{text[:50]!r} does not say what is different")
    there = {name: query[name] for name in ("lang", *COMPARED) if name in query} | differs
    held, bad = from_query(there, settings, model_of)
    if bad or not held.reading.tokens:
        raise ValueError(f"there is nothing to compare with: {', '.join(bad)}")
    return held.settings.held
