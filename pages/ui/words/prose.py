"""The words of a page: en.md and zh.md beside it, cut into named sections, with facts filled in.

A section starts with a line `## name`; the title is the line `# …`. `[[fact]]` is a place for a computed fact. The
words that all pages share, "ui", lie beside this file.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pages.ui.words.numbers import written

SHARED = "ui"
_HERE = Path(__file__).parent
_FACT = re.compile(r"\[\[(\w+)\]\]")


@cache
def sections(page: str, lang: str) -> Mapping[str, str]:
    """Every section of a page's text by its name, the title under "title"."""
    folder = _HERE if page == SHARED else _HERE.parents[1] / page
    text = (folder / f"{lang}.md").read_text(encoding="utf-8")
    title, *parts = re.split(r"^## +", text, flags=re.MULTILINE)
    named = {"title": title.removeprefix("# ").strip()}
    for part in parts:
        name, _, body = part.partition("\n")
        named[name.strip()] = body.strip()
    return named


def section(page: str, lang: str, name: str, weights: str) -> str:
    """A section of a page's text; the one for these weights, where there is such a one."""
    found = sections(page, lang)
    return found.get(f"{name}_{weights}") or found[name]


def shared(lang: str, name: str, also: Mapping[str, object] | None = None, /, **facts: object) -> str:
    """A section of the words that all pages share, its facts filled in."""
    return fill(sections(SHARED, lang)[name], facts, also or {})


def of_weights(kind: str, lang: str) -> Mapping[str, str]:
    """Facts that every text may use: what a pattern means, and what a parameter is, for that kind of weights."""
    text = sections(SHARED, lang)
    return {name: text[f"{name}_{kind}"] for name in ("caution", "parameter")}


def facts_in(text: str) -> frozenset[str]:
    """The names of the facts that a text has places for."""
    return frozenset(_FACT.findall(text))


def fill(text: str, facts: Mapping[str, object], also: Mapping[str, object] | None = None) -> str:
    """Put facts into their places. also: facts that a text may use or not.

    KeyError where a fact is missing, or one of the first has no place: then text and page disagree.
    """
    if not facts and "[[" not in text:  # most labels
        return text
    places, known = facts_in(text), {**(also or {}), **facts}
    if unused := facts.keys() - places:
        raise KeyError(f"no place for {', '.join(sorted(unused))} in {text[:60]!r}")
    if missing := places - known.keys():
        raise KeyError(f"no fact for {', '.join(sorted(missing))} in {text[:60]!r}")
    return _FACT.sub(lambda match: written(known[match[1]]), text)


def code(text: str) -> str:
    """User text for Markdown, shown exactly as it is and never interpreted: a code span that it cannot close.

    >>> code("a`b")
    '`` a`b ``'
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"
