import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attention import tokenize
from attention.tokens import spaces

PROPERTY = settings(max_examples=150, deadline=None, derandomize=True)
HARD_CHARACTERS = st.text(
    st.sampled_from("a1'’.,_ é\u0301🙂👩🏽❤\ufe0f\u200d\u200c\u200b\u20e3🇫🇷我がｶ각ह\u093f\0\u202e")
)
ANY_TEXT = st.text() | HARD_CHARACTERS
VISIBLE_TEXT = st.text(st.characters(categories=["L", "N", "P", "S", "M"]) | st.sampled_from("a1'., \u0301"))

FAMILY, ASTRONAUT, THUMB = "👩\u200d👩\u200d👧\u200d👦", "🧑🏽\u200d🚀", "👍🏽"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("", []),
        ("   \t\n\r\u3000\u00a0\u2028", []),
        ("a", ["a"]),
        ("a\tb\nc\u00a0d\u3000e", ["a", "b", "c", "d", "e"]),
        ("the cat saw the cat", ["the", "cat", "saw", "the", "cat"]),
        ("Stop! Why?!", ["Stop", "!", "Why", "?", "!"]),
        ("cats2 x_1", ["cats2", "x_1"]),
    ],
)
def test_words_and_punctuation_are_tokens_and_spaces_are_not(sentence, tokens):
    assert list(tokenize(sentence)) == tokens


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("didn't don’t", ["didn't", "don’t"]),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("the cats' tails", ["the", "cats", "'", "tails"]),
        ("'tis", ["'", "tis"]),
        ("a''b", ["a", "'", "'", "b"]),
        ("3.14 1,000.5", ["3.14", "1,000.5"]),
        ("I have 3. Or .5?", ["I", "have", "3", ".", "Or", ".", "5", "?"]),
        ("end.Next 1.a a,1 1'2", ["end", ".", "Next", "1", ".", "a", "a", ",", "1", "1", "'", "2"]),
        ("well-known", ["well", "-", "known"]),
    ],
)
def test_only_an_apostrophe_between_letters_and_a_point_between_digits_stay_inside(sentence, tokens):
    assert list(tokenize(sentence)) == tokens


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("<script>", ["<", "script", ">"]),
        ("</s>", ["<", "/", "s", ">"]),
        ("$x$", ["$", "x", "$"]),
        (":red[x]", [":", "red", "[", "x", "]"]),
        ("~~x~~", ["~", "~", "x", "~", "~"]),
        ("```x`", ["`", "`", "`", "x", "`"]),
        ("a*b|c\\d", ["a", "*", "b", "|", "c", "\\", "d"]),
    ],
)
def test_markup_is_text_like_any_other(sentence, tokens):
    assert list(tokenize(sentence)) == tokens


@pytest.mark.parametrize(
    "emoji",
    [
        FAMILY,
        ASTRONAUT,
        THUMB,
        ENGLAND,
        "🇫🇷",
        "1️⃣",
        "#️⃣",
        "❤️",
        "❤️\u200d🔥",
        "🤷🏽\u200d♀️",
        "🏳️\u200d🌈",
        "🫱🏻\u200d🫲🏿",
        "©️",
    ],
)
def test_an_emoji_is_one_token_alone_doubled_and_between_words(emoji):
    assert tokenize(emoji) == (emoji,)
    assert tokenize(emoji * 2) == (emoji, emoji)
    assert tokenize(f"so{emoji}good {emoji}!") == ("so", emoji, "good", emoji, "!")


def test_flags_pair_up_from_the_left():
    assert tokenize("🇫🇷🇩🇪🇯") == ("🇫🇷", "🇩🇪", "🇯")


@pytest.mark.parametrize(
    "sentence",
    [
        "我喜欢猫，因为猫很可爱",
        "私はネコが好きです",
        "カードー",
        "고양이를좋아해",
        "ㄅㄆㄇ",
        "堂々々",
        "ｶﾀｶﾅ",
        "三〇〇米",
    ],
)
def test_chinese_japanese_and_korean_are_cut_by_character(sentence):
    assert tokenize(sentence) == tuple(sentence)


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("我喜欢cats和2024年", ["我", "喜", "欢", "cats", "和", "2024", "年"]),
        ("我 喜欢 猫", ["我", "喜", "欢", "猫"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("مَرْحَبًا", ["مَرْحَبًا"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("मैं हिन्दी बोलता हूँ", ["मैं", "हिन्दी", "बोलता", "हूँ"]),
        ("क्\u200dष", ["क्\u200dष"]),
        ("naïve Ωμέγα шесть", ["naïve", "Ωμέγα", "шесть"]),
    ],
)
def test_scripts_with_spaces_keep_their_words_whole(sentence, tokens):
    assert list(tokenize(sentence)) == [unicodedata.normalize("NFC", token) for token in tokens]


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("a\0b", ["a", "b"]),
        ("\x7f\x1b\x85", []),
        ("a\u200bb", ["a", "b"]),
        ("\ufeffthe\u200e cat", ["the", "cat"]),
        ("\u202ethe cat\u202c \u2066dog\u2069", ["the", "cat", "dog"]),
        ("\u200d \u200c \u2060", []),
        ("\ud800", []),
    ],
)
def test_what_cannot_be_seen_is_no_token(sentence, tokens):
    assert list(tokenize(sentence)) == tokens


@pytest.mark.parametrize(
    ("one", "other"), [("é", "e\u0301"), ("が", "か\u3099"), ("한", "\u1112\u1161\u11ab"), ("Å", "\u212b")]
)
def test_two_spellings_of_one_character_are_one_token(one, other):
    assert tokenize(f"x{other}") == tokenize(f"x{one}")
    assert tokenize(other) == (one,)


@pytest.mark.parametrize(
    ("piece", "count"), [("a", 1), ("a ", 50_000), ("我", 100_000), ("1,", 2), ("a\u0301", 1), ("👍\u200d", 1)]
)
def test_a_hundred_thousand_characters_are_cut_like_a_few(piece, count):
    text = piece * (100_000 // len(piece))
    tokens = tokenize(text)
    assert len(tokens) == count
    assert "".join(tokens) == unicodedata.normalize("NFC", text).replace(" ", "")


def test_ten_thousand_letters_are_one_word():
    assert tokenize("x" * 10_000) == ("x" * 10_000,)


@PROPERTY
@given(ANY_TEXT)
def test_no_token_is_empty_or_holds_a_space_or_control_character(text):
    for token in tokenize(text):
        assert token
        assert not any(char.isspace() or unicodedata.category(char) == "Cc" for char in token)
        assert unicodedata.category(token[0]) != "Cf"


@PROPERTY
@given(VISIBLE_TEXT)
@example(" \u0301a \u0301")
def test_the_tokens_join_to_the_text_without_its_spaces(text):
    composed = unicodedata.normalize("NFC", text)
    assert "".join(tokenize(composed)) == composed.replace(" ", "")


@PROPERTY
@given(ANY_TEXT)
def test_composed_and_decomposed_text_give_the_same_tokens(text):
    assert tokenize(unicodedata.normalize("NFD", text)) == tokenize(text)


@PROPERTY
@given(VISIBLE_TEXT)
def test_tokens_spaced_out_are_cut_into_the_same_tokens(text):
    tokens = tokenize(text)
    assert tokenize(" ".join(tokens)) == tokens


@PROPERTY
@given(ANY_TEXT)
def test_spaces_cut_tokens_apart_and_their_places_are_known(text):
    parts = [tokenize(part) for part in text.split()]
    assert sum(parts, ()) == tokenize(text)
    assert all(0 < place < len(tokenize(text)) for place in spaces(text))
    assert len(spaces(text)) == max(0, sum(map(bool, parts)) - 1)


@pytest.mark.parametrize(
    ("sentence", "places"),
    [("我 喜欢 猫", (1, 3)), ("我喜欢猫", ()), (" the cat! ", (1,)), ("", ()), ("a", ()), ("a\u3000b , c", (1, 2, 3))],
)
def test_a_space_stands_before_a_token(sentence, places):
    assert spaces(sentence) == places
