"""A visit: whatever a browser says of a widget is checked, and the settings alone are the truth."""

import re
from dataclasses import replace
from itertools import cycle
from unittest.mock import patch

import pytest
from visiting import LANGUAGES, WALKED, Case, Visit, enter, go, look, start

from attention import tokenize
from attention.tokens import _clusters as clusters
from pages import WALK
from pages.ui.state.examples import EXAMPLES
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

TYPED = "I love deep learning because it is powerful"


def settings_of(at: Visit):
    return at.session_state["visit"].settings


NONSENSE = {
    "query": [{"string_value": "5 no such token"}, {"string_value": ""}, {}],
    "head": [{"string_array_value": {"data": []}}, {"string_array_value": {"data": ["9"]}}, {}],
    "weights": [{"string_array_value": {"data": []}}, {"string_array_value": {"data": ["no such kind"]}}, {}],
    "hidden": [{"string_array_value": {"data": ["0 no", "1 such"]}}, {"string_array_value": {"data": ["", ""]}}],
    "d_model": [{"string_array_value": {"data": []}}, {}],
    "ask_row": [{"string_value": "99 nothing"}, {"string_value": ""}],
    "ask_column": [{"string_value": "99 nothing"}, {"string_value": ""}],
    "ask_tensor": [{"string_value": "__class__"}, {"string_value": ""}],
}


@pytest.mark.parametrize("key", NONSENSE)
def test_what_makes_no_sense_leaves_the_page_whole_and_the_settings_as_they_were(key):
    at = enter("softmax").at
    for value in NONSENSE[key]:
        before, title = settings_of(at), look(at, "softmax").of("title")
        at.send(key, **value)
        assert look(at, "softmax").of("title") == title, value  # and no exception
        if key in ("query", "d_model") and not value.get("string_value", ""):  # Streamlit itself reads the first option
            assert replace(settings_of(at), **{key: getattr(before, key)}) == before, value
        else:
            assert settings_of(at) == before, value
        at.run()
        assert look(at, "softmax").charts != [], value


def test_what_the_browser_sends_of_the_page_before_leads_nobody_back_as_its_back_button_does():
    """An AppTest that was led to another page goes on speaking of the one before, as a browser that is behind does."""
    at = enter("scores").at
    at.follow("scaling")
    at.run()
    assert look(at, "scaling").of("title") == [sections("scaling", "en")["title"]]
    at.back()
    assert look(at, "scores").of("title") == [sections("scores", "en")["title"]]


def test_another_language_brings_its_own_sentence_and_changes_nothing_else():
    at = go(start(first=True, weights="random", seed="7", d_model="16", num_heads="4", head="3"), "scores").at
    before = settings_of(at)
    for lang in ("zh", "en"):
        at.speak(lang)
        at.run()
        now, first = settings_of(at), EXAMPLES[lang][0]
        assert (now.lang, now.sentence, now.query) == (lang, first.sentence, first.query)
        assert (now.seed, now.d_model, now.num_heads, now.head) == (7, 16, 4, 3)
        assert look(at, "scores", lang).of("title")
    assert settings_of(at) == before


def test_another_language_leaves_a_typed_sentence_alone():
    at = go(start(sentence=TYPED, query="3"), "scores").at
    at.speak("zh")
    now = settings_of(at)
    assert (now.lang, now.sentence, now.query) == ("zh", TYPED, 3)


def test_the_followed_word_is_found_again_in_another_sentence_until_another_row_is_chosen():
    at = go(start(sentence="the dog saw the cat", query="1"), "scores").at

    def typed(sentence):
        at.text_area(key="sentence").set_value(sentence).run()
        return tokenize(sentence)[settings_of(at).query]

    assert typed("now a big dog saw it") == "dog"
    assert typed("a cat saw it run") == "it"
    assert typed("a cat saw a bird") == "bird"
    assert typed("the dog is back") == "dog"
    at.selectbox(key="query").set_value(3).run()
    assert typed("so back it came") == "back"


def test_an_emptied_box_does_not_make_the_page_forget_its_word():
    at = go(start(sentence="the dog saw it run", query="1"), "scores").at
    for sentence in ("", "now the dog sleeps"):
        at.text_area(key="sentence").set_value(sentence).run()
    assert tokenize("now the dog sleeps")[settings_of(at).query] == "dog"


@pytest.mark.parametrize(
    ("weights", "slugs"),
    [
        ("random", WALKED[::2]),
        ("hand", WALKED[1::2]),
        pytest.param("learned", WALKED, marks=pytest.mark.xdist_group("learned")),
    ],
)
def test_a_sentence_is_cut_into_tokens_once_a_run(weights, slugs):
    at = start(weights=weights, d_model="32", sentence="the dog saw the cat", edit="tokens.1.4:0")
    calls = []

    def counted(text):
        calls.append(text)
        return clusters(text)

    with patch("attention.tokens._clusters", counted):  # whoever asks for it, and for what
        for slug in slugs:
            calls.clear()
            go(at, slug)
            assert calls == ["the dog saw the cat"], slug


def test_a_long_text_stays_in_its_box_and_only_its_beginning_is_used():
    at = go(start(), "scores").at
    at.text_area(key="sentence").set_value("word " * 60).run()
    at.run()
    assert at.text_area(key="sentence").value == "word " * 60
    assert settings_of(at).sentence == ("word " * 60)[:200]


@pytest.mark.parametrize(("slug", "lang"), zip(WALK, cycle(LANGUAGES), strict=False))
def test_small_numbers_are_whole_and_the_way_back_leads_to_what_one_had(slug, lang):
    mine = {"sentence": "a b c d e f", "d_model": "16", "num_heads": "4", "head": "2", "causal": "1", "query": "3"}
    at = enter(slug, lang=lang, **mine).at
    at.ask({"act": "small"}, of="guide")
    page = look(at, slug, lang)
    assert (at.query_params["d_model"], at.query_params["num_heads"], at.query_params["weights"]) == ("4", "2", "hand")
    of_the_layer = ("sentence", "weights", "d_model", "num_heads", "positions")
    case = Case.of(lang, **{name: at.query_params[name] for name in of_the_layer})
    assert len(case.tokens) == 3
    for tensor in ("x", "q", "k", "v", "scores"):
        values = case.trace.x if tensor == "x" else getattr(case.trace.attention, tensor)
        assert bool((values == values.round()).all())
    (link,) = re.findall(r"data-act='small'[^>]*>([^<]+)<", " ".join(page.html("")))
    assert link == label("small_back", lang)
    at.ask({"act": "small"}, of="guide")
    assert {name: at.query_params[name] for name in mine} == mine
    (link,) = re.findall(r"data-act='small'[^>]*>([^<]+)<", " ".join(look(at, slug, lang).html("")))
    assert link == label("small_first", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_small_numbers_open_on_a_row_that_shows_something(lang):
    at = enter("scores", lang=lang).at
    at.ask({"act": "small"}, of="guide")
    asked = {name: at.query_params[name] for name in at.query_params}
    case = Case.of(**asked)
    spread = [max(row) - min(row) for row in case.trace.attention.scores[0].tolist()]
    assert spread[case.query] == max(spread) > 0
    row = asked.pop("query")
    assert enter("scores", **asked).at.query_params["query"] == row
    assert enter("scores", **asked, query="0").at.query_params["query"] == "0"  # the link has chosen it


@pytest.mark.parametrize(("slug", "lang"), zip(WALK, cycle(LANGUAGES[::-1]), strict=False))
def test_every_step_says_what_one_can_do_after_it(slug, lang):
    (body,) = [body for body in enter(slug, lang=lang).html("") if "class='can'" in body]
    assert re.findall(r"data-did='(\w+)'>(.*?) <small>", body) == [
        (deed, sections(slug, lang)[f"can_{deed}"]) for deed in ("watch", "ask", "answer")
    ]
