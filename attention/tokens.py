"""A sentence becomes tokens: words and punctuation; Chinese, Japanese and Korean by character; emoji whole."""

import unicodedata
from collections.abc import Iterator

# Scripts written without spaces between words: each character is a token of its own.
_BY_CHARACTER = (
    "CJK ",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "HALFWIDTH KATAKANA",
    "BOPOMOFO",
    "IDEOGRAPHIC ",
)
# Hints to a typesetter (soft hyphen, word joiner, byte order mark): invisible, and no part of a word.
_HINTS = dict.fromkeys((0x00AD, 0x2060, 0xFEFF))
_JOINER, _NON_JOINER, _KEYCAP = "\u200d", "\u200c", "\u20e3"


def tokenize(sentence: str) -> tuple[str, ...]:
    """Cut a sentence into tokens, in reading order; the same text twice is two tokens.

    Letters, digits and underscores that touch form one word (an apostrophe inside a word, or a point or comma inside a
    number, stays in it). Every other visible character is a token; spaces and control characters are none.

    >>> tokenize("The cat didn't sit, did it?")
    ('The', 'cat', "didn't", 'sit', ',', 'did', 'it', '?')
    >>> tokenize("我喜欢 cats")
    ('我', '喜', '欢', 'cats')
    """
    return tokenize_with_spaces(sentence)[0]


def tokenize_with_spaces(sentence: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The same, and the positions of the tokens before which there is a space, the first one's aside.

    >>> tokenize_with_spaces("我 喜欢 猫")
    (('我', '喜', '欢', '猫'), (1, 3))
    """
    tokens: list[str] = []
    gaps: list[int] = []
    text = list(_clusters(unicodedata.normalize("NFC", sentence.translate(_HINTS))))
    in_word = after_space = False
    for i, cluster in enumerate(text):
        following = text[i + 1] if i + 1 < len(text) else ""
        is_word = _is_word(cluster) or (in_word and _is_inner_mark(tokens[-1], cluster, following))
        if is_word and in_word:
            tokens[-1] += cluster
        elif not _is_blank(cluster):
            if after_space and tokens:
                gaps.append(len(tokens))
            tokens.append(cluster)
            after_space = False
        in_word = is_word
        after_space = after_space or cluster.isspace()
    return tuple(tokens), tuple(gaps)


def spaces(sentence: str) -> tuple[int, ...]:
    """The positions of the tokens before which there is a space, the first one's aside.

    >>> spaces("我 喜欢 猫"), spaces("我喜欢猫"), spaces(" the cat! ")
    ((1, 3), (), (1,))
    """
    return tokenize_with_spaces(sentence)[1]


def _clusters(text: str) -> Iterator[str]:
    """Cut text into what a reader sees as one character: a base with its marks, a joined emoji, a flag."""
    cluster = ""
    for char in text:
        if cluster and not _is_blank(cluster) and _continues(cluster, char):
            cluster += char
            continue
        if cluster:
            yield cluster
        cluster = char
    if cluster:
        yield cluster


def _continues(cluster: str, char: str) -> bool:
    """Whether char belongs to the visible character begun by cluster."""
    if unicodedata.category(char) in ("Mn", "Mc", "Me") or char in (_KEYCAP, _JOINER):
        return True
    if char == _NON_JOINER:
        return cluster[0].isalpha()
    if "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":  # skin tones, flag tags
        return _is_symbol(cluster[0])
    if cluster[-1] == _JOINER:
        return _is_symbol(char) and _is_symbol(cluster[0])
    return len(cluster) == 1 and _is_regional(cluster) and _is_regional(char)  # a flag is a pair of letters


def _is_symbol(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk", "Sm", "Po", "Cn")


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_blank(cluster: str) -> bool:
    # Not "Cn": an emoji newer than this Python's tables is unassigned to it, yet visible.
    return unicodedata.category(cluster[0]) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs")


def _is_word(cluster: str) -> bool:
    """Whether the visible character can be part of a longer word."""
    if cluster[0] == "_":
        return True
    if cluster.endswith(_KEYCAP) or unicodedata.category(cluster[0])[0] not in "LN":
        return False
    return not unicodedata.name(cluster[0], "").startswith(_BY_CHARACTER)


def _is_inner_mark(word: str, cluster: str, following: str) -> bool:
    """Whether cluster is the apostrophe of "didn't" or the point of "3.14"."""
    if not following or not _is_word(following):
        return False
    between_letters = word[-1].isalpha() and following[0].isalpha()
    between_digits = word[-1].isdigit() and following[0].isdigit()
    return (cluster in "'’" and between_letters) or (cluster in ".," and between_digits)
