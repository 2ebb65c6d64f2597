"""Terms of the glossary in running text: where one is first used, it becomes a link that says what it means."""

import re
from functools import cache

from pages.ui.words.prose import sections

GLOSSARY = "glossary"
# What is no running text: code, formulas, links, headings, tags.
_APART = r"```.*?```|(?<!`)(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)|\$\$.*?\$\$|\$[^$\n]+\$"
_APART += r"|\[[^\]\n]*\]\([^)\n]*\)|^#[^\n]*|<[^>]+>"


def linked(text: str, lang: str, known: set[str]) -> str:
    """The Markdown with a link at each term's first use; what is in known was used before, and grows.

    A term at the edge of something bold is left alone, unless it is all that is bold: the two would not end together.

    >>> linked("A **query** and another query.", "en", set())[:29]
    'A [**query**](/glossary?lang='
    """
    names, pattern = _pattern(lang)

    def link(match: re.Match[str]) -> str:
        name = names.get((match["bold"] or match["term"] or "").lower())
        if not name or name in known:
            return match[0]
        known.add(name)
        return f'[{match[0]}](/{GLOSSARY}?lang={lang}#{name} "{meaning(name, lang)}")'

    return pattern.sub(link, text)


def meaning(name: str, lang: str) -> str:
    """What a term means, for a place where nothing is interpreted."""
    text = sections(GLOSSARY, lang)[f"is_{name}"].replace("<sub>", "_")
    return re.sub(r"<[^>]+>", "", text).replace('"', "”")


@cache
def _pattern(lang: str) -> tuple[dict[str, str], re.Pattern[str]]:
    """Every spelling in lower case with its term's name, "" where it only looks like one; and what finds them."""
    found = sections(GLOSSARY, lang)
    names = {word.lower(): key.removeprefix("term_") for key, word in found.items() if key.startswith("term_")}
    for line in found["also"].splitlines():
        name, words = line.split(": ")
        names |= dict.fromkeys(words.split(" | "), name)
    names |= dict.fromkeys(found["unlike"].split(" | "), "")
    edge = ""  # Chinese words have none
    if lang == "en":
        edge, names = r"\b", names | {f"{word}s": name for word, name in names.items()}
    spelt = "|".join(re.escape(word) for word in sorted(names, key=len, reverse=True))
    term = rf"\*\*(?P<bold>{spelt})\*\*|(?<!\*)(?P<term>{edge}(?:{spelt}){edge})(?!\*)"
    return names, re.compile(f"{_APART}|{term}", re.DOTALL | re.MULTILINE | re.IGNORECASE)
