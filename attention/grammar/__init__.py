"""Sentences of a small language that know what each of their words refers to: what attention.learn learns from."""

from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from random import Random
from threading import Lock

from attention.grammar.chinese import CHINESE
from attention.grammar.english import ENGLISH
from attention.grammar.shapes import Example, draw

__all__ = ["LANGUAGES", "RELATIONS", "Example", "examples"]

GRAMMARS = {"en": ENGLISH, "zh": CHINESE}
LANGUAGES = tuple(GRAMMARS)

# Relation → what it takes. "one head": which token is meant follows from the two tokens and their positions alone, all
# that the score of a query and a key can know. "meanings": it depends on which adjective follows (too tired, too wide;
# too big, too small). To the layers of attention.learn these are all of one kind, and what a word has of its own is
# drawn anew for every sentence: nothing that they learn tells one from the other, with however many heads or layers.
# "two layers": "the red one" is the noun that stood after "red" before, and what a key stood next to only a layer below
# can tell it.
RELATIONS = {
    "itself": "one head",
    "part": "one head",
    "determiner": "one head",
    "adjective": "one head",
    "verb": "one head",
    "degree": "one head",
    "predicate": "one head",
    "pronoun": "one head",
    "meaning": "meanings",
    "role": "meanings",
    "same": "two layers",
}


def examples(language: str, count: int, *, held_out: bool = False) -> tuple[Example, ...]:
    """The first sentences of an endless list, always the same ones: no two alike, and as tokenize cuts them.

    An eighth of all pairs of words that a sentence can begin with (two nouns, or a noun and its verb) is held out:
    sentences with such a pair, and no others, are in the held-out list, so that what is learned from the one list can
    be tested with the other. ValueError for a language without a grammar.

    >>> examples("en", 1)[0].sentence
    'the boy helped Peter in every empty museum'
    """
    if language not in GRAMMARS:
        raise ValueError(f"there is no grammar for {language!r}; there are {', '.join(LANGUAGES)}")
    return _drawn(language, held_out).first(count)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The sentences drawn so far: who asks for more has only the rest drawn."""

    language: str
    held_out: bool
    rng: Random
    found: dict[str, Example] = field(default_factory=dict)
    drawing: Lock = field(default_factory=Lock)

    def first(self, count: int) -> tuple[Example, ...]:
        with self.drawing:
            while len(self.found) < count:
                example, is_held_out = draw(GRAMMARS[self.language], self.rng)
                if is_held_out == self.held_out:
                    self.found.setdefault(example.sentence, example)
            return tuple(islice(self.found.values(), count))


@cache
def _drawn(language: str, held_out: bool) -> _Drawn:
    return _Drawn(language, held_out, Random(f"{language} {held_out}"))
