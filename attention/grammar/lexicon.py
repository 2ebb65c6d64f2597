"""The words of a language by kind, and how a sentence is read with them: which kind of word each token belongs to.

The lists are plain text, one for each language (en.txt, zh.txt): a heading names the kind, its words follow. A word
may be of several kinds, and a word may be new; then its ending and its neighbours decide. Chinese is written without
spaces, so reading a sentence also finds its words.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

NAME, NEW = "NAME", "NEW"  # kinds of no list: a name, and a noun, that nobody has listed
PART, SUFFIX = "PART", "SUFFIX"  # characters of a Chinese noun before and after the one that others refer to
MARK = "MARK"  # punctuation, emoji, and whatever else is no word
UNLISTED = (NAME, NEW, PART, SUFFIX, MARK)

# Kind → what may stand beside it: kinds of one group stand in the same places.
GROUPS = {
    **dict.fromkeys(("WOMAN", "MAN", "PERSON", "ANIMAL", "THING", "BOX", "PLACE", "IDEA", "STUFF", NEW), "noun"),
    **dict.fromkeys(("PEOPLE", "ANIMALS", "THINGS"), "noun"),
    **dict.fromkeys(("NAME_F", "NAME_M", NAME), "name"),
    **dict.fromkeys(("SPEAKER", "HE", "SHE", "IT", "THEY", "THEY_IT"), "pronoun"),
    **dict.fromkeys(("HIS", "HER", "ITS", "THEIR", "DETERMINER"), "determiner"),
}
_PER_WORD, _PER_OPTION, _UNLISTED = -4.0, -0.2, -6.0  # what a word costs, a later listed kind, and a new word


@dataclass(frozen=True)
class Word:
    """Neighbouring tokens that are one word of a sentence, and its kind."""

    start: int
    stop: int
    kind: str
    is_known: bool = True


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of one language."""

    kinds: Mapping[str, tuple[str, ...]]  # word, case folded → its kinds, the likeliest first
    lists: Mapping[str, tuple[str, ...]]  # kind → its words as they are written; with them VERB's forms: PAST, ING
    fits: Mapping[str, Mapping[str, float]]  # group → how well it stands behind another
    guess: Callable[[str, bool], tuple[str, ...]]  # a new word, and whether it is the first → the kinds it may have
    separator: str  # between the tokens of a word
    longest: int  # in tokens

    def read(self, tokens: Sequence[str], gaps: Sequence[int] | None = None) -> tuple[Word, ...]:
        """The words of a sentence, with their kinds, in reading order.

        gaps: the positions before which there is a space, where that is known; no Chinese word goes over one. Of all
        ways to cut the tokens into listed words, and to choose a kind for each, the one whose neighbours fit best.
        """
        best: list[dict[str, _Way]] = [{"start": _Way(0.0, 0, MARK, True, "")}]  # before each token: group → best way
        best += [{} for _ in tokens]
        for start, token in enumerate(tokens):
            ways = [(before, way.score) for before, way in best[start].items()]
            for stop in range(start + 1, min(start + self._reach(token, gaps is not None), len(tokens)) + 1):
                if gaps and any(start < gap < stop for gap in gaps):
                    break
                apart = gaps is not None and {start, stop} <= {0, len(tokens), *gaps} and stop - start <= 4
                text = self.separator.join(tokens[start:stop])
                for cost, kind, is_known in _options(self, text, start == 0, stop - start == 1 or apart):
                    group, before, most = group_of(kind), "", -math.inf
                    fits = self.fits.get(group, {})
                    for other, score in ways:
                        if (found := score + cost + fits.get(other, 0.0)) > most:
                            before, most = other, found
                    if group not in best[stop] or most > best[stop][group].score:
                        best[stop][group] = _Way(most, start, kind, is_known, before)
        words: list[Word] = []
        if tokens:
            group = max(best[-1], key=lambda last: best[-1][last].score + self.fits["end"].get(last, 0.0))
            stop = len(tokens)
            while stop:
                last = best[stop][group]
                words.append(Word(last.start, stop, last.kind, last.is_known))
                stop, group = last.start, last.before
        return tuple(reversed(words))

    def _reach(self, token: str, spaced: bool) -> int:
        """How many tokens a word that begins with this one can have. spaced: whether spaces say where words end."""
        return self.longest if spaced or is_mark(token) else self._reaches.get(token.casefold()[:1], 1)

    @cached_property
    def _reaches(self) -> dict[str, int]:
        """First character → the length of the longest word that begins with it."""
        reaches: dict[str, int] = {}
        for word in self.kinds if self.longest > 1 else ():
            reaches[word[0]] = max(reaches.get(word[0], 1), len(word))
        return reaches

    def parts(self, tokens: Sequence[str], kind: str) -> tuple[str, ...]:
        """The kind of each token of a word; of a noun or pronoun one token is the head, which the others refer to."""
        if len(tokens) == 1 or group_of(kind) not in ("noun", "name", "pronoun"):
            return (kind,) * len(tokens)
        head = head_of(tokens)
        return (*(PART,) * head, kind, *(SUFFIX,) * (len(tokens) - head - 1))


class _Way(NamedTuple):
    """The best way to read a sentence up to some place: how well it fits, its last word, and the group before that."""

    score: float
    start: int
    kind: str
    is_known: bool
    before: str


@lru_cache(maxsize=50_000)
def _options(words: Lexicon, text: str, first: bool, can_be_new: bool) -> list[tuple[float, str, bool]]:
    """What a text can be, as one word: what each reading costs, the kind, and whether it is listed. In that order."""
    known = words.kinds.get(text.casefold().replace("’", "'"), ())
    if known:
        listed = [(_PER_WORD + _PER_OPTION * i, kind, True) for i, kind in enumerate(known)]
        if not first and text[0].isupper() and group_of(known[0]) != "pronoun":
            listed += _new(words, text, first, _PER_WORD - 1)  # Rose, in the middle of a sentence
        return listed
    if is_mark(text):
        return [(0.0, MARK, True)]
    return _new(words, text, first, _UNLISTED) if can_be_new else []


def _new(words: Lexicon, text: str, first: bool, cost: float) -> list[tuple[float, str, bool]]:
    return [(cost + 4 * _PER_OPTION * i, kind, False) for i, kind in enumerate(words.guess(text, first))]


def kinds_of(language: str, tokens: Sequence[str], gaps: Sequence[int] = ()) -> tuple[str, ...]:
    """The kind of each token of a sentence. gaps: where the writer put spaces, as for unlisted.

    >>> kinds_of("en", ("Anna", "fed", "the", "wug"))
    ('NAME_F', 'VERB', 'DETERMINER', 'NEW')
    """
    found = lexicon(language)
    kinds: list[str] = []
    for word in found.read(tokens, _cuts(language, gaps)):
        kinds += found.parts(tokens[word.start : word.stop], word.kind)
    return tuple(kinds)


def _cuts(language: str, gaps: Sequence[int]) -> Sequence[int] | None:
    """What spaces say of where words end: in English nothing that the tokens do not say, and without any nothing."""
    return gaps if gaps and language == "zh" else None


def kind_of_each(language: str, tokens: Sequence[str], gaps: Sequence[int] = ()) -> dict[str, str]:
    """The different tokens of a sentence, in reading order, each with one kind, as each has one vector.

    A Chinese character that carries a word somewhere has the kind that it has there (爸爸); else its first counts.
    gaps: where the writer put spaces, as for unlisted.
    """
    each: dict[str, str] = {}
    for token, kind in zip(tokens, kinds_of(language, tokens, gaps), strict=True):
        if each.get(token) in (None, PART, SUFFIX):
            each[token] = kind
    return each


def unlisted(language: str, tokens: Sequence[str], gaps: Sequence[int] = ()) -> dict[str, str]:
    """The different tokens of a sentence that are in no list, in reading order, and the kind each is taken for.

    gaps: the positions before which the writer put a space (see attention.tokens.spaces): no Chinese word goes over
    one.

    >>> unlisted("en", ("Anna", "fed", "the", "wug"))
    {'wug': 'NEW'}
    """
    found, new = lexicon(language), dict[str, str]()
    for word in found.read(tokens, _cuts(language, gaps)):
        if not word.is_known:
            own = tokens[word.start : word.stop]
            for token, kind in zip(own, found.parts(own, word.kind), strict=True):
                new.setdefault(token, kind)
    return new


@cache
def group_of(kind: str) -> str:
    """Where words of a kind stand: the group of kinds that it belongs to."""
    return GROUPS.get(kind, kind.lower())


def is_mark(text: str) -> bool:
    """Whether a token is no word: punctuation, a symbol, an emoji.

    >>> is_mark("!"), is_mark("cat"), is_mark("7")
    (True, False, False)
    """
    return not any(char.isalnum() for char in text)


def head_of(tokens: Sequence[str]) -> int:
    """Which character carries a Chinese noun: the last one, suffixes aside (椅子 → 椅); 们 in 他们.

    >>> head_of("孩子们"), head_of("他们"), head_of("图书馆")
    (0, 1, 2)
    """
    if tokens[-1] == "们" and tokens[0] in "他她它我你咱":
        return len(tokens) - 1
    stem = len("".join(tokens).rstrip("子们"))
    return max(0, stem - 1)


@cache
def lexicon(language: str) -> Lexicon:
    """The words of "en" or "zh". ValueError for another language."""
    if language not in ("en", "zh"):
        raise ValueError(f"there is no grammar for {language!r}; there are en, zh")
    text = (Path(__file__).parent / f"{language}.txt").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = {}
    kind = ""
    for line in text.splitlines():
        if heading := re.match(r"\[(\w+)\]", line):
            kind = heading[1]
            lists.setdefault(kind, [])
        elif line and not line.startswith("#"):
            lists[kind] += line.split()
    return _english(lists) if language == "en" else _chinese(lists)


def _known(lists: Mapping[str, Sequence[str]], of: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Word → its kinds, in the order of the headings. of: the kind that a list's words have, where it is another."""
    kinds: dict[str, dict[str, None]] = {}
    for name, words in lists.items():
        for word in words:
            kinds.setdefault(word.casefold(), {})[of.get(name, name)] = None
    return {word: tuple(found) for word, found in kinds.items()}


def _table(text: str) -> dict[str, dict[str, float]]:
    """Lines of a group, a colon, and the groups that may follow, each with its weight, as Lexicon.fits has them."""
    table: dict[str, dict[str, float]] = {}
    for line in text.strip().splitlines():
        before, after = line.split(":")
        for part in after.split():
            group, weight = part.split("=")
            table.setdefault(group, {})[before.strip()] = float(weight)
    return table


# English.

_ENGLISH_NEIGHBOURS = """
start: determiner=3 pronoun=3 name=3 noun=1 verb=1.2 aux=2 preposition=2 to=2 adverb=2 conjunction=2 who=3 ask=3
start: there=3
start: degree=.5
determiner: noun=3.2 adjective=3 degree=.5 determiner=.8 name=.5 adverb=-1 verb=-2 end=-1 preposition=-1 to=-1
degree: adjective=4 adverb=3 determiner=1 noun=-2 verb=-2
adjective: noun=3 adjective=2 end=2 mark=2 conjunction=2 preposition=1.5 to=1.5 name=.5 verb=-1
noun: verb=3 aux=3 preposition=2.5 to=2.5 conjunction=2.5 relative=2.5 end=2.5 mark=2.5 adverb=1.5 noun=.4
noun: determiner=.5
noun: pronoun=1 adjective=-.5
name: verb=3 aux=3 preposition=2 to=2 conjunction=2 relative=1.5 end=2 mark=2.5 adverb=1.5 determiner=.8 name=1.5
name: noun=-1
pronoun: verb=3 aux=3 end=2 mark=2 adverb=1.5 preposition=2 to=2 conjunction=2 determiner=1 noun=-1 adjective=.5
pronoun: pronoun=.5
verb: determiner=3 preposition=2.6 to=2.6 pronoun=3 name=2.5 adverb=2 adjective=1 noun=1.5 end=2 mark=2
verb: conjunction=2
verb: degree=1 verb=-.5 who=1
aux: verb=3 adjective=2.8 degree=2 determiner=2.8 pronoun=2.8 adverb=2 aux=1 name=2 preposition=1.5 to=1.5 noun=.5
aux: end=1
aux: mark=1
to: verb=3.2 determiner=3 name=3 pronoun=3 noun=1.5 adjective=1 adverb=.5 end=.5 mark=.5
preposition: determiner=3 noun=2 name=3 pronoun=3 adjective=1.5 verb=1.6 who=1 conjunction=-2 end=-.5 mark=-.5
adverb: verb=2 adjective=1 end=2.5 mark=2.5 preposition=1.5 to=1.5 conjunction=1.5 pronoun=1 determiner=1 adverb=1
adverb: noun=-1
adverb: aux=1 degree=.5
conjunction: pronoun=3 determiner=3 name=3 noun=1.5 verb=1 adjective=1 adverb=1 aux=-1 there=2 who=1 ask=1
relative: verb=2.5 aux=2.5 pronoun=2.5 name=2 determiner=2 noun=1
who: aux=3 verb=3 pronoun=1 determiner=1 name=1
ask: aux=3 determiner=1 pronoun=1
there: aux=3 verb=1
mark: pronoun=3 determiner=3 name=3 conjunction=2 adverb=1 noun=1.5 verb=1 end=1 mark=.5 adjective=1 preposition=1
mark: to=1
mark: aux=1 who=1 ask=1 relative=.5
"""
_ENDINGS = (
    (r".*ly", ("ADVERB", "ADJECTIVE")),
    (r".*(ness|tion|sion|ment|ity|ship|ism|ance|ence|dom|hood)", ("IDEA",)),
    (r".*(ing)", ("VERB", NEW, "ADJECTIVE")),
    (r".*[^e]ed", ("VERB", "ADJECTIVE")),
    (r".*(ful|ous|ive|able|ible|less|ish|ical|ic|est)", ("ADJECTIVE", NEW)),
    (r".*(er|or|ist|ian|man|woman)", ("PERSON", NEW, "VERB", "ADJECTIVE")),
    (r".*(ers|ors|ists|ians|men|women)", ("PEOPLE", "THINGS", "VERB")),
    (r".*[^s]s", ("THINGS", "VERB", NEW)),
    (r".*[a-z]y", ("ADJECTIVE", NEW, "VERB")),
    (r"\d.*", ("DETERMINER", NEW)),
    (r".*", (NEW, "ADJECTIVE", "VERB")),
)


def _guess_english(text: str, first: bool) -> tuple[str, ...]:
    if text[0].isupper() and not (first and len(text) == 1):
        owner = text.removesuffix("'s").removesuffix("’s")
        return (NAME,) if not first else (NAME, *_guess_english(owner.lower(), first=False))
    word = text.lower().removesuffix("'s").removesuffix("’s")
    return next(kinds for pattern, kinds in _ENDINGS if re.fullmatch(pattern, word))


_PLURALS = {"WOMAN": "PEOPLE", "MAN": "PEOPLE", "PERSON": "PEOPLE", "ANIMAL": "ANIMALS"} | dict.fromkeys(
    ("THING", "BOX", "PLACE", "IDEA"), "THINGS"
)


def _english(written: Mapping[str, Sequence[str]]) -> Lexicon:
    lists: dict[str, list[str]] = {}
    for kind, words in written.items():
        for entry in words:
            first, *others = entry.split("/")
            if kind == "VERB":
                for name, form in _verb_forms(first, others):
                    lists.setdefault(name, []).append(form)
            else:
                lists.setdefault("THINGS" if kind == "PLURAL" else kind, []).append(first)
            if kind in _PLURALS:
                lists.setdefault(_PLURALS[kind], []).append(others[0] if others else _plural(first))
    lists["PEOPLE"] = ["people", *lists["PEOPLE"]]
    lists["THINGS"].remove("people")
    kinds = _known(lists, dict.fromkeys(("THIRD", "PAST", "PARTICIPLE", "ING"), "VERB"))
    for word, found in list(kinds.items()):  # the dog's tail: it stands for the dog
        if group_of(found[0]) in ("noun", "name"):
            kinds.setdefault(f"{word}'s", found[:1])
    frozen = {name: tuple(dict.fromkeys(words)) for name, words in lists.items()}
    return Lexicon(kinds, frozen, _table(_ENGLISH_NEIGHBOURS), _guess_english, " ", 1)


def _plural(noun: str) -> str:
    """The regular plural: box → boxes, baby → babies, day → days."""
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    return re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"


def _verb_forms(plain: str, irregular: Sequence[str]) -> list[tuple[str, str]]:
    """(list, form): plain, with he or she, past, participle, with -ing."""
    doubled = plain + plain[-1] if re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", plain) else plain
    stem = re.sub(r"(?<=[^e])e$", "", doubled)
    regular = plain + "d" if plain.endswith("e") else re.sub(r"(?<=[^aeiou])y$", "i", doubled) + "ed"
    past = irregular[0] if irregular else regular
    participle = irregular[-1] if irregular else regular
    ing = re.sub(r"ie$", "y", plain) + "ing" if plain.endswith("ie") else stem + "ing"
    third = {"have": "has", "go": "goes", "do": "does"}.get(plain, _plural(plain))
    return [("VERB", plain), ("THIRD", third), ("PAST", past), ("PARTICIPLE", participle), ("ING", ing)]


# Chinese.

_CHINESE_NEIGHBOURS = """
start: pronoun=2 noun=2 determiner=2 time=2 preposition=2 conjunction=2 verb=1 adjective=.5 modal=1 ask=1
determiner: measure=3 noun=1.5 adjective=1 determiner=1 verb=-2
measure: noun=3 adjective=2 measure=-1 verb=-1
adjective: de=2.5 noun=.8 end=2 mark=2 particle=1.5 adjective=.5 measure=-1
de: noun=3 adjective=1.5 end=.5 mark=.5 determiner=.5 verb=-1
noun: verb=2 modal=2 degree=2 preposition=2 end=2 de=2 adjective=1 noun=.3 conjunction=1.5 mark=2 particle=1
noun: determiner=.5 time=1 ask=1 pronoun=.3
pronoun: verb=2.2 modal=2.2 degree=2 preposition=2 end=1.5 de=2.5 adjective=1 noun=.8 conjunction=1 mark=1.5
pronoun: particle=.5 determiner=.8 time=1.2 ask=1.5
verb: noun=2 pronoun=2 particle=2.5 determiner=2.2 end=1.5 mark=1.5 adjective=.3 verb=.2 preposition=.8 de=1
verb: conjunction=.5 measure=-1 time=.5 ask=1
modal: verb=3 modal=1 preposition=2 adjective=1 degree=1 noun=-1 pronoun=-.5
degree: adjective=4 verb=2 noun=-1 modal=.5
preposition: noun=2.5 pronoun=2.2 verb=1.2 determiner=2 end=.3 mark=1 adjective=.3 modal=.8 degree=.5 time=1 de=.8
particle: noun=1.5 determiner=2.2 end=2.5 mark=2.5 pronoun=1.2 verb=.8 degree=.5 adjective=.5 particle=.5 measure=-1
conjunction: pronoun=2.5 noun=2.5 determiner=2 time=1.5 verb=1 adjective=1 modal=.8 degree=.8
time: pronoun=2 noun=1.8 verb=1 modal=1 mark=1.5 preposition=1 degree=.8 determiner=1 time=.5 de=1.5
ask: pronoun=1 verb=1.5 modal=1 end=2 mark=2 noun=.5 adjective=.5 conjunction=.3
mark: pronoun=2.5 noun=2.2 conjunction=2 determiner=2 time=1.5 verb=1 modal=1 adjective=.8 end=1 preposition=1.5
mark: degree=.5
"""


def _guess_chinese(text: str, first: bool) -> tuple[str, ...]:
    if text[0].isdigit():
        return ("DETERMINER", NEW)
    return (NEW, "VERB", "ADJECTIVE") if "\u4e00" <= text[0] <= "\u9fff" else (NEW,)


def _chinese(lists: Mapping[str, Sequence[str]]) -> Lexicon:
    kinds = _known(lists, {})
    frozen = {name: tuple(words) for name, words in lists.items()}
    longest = max(len(word) for words in lists.values() for word in words)
    return Lexicon(kinds, frozen, _table(_CHINESE_NEIGHBOURS), _guess_chinese, "", longest)
