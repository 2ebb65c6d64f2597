"""Sentences to start from."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A sentence to start from, and the token whose row is worth following first.

    apart: the one in whose row heads that learned look at different words: a verb between its subject and its object.
    """

    sentence: str
    query: int
    apart: int | None = None


EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "en": (
        Example("the old king saw the princess and she smiled", 7, 3),
        Example("the old king saw the princess and he smiled", 7, 3),
        Example("the brave queen found the book near the man because it seemed small", 10),
        Example("Anna lost her ring in the quiet garden", 2, 1),
        Example("the animal did not cross the street because it was too tired", 8),
        Example("the animal did not cross the street because it was too wide", 8),
        Example("Anna found the red hat and the blue cup but lost the red one", 13),
    ),
    "zh": (
        Example("那位勇敢的国王拜访了那位公主，然后她笑了", 17, 7),
        Example("那位勇敢的国王拜访了那位公主，然后他笑了", 17, 7),
        Example("学生们喂了那只小狗，然后他们睡着了", 13),
        Example("小芳在那个花园里弄丢了她的帽子", 11),
        Example("那只动物没有过马路，因为它太累了", 12),
        Example("那只动物没有过马路，因为它太宽了", 12),
        Example("我 喜欢 猫 因为 猫 很 可爱", 6),
    ),
}
SMALLEST: Mapping[str, str] = {"en": "dog sees cat", "zh": "狗看猫"}  # for small numbers
# What to follow where the word that was followed is gone: it is the pronoun whose antecedent one wonders about.
PRONOUNS = frozenset(["it", "he", "she", "they", "him", "her", "them", "its", "his", "their", "它", "他", "她"])


def examples(lang: str) -> tuple[Example, ...]:
    """All example sentences, those in the reader's language first."""
    return EXAMPLES[lang] + tuple(example for other in EXAMPLES if other != lang for example in EXAMPLES[other])


def example_of(sentence: str) -> Example | None:
    """The example with that sentence; None for one that a reader typed."""
    return next((example for own in EXAMPLES.values() for example in own if example.sentence == sentence), None)


def in_language(sentence: str, lang: str) -> Example | None:
    """What a change of language puts in the place of an example; None for a sentence that a reader typed."""
    for own in EXAMPLES.values():
        for number, example in enumerate(own):
            if example.sentence == sentence:
                return EXAMPLES[lang][min(number, len(EXAMPLES[lang]) - 1)]
    return None
