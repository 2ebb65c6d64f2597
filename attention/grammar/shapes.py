"""How a sentence shape is read, and drawn from: the same for every language.

A shape is slots with spaces between them, and a slot is read like this:

    WOMAN|MAN=a      a noun phrase of one of these classes, whose noun is called a from here on
    FOUND>a          a word of this list; it refers to a
    -THING=b         the noun alone
    PRON=p>abc       a pronoun called p that refers to a, b or c (whichever is drawn) and fits that noun's class
    ADJ(p)=x>p       an adjective that fits the noun that p stands for; it is called x and refers to p
    it=p>b:meaning   the relation's own name, where it is not the usual one of this kind of word
    it=p>a:pronoun   this very pronoun, even where another noun would fit as well
    @x>a             the word called x once more
    because          this word, referring to itself
"""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

_HEADED = ("noun", "pronoun")  # the parts of these words refer to their head
_SLOT = re.compile(r"(?P<kinds>[^=>(:]+)(\((?P<fits>\w)\))?(=(?P<name>\w))?(>(?P<targets>\w+))?(:(?P<relation>\w+))?")


@dataclass(frozen=True)
class Example:
    """A sentence, and for each of its tokens which token it refers to (by position) and by which relation."""

    sentence: str
    tokens: tuple[str, ...]
    referents: tuple[int, ...]
    relations: tuple[str, ...]
    objects: tuple[int, ...]  # for a verb that does something to somebody or something: to whom; else the same token


@dataclass(frozen=True)
class Word:
    """A word, its relation to the word named target, and the name that others refer to it by.

    kind: the list that it was drawn from, where it was drawn from one.
    """

    text: str
    relation: str = "itself"
    target: str = ""
    name: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Grammar:
    """The words and rules of one language."""

    lists: Mapping[str, tuple[str, ...]]  # kind → its words; what is not in here stands for itself
    fits: Mapping[str, tuple[str, ...]]  # noun class → adjectives that go with it
    agreeing: Mapping[str, Mapping[str, tuple[str, ...]]]  # kind → noun class → the words that agree with it
    relations: Mapping[str, str]  # kind → relation, where it is not "verb"
    before: Callable[[str, str, tuple[str, ...], Random], list[Word]]  # name, noun, its adjectives → what stands before
    parts: Callable[[str], tuple[tuple[str, ...], int]]  # word → its tokens, and which of them is the head
    join: Callable[[tuple[str, ...]], str]
    stop: str  # the mark at the end of every other sentence
    acting: frozenset[str]  # kinds of verbs that have an object
    acted_on: frozenset[str]  # kinds of pronouns that are objects, where they stand after such a verb
    shapes: tuple[str, ...]


@dataclass
class _Draft:
    """A sentence while it is drawn."""

    words: list[Word] = field(default_factory=list)
    nouns: dict[str, str] = field(default_factory=dict)  # name → the noun
    classes: dict[str, str] = field(default_factory=dict)  # name of a noun or pronoun → the noun's class
    pronouns: list[tuple[str, str]] = field(default_factory=list)  # kind and target; each fits one noun only


def split_all(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Cut every text of a table into its words."""
    return {name: tuple(words.split()) for name, words in table.items()}


def pick(options: Sequence[str], rng: Random) -> str:
    """One of the options, each as likely."""
    return options[int(rng.random() * len(options))]


def draw(grammar: Grammar, rng: Random) -> tuple[Example, bool]:
    """A sentence, and whether it is held out: the pair of its first two nouns (or noun and verb) decides."""
    while True:
        draft = _Draft()
        for slot in pick(grammar.shapes, rng).split():
            _fill(grammar, slot, draft, rng)
        if _is_clear(grammar, draft):
            draft.words += [Word(grammar.stop)] if rng.random() < 0.5 else []
            verbs = [word.text for word in draft.words if word.relation == "verb"]
            pair = [*draft.nouns.values(), *verbs][:2]
            return _example(grammar, draft.words), zlib.crc32(" ".join(pair).encode()) % 8 == 0


def _fill(grammar: Grammar, slot: str, draft: _Draft, rng: Random) -> None:
    """Draw the words of one slot."""
    found = _parse(slot)
    kind, name = pick(found["kinds"].split("|"), rng), found["name"]
    target = pick(found["targets"], rng) if found["targets"] else ""
    if kind.removeprefix("-") in grammar.fits:
        _fill_phrase(grammar, kind, name, draft, rng)
        return
    usual = grammar.relations.get(kind[0] if kind[0] == "@" else kind, "verb") if target else "itself"
    relation = found["relation"] or usual
    if relation == "pronoun" and kind in grammar.agreeing:
        draft.pronouns.append((kind, target))
    if name and target in draft.classes:
        draft.classes[name] = draft.classes[target]
    text = pick(_options(grammar, kind, target, found["fits"], draft), rng)
    draft.words.append(Word(text, relation, target, name, kind))


@cache
def _parse(slot: str) -> dict[str, str]:
    found = _SLOT.fullmatch(slot)
    if found is None:
        raise ValueError(f"{slot!r} is no slot of a sentence shape")
    return found.groupdict("")


def _fill_phrase(grammar: Grammar, kind: str, name: str, draft: _Draft, rng: Random) -> None:
    """Draw a noun, and what stands before it."""
    noun_class = kind.removeprefix("-")
    noun = pick(grammar.lists[noun_class], rng)
    draft.nouns[name], draft.classes[name] = noun, noun_class
    alone = kind != noun_class
    phrase = [] if alone else grammar.before(name, noun, grammar.fits[noun_class], rng)
    draft.words += [*phrase, Word(noun, "noun", name=name)]


def _options(grammar: Grammar, kind: str, target: str, fits: str, draft: _Draft) -> Sequence[str]:
    """The words that a slot may be filled with: never one of a list that stands in the sentence already."""
    if kind in grammar.agreeing:
        return grammar.agreeing[kind][draft.classes[target]]
    if kind.startswith("@"):
        return [word.text for word in draft.words if word.name == kind[1:]]
    if not fits and kind not in grammar.lists:
        return [kind]
    said = {word.text for word in draft.words}
    options = grammar.fits[draft.classes[fits]] if fits else grammar.lists[kind]
    return [word for word in options if word not in said]


def _is_clear(grammar: Grammar, draft: _Draft) -> bool:
    """No two nouns alike, and a pronoun fits one noun only."""
    heads = [tokens[head] for tokens, head in map(grammar.parts, draft.nouns.values())]
    for kind, target in draft.pronouns:
        agreeing = grammar.agreeing[kind]
        if sum(agreeing[draft.classes[noun]] == agreeing[draft.classes[target]] for noun in draft.nouns) > 1:
            return False
    return len(set(heads)) == len(heads)


def _example(grammar: Grammar, words: list[Word]) -> Example:
    """Cut the words into tokens; those of a noun or pronoun refer to its head, those of another word as it does."""
    cut = [grammar.parts(word.text) for word in words]
    starts = [sum(len(tokens) for tokens, _ in cut[:i]) for i in range(len(cut))]
    places = {word.name: start + head for word, start, (_, head) in zip(words, starts, cut, strict=True) if word.name}
    tokens: list[str] = []
    referents: list[int] = []
    relations: list[str] = []
    objects: list[int] = []
    for number, (word, start, (parts, head)) in enumerate(zip(words, starts, cut, strict=True)):
        other = _object(grammar, words, number)
        for i, part in enumerate(parts):
            is_meant = word.relation in _HEADED or (word.name and not word.target)  # others refer to it
            is_part = is_meant and i != head
            relation = "part" if is_part else "itself" if word.relation == "noun" else word.relation
            tokens.append(part)
            relations.append(relation)
            referents.append(start + head if is_part else places[word.target] if word.target else start + i)
            objects.append(start + i if other is None else starts[other] + cut[other][1])
    found = tuple(tokens)
    return Example(grammar.join(found), found, tuple(referents), tuple(relations), tuple(objects))


def _object(grammar: Grammar, words: Sequence[Word], verb: int) -> int | None:
    """Which word says to whom or what a verb does something: the next noun or object pronoun, before any other verb.

    None where there is none.
    """
    if words[verb].kind not in grammar.acting:
        return None
    for i in range(verb + 1, len(words)):
        if words[i].relation == "noun" or words[i].kind in grammar.acted_on:
            return i
        if words[i].relation == "verb":
            return None
    return None
