"""The words of a page: en.md and zh.md beside it, cut into named sections, with facts filled in.

A section starts with a line `## name`; the title is the line `# …`. `[[fact]]` is a place for a computed fact.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PAGES_FOLDER = Path(__file__).parents[1]
_FACT = re.compile(r"\[\[(\w+)\]\]")


@cache
def sections(page: str, lang: str) -> Mapping[str, str]:
    """Every section of a page's text by its name, the title under "title"."""
    text = (PAGES_FOLDER / page / f"{lang}.md").read_text(encoding="utf-8")
    title, *parts = re.split(r"^## +", text, flags=re.MULTILINE)
    named = {"title": title.removeprefix("# ").strip()}
    for part in parts:
        name, _, body = part.partition("\n")
        named[name.strip()] = body.strip()
    return named


def of_weights(kind: str, lang: str) -> Mapping[str, str]:
    """Facts that every text may use: what a pattern means, and what a parameter is, for that kind of weights."""
    text = sections("ui", lang)
    return {name: text[f"{name}_{kind}"] for name in ("caution", "parameter")}


def facts_in(text: str) -> frozenset[str]:
    """The names of the facts that a text has places for."""
    return frozenset(_FACT.findall(text))


def fill(text: str, facts: Mapping[str, object]) -> str:
    """Put facts into their places. KeyError where a fact is missing."""
    return _FACT.sub(lambda match: written(facts[match[1]]), text)


def written(fact: object) -> str:
    """A fact as the reader sees it: floats with two decimals (more where they are small), a true minus sign."""
    if isinstance(fact, float):
        return number(fact)
    return str(fact).replace("-", "−") if isinstance(fact, int) else str(fact)


def number(value: float) -> str:
    """A number for reading.

    >>> number(-1.234), number(0.000031), number(0.0)
    ('−1.23', '3.1e−5', '0.00')
    """
    value += 0.0  # no sign for a zero
    if value and abs(value) < 0.005:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{value:.2f}".replace("-", "−")


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
