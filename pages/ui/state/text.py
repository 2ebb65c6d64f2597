"""A typed text cut to what the pages can show, and the word that is followed in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attention.tokens import tokenize_with_spaces
from pages.ui.state.examples import PRONOUNS
from pages.ui.state.settings import MAX_CHARACTERS, MAX_TOKENS


@dataclass(frozen=True)
class Reading:
    """A sentence as the layer in force reads it, and how much of it was left out."""

    sentence: str
    tokens: tuple[str, ...]
    vocab_size: int  # how many different tokens
    tokens_left_out: int = 0
    gaps: tuple[int, ...] = ()  # the positions of the tokens before which there is a space


def read(text: str) -> Reading:
    """Keep the first 200 characters, and of those the first 64 tokens."""
    kept = text[:MAX_CHARACTERS]
    tokens, gaps = tokenize_with_spaces(kept)
    if len(tokens) > MAX_TOKENS:
        rest, tokens = len(tokens) - MAX_TOKENS, tokens[:MAX_TOKENS]
        gaps = tuple(gap for gap in gaps if gap < MAX_TOKENS)
        return Reading(" ".join(tokens), tokens, len(set(tokens)), rest, gaps)
    return Reading(kept, tokens, len(set(tokens)), gaps=gaps)


def swapped(reading: Reading, first: int, second: int) -> Reading:
    """The same with two tokens in each other's places; the spaces stay where they are."""
    tokens = list(reading.tokens)
    tokens[first], tokens[second] = tokens[second], tokens[first]
    return replace(reading, sentence=" ".join(tokens), tokens=tuple(tokens))


def follow(word: str, place: int, tokens: Sequence[str]) -> int:
    """Where a followed word stands now: nearest to its old place; where it is gone a pronoun, else the last word.

    >>> follow("it", 3, ("the", "dog", "saw", "the", "cat", "and", "it", "ran"))
    6
    >>> follow("queen", 2, ("the", "cat", "said", "it", "slept", ".")), follow("queen", 2, ("the", "cat", "slept", "."))
    (3, 2)
    """
    here = [i for i, token in enumerate(tokens) if token.casefold() == word.casefold()]
    if here:
        return min(here, key=lambda i: (abs(i - place), i))
    pronouns = [i for i, token in enumerate(tokens) if token.casefold() in PRONOUNS]
    words = [i for i, token in enumerate(tokens) if any(map(str.isalnum, token))]
    return next(reversed(pronouns or words or [max(0, len(tokens) - 1)]))
