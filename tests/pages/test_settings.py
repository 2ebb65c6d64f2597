"""The settings in force: what an address may say, and what becomes of it when it says nonsense."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from each import each
from hypothesis import example, given, settings
from hypothesis import strategies as st
from visiting import shape_by_rule

from attention import AttentionConfig, Cell, Edit, tokenize
from attention.tensors import TENSORS
from pages.ui.state.address import from_query, to_query
from pages.ui.state.examples import EXAMPLES, in_language
from pages.ui.state.resolved import resolve
from pages.ui.state.settings import D_MODELS, DECLARED, Settings, changed, defaults, head_counts
from pages.ui.state.text import follow, read
from pages.ui.state.values import address_of, cell_at

SMALL = Settings(sentence="the animal did not cross the street because it was too tired", d_model=8, query=8)
PROPERTY = settings(max_examples=80, deadline=None, derandomize=True)
WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
NAMES = (
    "lang",
    "sentence",
    "weights",
    "checkpoint",
    "model",
    "layer",
    "d_model",
    "num_heads",
    "head",
    "query",
    "causal",
    "scaled",
    "positions",
    "hidden",
    "retrained",
    "divided",
    "seed",
    "questions",
    "face",
    "present",
    "way",
    "moment",
    "method",
    "word",
    "other",
    "mix",
    *(LABS := {"experiment": "0", "width": "64", "mask": "causal", "window": "2", "painted": ""}),
    *(MORE := {"second": "", "shift": "0", "given": "", "hides": "0", "image": "cross", "kv_heads": "1"}),
    "softcap",
    "cell",
    "edit",
    "pin",
)
OF_LABS = {name: getattr(Settings(), name) for name in (*LABS, *MORE, "softcap")}
HARD_CHARACTERS = "a1'’., é\u0301🙂👩🏽❤\ufe0f\u200d\u200c\u200b\u20e3🇫🇷我がｶ각ᄀ\u1161ह\u093f\0\u202e\u00ad\n"
SENTENCES = (
    st.text(max_size=200)
    | st.text(st.sampled_from(HARD_CHARACTERS), max_size=200)
    | st.text(st.sampled_from("ab .我"), min_size=100, max_size=200)
    | st.sampled_from(["", "a", "the dog saw the cat", "a=b&c=d%20#+?", "我 喜欢 猫"])
)


def judged(query, default):
    """The settings that an address leads to, and the names of what did not fit."""
    here, bad = from_query(query, default)
    return here.settings, bad


def fit(settings):
    return resolve(settings).settings


def heads_for(d_model, wanted):
    return fit(Settings(d_model=d_model, num_heads=wanted)).num_heads


def divisors(number):
    return [n for n in range(1, number + 1) if number % n == 0]


def seen_tokens(sentence):
    return min(64, len(tokenize(sentence)))


@st.composite
def cells_of(draw, chosen, tensors=tuple(TENSORS)):
    """Any number of the trace that these settings ask for."""
    tokens = tokenize(chosen.sentence)[:64]
    tensor = draw(st.sampled_from(tensors))
    rows, columns = shape_by_rule(
        tensor, AttentionConfig(chosen.d_model, chosen.num_heads), len(tokens), len({*tokens})
    )
    head = draw(st.integers(0, chosen.num_heads - 1)) if TENSORS[tensor].per_head else None
    return Cell(tensor, draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1)), head)


@st.composite
def edits_of(draw, chosen):
    """Any change by hand that the pages offer, with a number as the page rounds it."""
    length = seen_tokens(chosen.sentence)
    kind = draw(st.sampled_from(["tokens", "embeddings", "scores", "attn_weights", "head_outputs"]))
    if kind == "tokens" and length > 1:
        first, second = sorted(draw(st.sets(st.integers(0, length - 1), min_size=2, max_size=2)))
        return Edit("tokens", first, second)
    if kind in ("tokens", "head_outputs"):
        return Edit("head_outputs", head=draw(st.integers(0, chosen.num_heads - 1)))
    value = draw(st.floats(0, 1) if kind == "attn_weights" else st.floats(-1000, 1000))
    cell = draw(cells_of(chosen, (kind,)))
    return Edit(cell.tensor, cell.row, cell.column, cell.head, float(f"{value:g}"))


@st.composite
def plain_settings(draw):
    """Settings that fit together, drawn by the written rules rather than through the code under test."""
    sentence = draw(SENTENCES)
    length = seen_tokens(sentence)
    d_model = draw(st.sampled_from(WIDTHS))
    num_heads = draw(st.sampled_from([n for n in divisors(d_model) if n <= 16]))
    chosen = Settings(
        lang=draw(st.sampled_from(["en", "zh"])),
        sentence=sentence,
        d_model=d_model,
        num_heads=num_heads,
        head=draw(st.integers(0, num_heads - 1)),
        query=draw(st.integers(0, max(0, length - 1))),
        causal=draw(st.booleans()),
        scaled=draw(st.booleans()),
        positions=draw(st.booleans()),
        retrained=draw(st.booleans()),
        divided=draw(st.booleans()),
        hidden=tuple(sorted(draw(st.sets(st.integers(0, length - 1), max_size=length)))) if length else (),
        seed=draw(st.integers(0, 999_999)),
        questions=draw(st.booleans()),
        experiment=draw(st.integers(0, 8)),
        width=2 ** draw(st.integers(0, 10)),
        mask=draw(st.sampled_from(["none", "causal", "window", "painted"])),
        painted=tuple(sorted({64 * draw(st.integers(0, length - 1)) + length - 1})) if length else (),
        second=draw(SENTENCES),
        shift=draw(st.integers(0, 40)),
        kv_heads=draw(st.sampled_from(divisors(num_heads))),
        window=draw(st.integers(1, 8)),
        hides=draw(st.integers(0, 5)),
    )
    return replace(chosen, edit=draw(st.none() | edits_of(chosen))) if length else chosen


@st.composite
def valid_settings(draw):
    """Such settings, with a number asked about and others held to compare with."""
    chosen = draw(plain_settings())
    if not seen_tokens(chosen.sentence):
        return chosen
    held = draw(st.none() | st.just(chosen) | plain_settings().filter(lambda other: seen_tokens(other.sentence)))
    if held:
        held = replace(held, lang=chosen.lang, head=0, query=0, questions=True, **OF_LABS)
    return replace(chosen, cell=draw(st.none() | cells_of(chosen)), pin=held)


@PROPERTY
@given(valid_settings(), valid_settings())
def test_an_address_brings_back_the_same_settings_whatever_the_default(chosen, default):
    carried = dict(parse_qsl(urlencode(to_query(chosen)), keep_blank_values=True, strict_parsing=True))
    assert judged(carried, default) == (chosen, ())


@PROPERTY
@given(valid_settings())
def test_settings_that_fit_are_left_alone(chosen):
    assert fit(chosen) == chosen


def test_an_address_names_every_setting_and_nothing_else():
    assert tuple(to_query(Settings())) == NAMES


def test_an_address_is_written_in_plain_characters():
    chosen = Settings("zh", "我 喜欢 猫", "real", 4, "a/b", 5, 24, 3, 2, 1, True, False, False, (0, 2), False, True, 7)
    assert to_query(chosen) == {
        "lang": "zh",
        "sentence": "我 喜欢 猫",
        "weights": "real",
        "checkpoint": "4",
        "model": "a/b",
        "layer": "5",
        "d_model": "24",
        "num_heads": "3",
        "head": "2",
        "query": "1",
        "causal": "1",
        "scaled": "0",
        "positions": "0",
        "hidden": "0-2",
        "retrained": "0",
        "divided": "1",
        "seed": "7",
        "questions": "1",
        "face": "number",
        "present": "0",
        "way": "0",
        "moment": "0",
        "method": "cbow",
        "word": "",
        "other": "",
        "mix": "50",
        **LABS,
        **MORE,
        "softcap": "0",
        "cell": "",
        "edit": "",
        "pin": "",
    }


def test_every_setting_is_declared_once_and_tells_its_own_default_apart_from_nonsense():
    """A new setting is one declaration: this test and the properties above cover it without being told."""
    assert (*DECLARED, "pin") == NAMES
    for name, declared in DECLARED.items():
        own = getattr(Settings(), name)
        assert declared.value.parse(declared.value.write(own)) == own, name
        assert declared.value.take(list(own) if name in ("hidden", "painted") else own) == own, name
        is_text = name in ("sentence", "model", "word", "other", "second", "given")
        label = () if is_text else ("5 word",)  # what a stale selector says
        for nonsense in (object(), 0.5, b"", [None], {}, *label):
            with pytest.raises(ValueError, match=r"\S"):
                declared.value.take(nonsense)


@pytest.mark.parametrize(
    ("word", "place", "sentence", "now"),
    [
        ("it", 10, "the dog saw the cat and it ran", 6),
        ("the", 3, "the dog saw the cat", 3),
        ("the", 2, "the dog saw the cat", 3),
        ("The", 9, "the dog saw a cat", 0),
        ("queen", 2, "the cat said that it slept well .", 4),
        ("queen", 2, "he said that she slept", 3),
        ("queen", 2, "the cat slept .", 2),
        ("queen", 2, "the cat slept ! ?", 2),
        ("queen", 2, "? !", 1),
        ("它", 5, "小猫喝了牛奶因为它很渴", 8),
        ("queen", 0, "小猫喝了牛奶因为它很渴", 8),
    ],
)
def test_the_row_follows_its_word_or_a_pronoun_or_the_last_word(word, place, sentence, now):
    assert follow(word, place, tokenize(sentence)) == now


def test_an_empty_address_is_the_default():
    default = Settings(d_model=64, num_heads=8, seed=3)
    assert judged({}, default) == (default, ())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_address_with_a_language_alone_is_a_first_visit_in_it(lang):
    assert judged({"lang": lang}, defaults("en")) == (defaults(lang), ())


# Every bad value that a link could carry.

BAD_CELLS = [
    "x",
    "x.0",
    "x.0.0.0.0",
    "x.0.8",
    "x.12.0",
    "x.-1.0",
    "x.0.0.0",
    "scores.0.0",
    "scores.0.0.2",
    "scores.12.0.0",
    "scores.0.12.0",
    "scores.0.0.-1",
    "scores.0.0.",
    "q.0.4.0",
    "b_q.1.0",
    "w_q.8.0",
    "one_hot.0.11",
    "embedding_table.11.0",
    "ids.0.1",
    "exp_sums.0.1.0",
    "tokens.0.1",
    "weights.0.0",
    "__class__.0.0",
    "X.0.0",
    " x.0.0",
    "x.0.0 ",
    "x.1e0.0",
    "x.０.0",
    "x.0.nan",
    ".0.0",
    "...",
    "x.0.0:1",
    "9" * 400,
    f"x.{'9' * 400}.0",
]
BAD_EDITS = [
    "x.0.0:1",
    "scores.0.0:1",
    "scores.0.0.2:1",
    "scores.12.0.0:1",
    "scores.0.12.0:1",
    "scores.0.0.0",
    "scores.0.0.0:",
    "scores.0.0.0:a",
    "scores.0.0.0:nan",
    "scores.0.0.0:inf",
    "scores.0.0.0:-inf",
    "scores.0.0.0:1e999",
    "scores.0.0.0:1000.1",
    "scores.0.0.0:-1001",
    "scores.0.0.0:１",
    "scores.0.0.0:1:2",
    "scores.0.0.0:0x1",
    "embeddings.0.0.0:1",
    "embeddings.0.8:1",
    "embeddings.0.0:1e9",
    "attn_weights.0.0.0:-0.1",
    "attn_weights.0.0.0:1.1",
    "head_outputs.0.0.0:1",
    "head_outputs.1.0.0:0",
    "head_outputs.0.1.0:0",
    "head_outputs.0.0:0",
    "head_outputs.0.0.2:0",
    "tokens.0.0:0",
    "tokens.1.0:0",
    "tokens.0.12:0",
    "tokens.0.1:1",
    "tokens.0.1.0:0",
    "tokens.0.1",
    "q.0.0.0:1",
    "ids.0.0:1",
    ":1",
    ":",
    "9" * 400,
]
BAD_PINS = [
    "x",
    "Same",
    " same",
    "same=1",
    "pin=same",
    "pin=",
    "cell=x.0.0",
    "head=0",
    "query=0",
    "questions=0",
    "lang=en",
    "d_model=7",
    "d_model=16&d_model=7",
    "d_model=12&num_heads=5",
    "num_heads=3",
    "seed=-1",
    "seed=1&x=2",
    "causal=2",
    "hidden=12",
    "edit=x.0.0:1",
    "edit=scores.0.0.0:nan",
    "sentence=a&hidden=1",
    "sentence=a&edit=tokens.0.1:0",
    "num_heads=1&edit=scores.0.0.1:1",
    "=",
    "&",
    "%",
    "%00",
    "sentence=",
    "sentence=+",
    "pin=sentence%3Da",
    "9" * 400,
]


@each(
    "name, text",
    [("cell", text) for text in BAD_CELLS]
    + [("edit", text) for text in BAD_EDITS]
    + [("pin", text) for text in BAD_PINS],
)
def test_what_can_not_be_asked_set_or_held_falls_back_and_is_named(name, text):
    assert judged({name: text}, SMALL) == (SMALL, (name,))
    other = replace(SMALL, cell=Cell("x", 1, 1), edit=Edit("scores", 1, 1, 1, 2.0), pin=Settings(head=0, query=0))
    chosen, bad = judged({name: text}, other)
    assert bad == (name,)
    assert chosen == other


@each(
    "text, cell",
    [
        ("x.11.7", Cell("x", 11, 7)),
        ("scores.11.0.1", Cell("scores", 11, 0, 1)),
        ("q.0.3.0", Cell("q", 0, 3, 0)),
        ("b_o.0.7", Cell("b_o", 0, 7)),
        ("one_hot.0.10", Cell("one_hot", 0, 10)),
        ("ids.11.0", Cell("ids", 11, 0)),
        ("", None),
    ],
)
def test_the_last_number_of_a_tensor_can_be_asked_about(text, cell):
    assert judged({"cell": text}, SMALL) == (replace(SMALL, cell=cell), ())


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("scores.11.11.1:-1000", Edit("scores", 11, 11, 1, -1000.0)),
        ("embeddings.0.7:1e-3", Edit("embeddings", 0, 7, None, 0.001)),
        ("attn_weights.0.0.0:1", Edit("attn_weights", 0, 0, 0, 1.0)),
        ("attn_weights.0.0.0:0", Edit("attn_weights", 0, 0, 0, 0.0)),
        ("head_outputs.0.0.1:0", Edit("head_outputs", 0, 0, 1, 0.0)),
        ("tokens.0.11:0", Edit("tokens", 0, 11)),
        ("", None),
    ],
)
def test_what_can_be_changed_by_hand(text, edit):
    assert judged({"edit": text}, SMALL) == (replace(SMALL, edit=edit), ())


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("same", {}),
        ("causal=1", {"causal": True}),
        ("d_model=16&num_heads=4", {"d_model": 16, "num_heads": 4}),
        ("sentence=two+words&hidden=1", {"sentence": "two words", "hidden": (1,)}),
        ("seed=7&edit=scores.0.0.0%3A2", {"seed": 7, "edit": Edit("scores", 0, 0, 0, 2.0)}),
    ],
)
def test_what_can_be_held(text, changes):
    chosen, bad = judged({"lang": "en", "query": "3", "head": "1", "pin": text}, SMALL)
    assert bad == ()
    assert chosen.pin == replace(Settings(head=0, query=0), **changes)
    assert replace(chosen, pin=None) == Settings(query=3, head=1)


@PROPERTY
@given(valid_settings())
def test_a_link_says_of_what_is_held_only_what_is_different(chosen):
    text = to_query(chosen)["pin"]
    if chosen.pin is None:
        assert text == ""
        return
    compared = (
        "sentence",
        "d_model",
        "num_heads",
        "causal",
        "scaled",
        "positions",
        "hidden",
        "retrained",
        "divided",
        "seed",
        "edit",
    )
    names = [name for name in compared if getattr(chosen, name) != getattr(chosen.pin, name)]
    assert (text == "same") == (not names)
    if names:
        assert sorted(dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))) == sorted(names)


@PROPERTY
@given(plain_settings())
def test_holding_what_is_on_screen_changes_nothing_on_screen(chosen):
    held = replace(chosen, cell=None).pinned
    assert replace(held, pin=None) == chosen
    assert to_query(held)["pin"] == "same"
    assert held.pinned.pinned == held
    assert held.before == replace(chosen, query=0, questions=True, **OF_LABS)


@PROPERTY
@given(valid_settings(), st.data())
def test_every_address_of_a_number_leads_back_to_it(chosen, data):
    if seen_tokens(chosen.sentence):
        cell = data.draw(cells_of(chosen))
        assert cell_at(address_of(cell)) == cell


# A number set by hand is the number that the link says.


@pytest.mark.parametrize("text", ["scores.0.0.0:0.123456789", "scores.0.0.0:3.0000001", "embeddings.0.0:1e-300"])
def test_a_number_of_a_link_is_in_force_as_the_next_link_will_say_it(text):
    chosen, _ = judged({"edit": text}, SMALL)
    assert judged(to_query(chosen), SMALL) == (chosen, ())


# What follows from a reader's change.

ASKED = replace(SMALL, cell=Cell("scores", 8, 5, 0), edit=Edit("scores", 1, 2, 1, 3.0))


@each(
    "changes, cell, edit",
    [
        ({}, ASKED.cell, ASKED.edit),
        ({"query": 3}, None, ASKED.edit),
        ({"head": 1}, Cell("scores", 8, 5, 1), ASKED.edit),
        ({"head": 1, "cell": Cell("x", 1, 1)}, Cell("x", 1, 1), ASKED.edit),
        ({"cell": Cell("q", 0, 3, 1)}, Cell("q", 0, 3, 1), ASKED.edit),
        ({"causal": True}, ASKED.cell, ASKED.edit),
        ({"scaled": False}, ASKED.cell, ASKED.edit),
        ({"positions": False}, ASKED.cell, ASKED.edit),
        ({"hidden": (1,)}, ASKED.cell, ASKED.edit),
        ({"lang": "zh"}, ASKED.cell, ASKED.edit),
        ({"questions": False}, ASKED.cell, ASKED.edit),
        ({"seed": 5}, ASKED.cell, None),
        ({"num_heads": 4}, ASKED.cell, None),
        ({"num_heads": 1}, ASKED.cell, None),
        ({"d_model": 16}, ASKED.cell, None),
        ({"sentence": "one two three", "query": 2}, None, None),
        ({"sentence": "one two three"}, None, None),
        ({"sentence": ASKED.sentence + " now"}, ASKED.cell, None),
        ({"edit": Edit("scores", 0, 0, 0, 1.0)}, ASKED.cell, Edit("scores", 0, 0, 0, 1.0)),
        ({"edit": None}, ASKED.cell, None),
        ({"sentence": "b a", "edit": Edit("tokens", 0, 1)}, None, Edit("tokens", 0, 1)),
    ],
)
def test_what_a_change_takes_with_it(changes, cell, edit):
    found = fit(changed(ASKED, **changes))
    assert (found.cell, found.edit) == (cell, edit)
    for name, value in changes.items():
        if name not in ("cell", "edit", "query"):
            assert getattr(found, name) == value


@each(
    "cell, changes, stays",
    [
        (Cell("x", 8, 7), {"d_model": 4}, False),
        (Cell("x", 8, 3), {"d_model": 4}, True),
        (Cell("q", 0, 3, 1), {"num_heads": 4}, False),
        (Cell("q", 0, 1, 1), {"num_heads": 1}, False),
        (Cell("q", 0, 3, 0), {"num_heads": 1}, True),
        (Cell("one_hot", 0, 10), {"sentence": "a a a a a a a a a"}, False),
        (Cell("x", 8, 0), {"sentence": "a a a a a a a a a"}, True),
        (Cell("x", 9, 0), {"sentence": "a a a a a a a a a"}, False),
    ],
)
def test_the_number_asked_about_stays_where_there_still_is_one(cell, changes, stays):
    last = replace(SMALL, cell=cell)
    assert fit(changed(last, **changes)).cell == (cell if stays else None)


@pytest.mark.parametrize("head", [0, 1])
def test_what_is_held_is_seen_in_the_chosen_head_and_language_as_far_as_it_has_that_head(head):
    held = Settings(head=0, query=0, num_heads=1, seed=5)
    before = resolve(Settings(lang="zh", head=head, pin=held)).before(lambda _: None)
    assert before.settings == replace(held, lang="zh", head=0)


def test_a_change_by_hand_is_measured_against_the_same_without_it_unless_something_is_held():
    edited = Settings(edit=Edit("tokens", 0, 1))
    assert edited.before == Settings()
    assert replace(edited, pin=Settings(seed=4)).before == Settings(seed=4)
    assert Settings().before is None


@PROPERTY
@given(plain_settings().filter(lambda chosen: seen_tokens(chosen.sentence) > 1), st.data())
def test_two_words_change_places_and_all_others_stay(chosen, data):
    tokens = list(tokenize(chosen.sentence)[:64])
    first, second = sorted(data.draw(st.sets(st.integers(0, len(tokens) - 1), min_size=2, max_size=2)))
    swapped = resolve(replace(chosen, edit=Edit("tokens", first, second))).shown
    tokens[first], tokens[second] = tokens[second], tokens[first]
    assert list(swapped.tokens) == tokens == list(tokenize(swapped.sentence))


def test_another_page_chooses_its_own_number():
    assert ASKED.elsewhere == replace(ASKED, cell=None)


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
    "questions": ["2", "7", "true", "False", "on"],
    "face": ["Notice", "all", "", "2"],
    "present": ["2", "yes"],
    "way": ["2", "9"],
    "moment": ["100", "999999"],
}
BAD_NUMBERS = [(name, text) for name, texts in OUT_OF_RANGE.items() for text in NO_NUMBER + texts]
BAD_HIDDEN = ["12", "0-12", "-", "-0", "0-", "0--1", "a", "0-a", "0,1", "0 1", " ", "１", "0-1e0", "9" * 400]
BAD_LANG = ["", "fr", "EN", "en ", "zh-CN", "0", "日本語"]


@each(
    "name, text",
    BAD_NUMBERS + [("hidden", text) for text in BAD_HIDDEN] + [("lang", text) for text in BAD_LANG],
)
def test_a_bad_value_falls_back_to_the_default_and_is_named(name, text):
    default = replace(SMALL, lang="zh", hidden=(1, 4), seed=9)  # not the language that is itself a default
    assert len(tokenize(default.sentence)) == 12
    assert judged({name: text}, default) == (default, (name,))


@each(
    "name, text, value",
    [
        ("d_model", "512", 512),
        ("num_heads", "8", 8),
        ("head", "1", 1),
        ("query", "8", 8),
        ("causal", "1", True),
        ("scaled", "0", False),
        ("positions", "0", False),
        ("hidden", "", ()),
        ("hidden", "8", (8,)),
        ("painted", "0-130", (0, 130)),
        ("hidden", "3-0-3", (0, 3)),
        ("seed", "999999", 999_999),
    ],
)
def test_the_last_good_value_of_each_setting_is_taken(name, text, value):
    chosen, bad = judged({name: text}, Settings(hidden=(2,)))
    assert (getattr(chosen, name), bad) == (value, ())


def test_every_bad_value_is_named_and_the_good_ones_beside_it_are_taken():
    query = {"d_model": "7", "num_heads": "4", "head": "9", "hidden": "x", "seed": "-5", "causal": "1", "query": "3"}
    chosen, bad = judged(query, Settings())
    assert sorted(bad) == ["d_model", "head", "hidden", "seed"]
    assert chosen == Settings(num_heads=4, causal=True, query=3)


@each(
    "query, bad",
    [
        ({"d_model": "12", "num_heads": "5"}, ("num_heads",)),
        ({"d_model": "512", "num_heads": "32"}, ("num_heads",)),
        ({"num_heads": "4", "head": "4"}, ("head",)),
        ({"sentence": "two words", "query": "2"}, ("query",)),
        ({"sentence": "two words", "hidden": "2"}, ("hidden",)),
        ({"sentence": "two words", "painted": "0-65"}, ()),
        ({"sentence": "two words", "painted": "66"}, ("painted",)),
        ({"sentence": "two words", "painted": "128"}, ("painted",)),
        ({"sentence": "", "query": "1"}, ("query",)),
        ({"sentence": "", "hidden": "0"}, ("hidden",)),
        ({"sentence": "a " * 100, "query": "64"}, ("query",)),
        ({"sentence": "a " * 100, "query": "63", "hidden": "63"}, ()),
        ({"d_model": "24", "num_heads": "12", "head": "11"}, ()),
    ],
)
def test_a_value_is_judged_by_the_others_of_the_same_address(query, bad):
    assert judged(query, Settings())[1] == bad


def test_a_width_alone_takes_the_nearest_heads_without_calling_them_bad():
    chosen, bad = judged({"d_model": "12"}, Settings(d_model=8, num_heads=8, head=7))
    assert (chosen.d_model, chosen.num_heads, chosen.head, bad) == (12, 6, 5, ())


def test_a_shorter_sentence_takes_the_query_and_the_hidden_with_it():
    chosen, bad = judged({"sentence": "two words"}, Settings(query=8, hidden=(1, 7)))
    assert (chosen.query, chosen.hidden, bad) == (1, (1,), ())


def test_names_that_are_no_settings_are_ignored():
    assert judged({"": "1", "config": "2", "tokens": "x", "__class__": "y"}, Settings()) == (Settings(), ())


VALUES = (
    st.text(max_size=300)
    | st.text(st.sampled_from("0123456789-eE.+ ８²\0"), max_size=12)
    | st.integers(-3, 600).map(str)
    | st.integers().map(str)
    | st.sampled_from(["en", "zh", "0", "1", "2", "4", "8", "12", "24", "512", "the dog saw the cat"])
    | st.lists(st.integers(-1, 70), max_size=8).map(lambda keys: "-".join(map(str, keys)))
    | st.builds(
        lambda tensor, numbers, tail: ".".join([tensor, *map(str, numbers)]) + tail,
        st.sampled_from([*TENSORS, "tokens", "weights", "", "x.x"]),
        st.lists(st.integers(-1, 12) | st.integers(), max_size=4),
        st.sampled_from(["", ":0", ":1", ":-3.5", ":nan", ":inf", ":1e999", ":2:3", ":"]),
    )
    | st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "0", "1", "8", "a b c", "same"]), max_size=3).map(
        urlencode
    )
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
    chosen, bad = judged(query, default)
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
    assert {type(chosen.causal), type(chosen.scaled), type(chosen.positions), type(chosen.questions)} == {bool}
    assert fit(chosen) == chosen
    assert chosen.pin is None or (chosen.pin.pin, chosen.pin.cell) == (None, None)
    assert set(bad) <= set(query)
    assert len(set(bad)) == len(bad)


@PROPERTY
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)), valid_settings())
def test_every_value_of_an_address_is_either_in_force_or_named_as_bad(query, default):
    chosen, bad = judged(query, default)
    for name, text in query.items():
        value = getattr(chosen, name)
        if name in bad:
            continue
        if name in ("lang", "weights", "model", "method", "word", "other", "mask", "given", "image"):
            assert value == text
        elif name in ("sentence", "second"):
            assert value == text[:200]
        elif name in ("hidden", "painted"):
            assert set(value) == {int(part) for part in text.split("-") if text}
        elif name in ("cell", "edit", "pin"):
            assert (value is None) == (text == "")
        else:
            assert value == int(text)


@PROPERTY
@given(SENTENCES | st.text(st.sampled_from(HARD_CHARACTERS), min_size=150, max_size=400) | st.text(min_size=200))
@example("\u0301 " * 150)
@example("ᄀ\u1161" * 100)
@example("🇫🇷" * 100)
@example("👩\u200d👩\u200d👧 " * 40)
def test_what_is_kept_reads_again_as_the_same_tokens(text):
    fitted = read(text)
    assert tokenize(fitted.sentence) == fitted.tokens


@PROPERTY
@given(SENTENCES | st.text("ab 我.", min_size=150, max_size=500))
def test_at_most_200_characters_and_64_tokens_are_kept_and_the_rest_is_counted(text):
    fitted = read(text)
    of_200 = tokenize(text[:200])
    assert fitted.tokens == of_200[:64]
    assert fitted.tokens_left_out == len(of_200[64:])


@each(
    "text, tokens, tokens_left_out",
    [
        ("", 0, 0),
        (" \t\0 ", 0, 0),
        ("a" * 200, 1, 0),
        ("a" * 201, 1, 0),
        ("a" * 10_000, 1, 0),
        ("我" * 64, 64, 0),
        ("我" * 65, 64, 1),
        ("a " * 64, 64, 0),
        ("a " * 100, 64, 36),
        ("a " * 5_000, 64, 36),
        ("ab " * 67, 64, 3),
    ],
)
def test_the_limits_of_a_sentence_by_hand(text, tokens, tokens_left_out):
    fitted = read(text)
    assert (len(fitted.tokens), fitted.tokens_left_out) == (tokens, tokens_left_out)


@pytest.mark.parametrize("text", ["the  dog,\tthe cat ", "a" * 200, "我" * 64, ""])
def test_a_sentence_within_the_limits_is_kept_letter_by_letter(text):
    assert read(text).sentence == text


@each("d_model", [*range(1, 65), *WIDTHS])
def test_head_counts_are_the_divisors_up_to_16(d_model):
    assert list(head_counts(d_model)) == [n for n in divisors(d_model) if n <= 16]


def test_the_slider_offers_the_widths_of_the_plan():
    assert D_MODELS == WIDTHS


@each(
    "d_model, wanted, nearest",
    [(8, 3, 2), (8, 2, 2), (12, 5, 4), (12, 8, 6), (64, 12, 8), (64, 13, 16), (4, 16, 4), (512, 16, 16), (24, 10, 8)],
)
def test_the_nearest_head_count_by_hand_and_the_smaller_of_two(d_model, wanted, nearest):
    assert heads_for(d_model, wanted) == nearest


@PROPERTY
@given(st.sampled_from(WIDTHS), st.integers(1, 16))
def test_no_valid_head_count_is_nearer_than_the_nearest(d_model, wanted):
    found = heads_for(d_model, wanted)
    valid = [n for n in divisors(d_model) if n <= 16]
    assert found in valid
    assert all(abs(found - wanted) <= abs(n - wanted) for n in valid)
    assert (found == wanted) == (wanted in valid)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_example_fits_and_follows_a_token_that_it_has(lang):
    assert len(EXAMPLES[lang]) >= 3
    for picked in EXAMPLES[lang]:
        fitted = read(picked.sentence)
        assert (fitted.sentence, fitted.tokens_left_out) == (picked.sentence, 0)
        assert 0 <= picked.query < len(fitted.tokens)


def test_an_example_has_another_language_s_example_in_its_place_and_a_typed_sentence_has_none():
    for lang, other in (("en", "zh"), ("zh", "en")):
        for number, example_there in enumerate(EXAMPLES[lang]):
            found = in_language(example_there.sentence, other)
            assert found in EXAMPLES[other], example_there
            assert number >= len(EXAMPLES[other]) or found == EXAMPLES[other][number]
    for typed in ("", "my own sentence", EXAMPLES["en"][0].sentence + " now", EXAMPLES["en"][0].sentence.upper()):
        assert in_language(typed, "zh") is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_first_visit_starts_with_the_first_example_of_its_language(lang):
    first = defaults(lang)
    assert (first.lang, first.sentence, first.query) == (
        lang,
        EXAMPLES[lang][0].sentence,
        EXAMPLES[lang][0].query,
    )
    assert fit(first) == first


def test_a_hidden_token_beyond_the_end_of_a_shorter_sentence_is_let_go():
    longer = Settings(weights="random", sentence="a b c d", hidden=(1, 2, 3))
    assert resolve(longer).settings.hidden == (1, 2, 3)
    assert resolve(replace(longer, sentence="a b c")).settings.hidden == (1, 2)


def test_a_readers_spaces_reach_the_layer_and_are_no_other_tokens():
    apart, together = (resolve(Settings(lang="zh", sentence=text)) for text in ("学 生 笑 了", "学生笑了"))
    assert apart.tokens == together.tokens
    assert apart.shown.gaps == (1, 2, 3)
    assert together.shown.gaps == ()
    keys = [here.source.key(here.settings, here.shown, here.config) for here in (apart, together)]
    assert keys[0] != keys[1]  # so that neither is shown in place of the other
    at_random = [replace(here.settings, weights="random") for here in (apart, together)]
    assert len({resolve(each).source.key(each, resolve(each).shown, apart.config) for each in at_random}) == 1
