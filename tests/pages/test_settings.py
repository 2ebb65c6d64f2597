"""The settings in force: what an address may say, and what becomes of it when it says nonsense."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attention import AttentionConfig, tokenize
from pages.ui.settings import (
    D_MODELS,
    EXAMPLES,
    Settings,
    defaults,
    fit,
    fit_sentence,
    from_query,
    head_counts,
    nearest_head_count,
    to_query,
)

PROPERTY = settings(max_examples=300, deadline=None, derandomize=True)
WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
NAMES = (
    "lang",
    "sentence",
    "d_model",
    "num_heads",
    "head",
    "query",
    "causal",
    "scaled",
    "positions",
    "hidden",
    "seed",
)
HARD_CHARACTERS = "a1'’., é\u0301🙂👩🏽❤\ufe0f\u200d\u200c\u200b\u20e3🇫🇷我がｶ각ᄀ\u1161ह\u093f\0\u202e\u00ad\n"
SENTENCES = (
    st.text(max_size=200)
    | st.text(st.sampled_from(HARD_CHARACTERS), max_size=200)
    | st.text(st.sampled_from("ab .我"), min_size=100, max_size=200)
    | st.sampled_from(["", "a", "the dog saw the cat", "a=b&c=d%20#+?", "我 喜欢 猫"])
)


def divisors(number):
    return [n for n in range(1, number + 1) if number % n == 0]


def seen_tokens(sentence):
    return min(64, len(tokenize(sentence)))


@st.composite
def valid_settings(draw):
    """Settings that fit together, drawn by the written rules rather than through the code under test."""
    sentence = draw(SENTENCES)
    length = seen_tokens(sentence)
    d_model = draw(st.sampled_from(WIDTHS))
    num_heads = draw(st.sampled_from([n for n in divisors(d_model) if n <= 16]))
    return Settings(
        lang=draw(st.sampled_from(["en", "zh"])),
        sentence=sentence,
        d_model=d_model,
        num_heads=num_heads,
        head=draw(st.integers(0, num_heads - 1)),
        query=draw(st.integers(0, max(0, length - 1))),
        causal=draw(st.booleans()),
        scaled=draw(st.booleans()),
        positions=draw(st.booleans()),
        hidden=tuple(sorted(draw(st.sets(st.integers(0, length - 1), max_size=length)))) if length else (),
        seed=draw(st.integers(0, 999_999)),
    )


@PROPERTY
@given(valid_settings(), valid_settings())
def test_an_address_brings_back_the_same_settings_whatever_the_default(chosen, default):
    carried = dict(parse_qsl(urlencode(to_query(chosen)), keep_blank_values=True, strict_parsing=True))
    assert from_query(carried, default) == (chosen, ())


@PROPERTY
@given(valid_settings())
def test_settings_that_fit_are_left_alone(chosen):
    assert fit(chosen) == chosen


def test_an_address_names_every_setting_and_nothing_else():
    assert tuple(to_query(Settings())) == NAMES


def test_an_address_is_written_in_plain_characters():
    chosen = Settings("zh", "我 喜欢 猫", 24, 3, 2, 1, True, False, False, (0, 2), 7)
    assert to_query(chosen) == {
        "lang": "zh",
        "sentence": "我 喜欢 猫",
        "d_model": "24",
        "num_heads": "3",
        "head": "2",
        "query": "1",
        "causal": "1",
        "scaled": "0",
        "positions": "0",
        "hidden": "0-2",
        "seed": "7",
    }


def test_an_empty_address_is_the_default():
    default = Settings(d_model=64, num_heads=8, seed=3)
    assert from_query({}, default) == (default, ())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_address_with_a_language_alone_is_a_first_visit_in_it(lang):
    assert from_query({"lang": lang}, defaults("en")) == (defaults(lang), ())


NO_NUMBER = ["", " ", "abc", "-1", "+8", "1e3", "8.0", "0x8", "８", "۸", "²", "512 ", " 8", "8\n", "1_2", "9" * 400]
OUT_OF_RANGE = {  # of the default: d_model 8, 2 heads, 12 tokens
    "d_model": ["0", "1", "7", "9", "511", "513", "1024", "999999"],
    "num_heads": ["0", "3", "5", "7", "9", "16", "512"],
    "head": ["2", "8", "12"],
    "query": ["12", "64", "999999"],
    "causal": ["2", "7", "true", "False", "on"],
    "scaled": ["2", "7", "true", "False", "on"],
    "positions": ["2", "7", "true", "False", "on"],
    "seed": ["1000000", "9999999"],
}
BAD_NUMBERS = [(name, text) for name, texts in OUT_OF_RANGE.items() for text in NO_NUMBER + texts]
BAD_HIDDEN = ["12", "0-12", "-", "-0", "0-", "0--1", "a", "0-a", "0,1", "0 1", " ", "１", "0-1e0", "9" * 400]
BAD_LANG = ["", "fr", "EN", "en ", "zh-CN", "0", "日本語"]


@pytest.mark.parametrize(
    ("name", "text"),
    BAD_NUMBERS + [("hidden", text) for text in BAD_HIDDEN] + [("lang", text) for text in BAD_LANG],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_bad_value_falls_back_to_the_default_and_is_named(name, text, lang):
    default = Settings(lang=lang, hidden=(1, 4), seed=9)
    assert len(tokenize(default.sentence)) == 12
    assert from_query({name: text}, default) == (default, (name,))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("d_model", "512", 512),
        ("num_heads", "8", 8),
        ("head", "1", 1),
        ("query", "11", 11),
        ("causal", "1", True),
        ("scaled", "0", False),
        ("positions", "0", False),
        ("hidden", "", ()),
        ("hidden", "11", (11,)),
        ("hidden", "3-0-3", (0, 3)),
        ("seed", "999999", 999_999),
    ],
)
def test_the_last_good_value_of_each_setting_is_taken(name, text, value):
    chosen, bad = from_query({name: text}, Settings(hidden=(2,)))
    assert (getattr(chosen, name), bad) == (value, ())


def test_every_bad_value_is_named_and_the_good_ones_beside_it_are_taken():
    query = {"d_model": "7", "num_heads": "4", "head": "9", "hidden": "x", "seed": "-5", "causal": "1", "query": "3"}
    chosen, bad = from_query(query, Settings())
    assert sorted(bad) == ["d_model", "head", "hidden", "seed"]
    assert chosen == Settings(num_heads=4, causal=True, query=3)


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ({"d_model": "12", "num_heads": "5"}, ("num_heads",)),
        ({"d_model": "512", "num_heads": "32"}, ("num_heads",)),
        ({"num_heads": "4", "head": "4"}, ("head",)),
        ({"sentence": "two words", "query": "2"}, ("query",)),
        ({"sentence": "two words", "hidden": "2"}, ("hidden",)),
        ({"sentence": "", "query": "1"}, ("query",)),
        ({"sentence": "", "hidden": "0"}, ("hidden",)),
        ({"sentence": "a " * 100, "query": "64"}, ("query",)),
        ({"sentence": "a " * 100, "query": "63", "hidden": "63"}, ()),
        ({"d_model": "24", "num_heads": "12", "head": "11"}, ()),
    ],
)
def test_a_value_is_judged_by_the_others_of_the_same_address(query, bad):
    assert from_query(query, Settings())[1] == bad


def test_a_width_alone_takes_the_nearest_heads_without_calling_them_bad():
    chosen, bad = from_query({"d_model": "12"}, Settings(d_model=8, num_heads=8, head=7))
    assert (chosen.d_model, chosen.num_heads, chosen.head, bad) == (12, 6, 5, ())


def test_a_shorter_sentence_takes_the_query_and_the_hidden_with_it():
    chosen, bad = from_query({"sentence": "two words"}, Settings(query=8, hidden=(1, 7)))
    assert (chosen.query, chosen.hidden, bad) == (1, (1,), ())


def test_names_that_are_no_settings_are_ignored():
    assert from_query({"": "1", "config": "2", "tokens": "x", "__class__": "y"}, Settings()) == (Settings(), ())


VALUES = (
    st.text(max_size=300)
    | st.text(st.sampled_from("0123456789-eE.+ ８²\0"), max_size=12)
    | st.integers(-3, 600).map(str)
    | st.integers().map(str)
    | st.sampled_from(["en", "zh", "0", "1", "2", "4", "8", "12", "24", "512", "the dog saw the cat"])
    | st.lists(st.integers(-1, 70), max_size=8).map(lambda keys: "-".join(map(str, keys)))
)


@PROPERTY
@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)) | st.dictionaries(st.text(), VALUES),
    valid_settings(),
)
@example({"hidden": "-"}, Settings())
@example({"d_model": "9" * 5000}, Settings())
@example({"seed": "\0", "query": "\n"}, Settings())
def test_no_address_raises_and_what_comes_out_always_fits(query, default):
    chosen, bad = from_query(query, default)
    length = seen_tokens(chosen.sentence)
    AttentionConfig(chosen.d_model, chosen.num_heads)  # raises where the two do not fit
    assert chosen.lang in ("en", "zh")
    assert len(chosen.sentence) <= 200
    assert chosen.d_model in WIDTHS
    assert chosen.num_heads in divisors(chosen.d_model)
    assert chosen.num_heads <= 16
    assert 0 <= chosen.head < chosen.num_heads
    assert 0 <= chosen.query < max(1, length)
    assert list(chosen.hidden) == sorted(set(chosen.hidden) & set(range(length)))
    assert 0 <= chosen.seed <= 999_999
    assert {type(chosen.causal), type(chosen.scaled), type(chosen.positions)} == {bool}
    assert set(bad) <= set(query)
    assert len(set(bad)) == len(bad)


@PROPERTY
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)), valid_settings())
def test_every_value_of_an_address_is_either_in_force_or_named_as_bad(query, default):
    chosen, bad = from_query(query, default)
    for name, text in query.items():
        value = getattr(chosen, name)
        if name in bad:
            continue
        if name == "lang":
            assert value == text
        elif name == "sentence":
            assert value == text[:200]
        elif name == "hidden":
            assert set(value) == {int(part) for part in text.split("-") if text}
        else:
            assert value == int(text)


@PROPERTY
@given(SENTENCES | st.text(st.sampled_from(HARD_CHARACTERS), min_size=150, max_size=400) | st.text(min_size=200))
@example("\u0301 " * 150)
@example("ᄀ\u1161" * 100)
@example("🇫🇷" * 100)
@example("👩\u200d👩\u200d👧 " * 40)
def test_what_is_kept_reads_again_as_the_same_tokens(text):
    fitted = fit_sentence(text)
    assert tokenize(fitted.sentence) == fitted.tokens


@PROPERTY
@given(SENTENCES | st.text("ab 我.", min_size=150, max_size=500))
def test_at_most_200_characters_and_64_tokens_are_kept_and_the_rest_is_counted(text):
    fitted = fit_sentence(text)
    of_200 = tokenize(text[:200])
    assert fitted.tokens == of_200[:64]
    assert fitted.tokens_left_out == len(of_200[64:])
    assert fitted.characters_left_out == len(text[200:])


@pytest.mark.parametrize(
    ("text", "tokens", "characters_left_out", "tokens_left_out"),
    [
        ("", 0, 0, 0),
        (" \t\0 ", 0, 0, 0),
        ("a" * 200, 1, 0, 0),
        ("a" * 201, 1, 1, 0),
        ("a" * 10_000, 1, 9_800, 0),
        ("我" * 64, 64, 0, 0),
        ("我" * 65, 64, 0, 1),
        ("a " * 64, 64, 0, 0),
        ("a " * 100, 64, 0, 36),
        ("a " * 5_000, 64, 9_800, 36),
        ("ab " * 67, 64, 1, 3),
    ],
)
def test_the_limits_of_a_sentence_by_hand(text, tokens, characters_left_out, tokens_left_out):
    fitted = fit_sentence(text)
    counts = (len(fitted.tokens), fitted.characters_left_out, fitted.tokens_left_out)
    assert counts == (tokens, characters_left_out, tokens_left_out)


@pytest.mark.parametrize("text", ["the  dog,\tthe cat ", "a" * 200, "我" * 64, ""])
def test_a_sentence_within_the_limits_is_kept_letter_by_letter(text):
    assert fit_sentence(text).sentence == text


@pytest.mark.parametrize("d_model", [*range(1, 65), *WIDTHS])
def test_head_counts_are_the_divisors_up_to_16(d_model):
    assert list(head_counts(d_model)) == [n for n in divisors(d_model) if n <= 16]


def test_the_slider_offers_the_widths_of_the_plan():
    assert D_MODELS == WIDTHS


@pytest.mark.parametrize(
    ("d_model", "wanted", "nearest"),
    [(8, 3, 2), (8, 2, 2), (12, 5, 4), (12, 8, 6), (64, 12, 8), (64, 13, 16), (4, 16, 4), (512, 16, 16), (24, 10, 8)],
)
def test_the_nearest_head_count_by_hand_and_the_smaller_of_two(d_model, wanted, nearest):
    assert nearest_head_count(d_model, wanted) == nearest


@PROPERTY
@given(st.sampled_from(WIDTHS), st.integers(1, 16))
def test_no_valid_head_count_is_nearer_than_the_nearest(d_model, wanted):
    found = nearest_head_count(d_model, wanted)
    valid = [n for n in divisors(d_model) if n <= 16]
    assert found in valid
    assert all(abs(found - wanted) <= abs(n - wanted) for n in valid)
    assert (found == wanted) == (wanted in valid)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_example_fits_and_follows_a_token_that_it_has(lang):
    assert len(EXAMPLES[lang]) >= 3
    for picked in EXAMPLES[lang]:
        fitted = fit_sentence(picked.sentence)
        assert (fitted.characters_left_out, fitted.tokens_left_out) == (0, 0)
        assert 0 <= picked.query < len(fitted.tokens)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_first_visit_starts_with_the_first_example_of_its_language(lang):
    first = defaults(lang)
    assert (first.lang, first.sentence, first.query) == (
        lang,
        EXAMPLES[lang][0].sentence,
        EXAMPLES[lang][0].query,
    )
    assert fit(first) == first
