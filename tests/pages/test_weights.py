"""Where the weights come from: learned, random or set by hand; the training in front of the reader; its checkpoints.

The oracle is a training of its own (visiting.learned); of the same size, seed and language it is the app's as well.
"""

import re
import threading
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
import torch
from each import each
from expected import assert_charts_show, assert_facts, expected_sections, leading
from visiting import (
    LANGUAGES,
    WALKED,
    Case,
    Page,
    Visit,
    answers,
    code_spans,
    enter,
    every_child,
    go,
    heatmaps,
    is_percent,
    learned,
    look,
    numbers,
    pattern,
    start,
    tensor_of,
    walk,
)
from watching import watching

from attention import AttentionConfig, learn, tokenize
from attention.grammar import RELATIONS
from pages.ui.layers import jobs, ready
from pages.ui.layers.jobs import AbandonedError, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.address import from_query, to_query
from pages.ui.state.examples import EXAMPLES
from pages.ui.state.resolved import resolve
from pages.ui.state.settings import Settings, defaults
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

pytestmark = pytest.mark.xdist_group("learned")  # one worker trains the layers

ENGLISH = "the old king saw the princess and she smiled"
CHINESE = "那位勇敢的国王拜访了那位公主，然后她笑了"
DEFAULT = {"weights": "learned", "d_model": "32", "num_heads": "2"}
STEPS = (0, 3, 10, 23, 42, 65, 94, 127, 166, 211, 260)
SMALL = {"d_model": "16", "num_heads": "2"}
HARD = "the `cat` saw <b>it</b> [x](y) **dog** $a_b$ :red[z] [[word]] 👍🏽 ``` Queen"


def at_small(**address: str) -> dict[str, str]:
    """An address of learned weights in which every setting differs from that of a first visit."""
    return {"weights": "learned", "d_model": "16", "causal": "1", "retrained": "1", **address}


SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "a first visit": ("en", DEFAULT),
    "a first visit in Chinese": ("zh", DEFAULT),
    "untrained": ("en", {**DEFAULT, "checkpoint": "0", "head": "1"}),
    "after three steps": ("zh", {**DEFAULT, "checkpoint": "1"}),
    "after a while": ("en", {**DEFAULT, "checkpoint": "3", "query": "6"}),
    "causal, keys hidden": ("en", at_small(hidden="0-2", query="0", checkpoint="10")),
    "the mask on the same weights": ("en", {**DEFAULT, "causal": "1", "query": "7"}),
    "not scaled, silenced": ("zh", {**DEFAULT, "scaled": "0", "edit": "head_outputs.0.0.1:0"}),
    "not scaled": (
        "zh",
        {"weights": "learned", "d_model": "16", "num_heads": "1", "scaled": "0", "retrained": "1", "query": "3"},
    ),
    "no positions": ("en", {"weights": "learned", "num_heads": "4", "head": "3", "positions": "0", "query": "4"}),
    "heads not asked to divide the work": ("zh", {"weights": "learned", "d_model": "16", "divided": "0"}),
    "keys hidden": ("zh", {**DEFAULT, "hidden": "1-3-13"}),
    "a score set by hand": ("en", {**DEFAULT, "edit": "scores.7.0.0:9"}),
    "a head silenced": ("en", {**DEFAULT, "edit": "head_outputs.0.0.1:0", "checkpoint": "9"}),
    "words swapped": ("en", {**DEFAULT, "edit": "tokens.2.5:0"}),
    "English on a Chinese page": ("zh", {**DEFAULT, "sentence": ENGLISH, "query": "7"}),
    "Chinese on an English page": ("en", {**DEFAULT, "sentence": CHINESE, "query": "17"}),
    "more Chinese than not": ("en", {**DEFAULT, "sentence": "the cat 小狗", "query": "1"}),
    "hard characters": ("en", {**DEFAULT, "sentence": HARD, "query": "4"}),
    "another sentence by hand": ("en", {"weights": "hand", "sentence": "the the cat", "query": "1"}),
    "by hand": ("zh", {"weights": "hand", "d_model": "12", "num_heads": "3", "head": "2"}),
    "by hand, causal, keys hidden": ("en", {"weights": "hand", "causal": "1", "hidden": "0", "query": "0"}),
    "by hand, neither scaled nor in order": ("en", {"weights": "hand", "scaled": "0", "positions": "0", "seed": "7"}),
    "by hand, edited": ("zh", {"weights": "hand", "edit": "embeddings.1.2:-3"}),
}
LEARNED = [name for name, (_, address) in SETTINGS.items() if address["weights"] == "learned"]


# Some are walked through all pages, the others through every other one: from the overview, or from the embedding on
# (scores, softmax and heads among them). A page draws what it gets in the same way whatever the settings are.
THROUGH_ALL = ("a first visit", "a first visit in Chinese", "heads not asked to divide the work", "hard characters")
FROM_THE_OVERVIEW = (
    "untrained",
    "after a while",
    "not scaled",
    "words swapped",
    "English on a Chinese page",
    "by hand, neither scaled nor in order",
    "by hand, causal, keys hidden",
    "the mask on the same weights",
)
PAGES_OF = dict.fromkeys(SETTINGS, WALKED[1::2]) | dict.fromkeys(FROM_THE_OVERVIEW, WALKED[::2])
PAGES_OF |= dict.fromkeys(THROUGH_ALL, WALKED)


@cache
def walked(name: str) -> tuple[Case, dict[str, Page]]:
    lang, address = SETTINGS[name]
    case = Case.of(lang, **address)
    return case, walk(lang, PAGES_OF[name], **{"query": str(case.query), **address})


def story(page: Page) -> dict[str, str]:
    """What is told of the training, with a head silenced or not."""
    (found,) = [facts for name, facts in page.said_in("story").items() if name.startswith("story")]
    return found


def nearest(case: Case, position: int | None = None) -> list[str]:
    """The word whose embedding the output row of a token, else of the query, has the largest dot product with.

    Of several as near, all. The words of the sentence stand in its own table.
    """
    own = {word.casefold() for word in case.trace.vocabulary}
    others = [i for i, word in enumerate(case.learned.vocabulary) if word.casefold() not in own]
    words = [*case.trace.vocabulary, *(case.learned.vocabulary[i] for i in others)]
    learned = case.learned.history.checkpoints[case.checkpoint].embedding
    table = torch.cat([case.trace.embedding_table, learned[others]]).double()
    row = case.trace.attention.output[case.query if position is None else position].double()
    return [words[i] for i in leading(table @ row)]


def accuracy_without(case: Case, head: int | None = None) -> float:
    """The share of the held-out words that one head can do which the layer gets right with the switches in force.

    head: its rows of W_O are 0.
    """
    now = case.learned.history.checkpoints[case.checkpoint]
    batch, _, right = answers(case.learned, now, case.config, head)
    easy = torch.tensor([takes == "one head" for takes in RELATIONS.values()])[batch.relations]
    return float(right[easy & batch.real].double().mean())


def settings_in(at: Visit, *without: str) -> dict[str, str]:
    return {name: text for name, text in at.query_params.items() if name not in without}


def case_in(at: Visit) -> Case:
    return Case.of("en", **settings_in(at, "lang"))


def take(at: Visit, kind: str) -> Visit:
    at.button_group(key="weights").set_value(kind)
    return at.run()


# A first visit.


@pytest.mark.parametrize(("lang", "sentence"), [("en", ENGLISH), ("zh", CHINESE)])
def test_a_first_visit_shows_a_learned_layer_32_wide_with_two_heads_and_the_first_sentence(lang, sentence):
    at = Visit(first=True)
    at.context["locale"] = lang
    page = look(at.run(), "overview", lang)
    assert settings_in(at) == to_query(Settings()) | {
        **DEFAULT,
        "lang": lang,
        "sentence": sentence,
        "query": str(tokenize(sentence).index({"en": "she", "zh": "她"}[lang])),
        "checkpoint": "10",
    }
    case = Case.of(lang, **DEFAULT)
    assert case.tokens == tokenize(sentence)
    assert_charts_show(page, case)
    assert at.button_group(key="weights").value == "learned"
    assert at.select_slider(key="checkpoint").value == len(STEPS) - 1
    assert at.select_slider(key="d_model").value == 32


@pytest.mark.parametrize(("lang", "word"), [("en", "princess"), ("zh", "主")])
def test_the_pronoun_of_the_first_sentence_has_found_its_noun(lang, word):
    case, pages = walked({"en": "a first visit", "zh": "a first visit in Chinese"}[lang])
    for page in pages.values():
        assert code_spans(story(page)["word"]) == ("", [word])
        assert code_spans(story(page)["query"]) == ("", [case.labels[case.query]])
    assert nearest(case) == [word]


# Every page of the walk.


ON_ITS_PAGES = each("name, slug", [(name, slug) for name in SETTINGS for slug in PAGES_OF[name]])


@ON_ITS_PAGES
def test_every_matrix_is_the_one_of_a_layer_made_independently(name, slug):
    case, pages = walked(name)
    assert_charts_show(pages[slug], case)


@ON_ITS_PAGES
def test_a_page_says_what_belongs_to_these_weights_with_their_numbers(name, slug):
    case, pages = walked(name)
    page = replace(pages[slug])
    assert set(page.said) == expected_sections(slug, case)
    decoded = page.said.pop("decoded", None)
    assert_facts(page, case)
    if decoded:
        outside, inside = code_spans(decoded["words"])
        assert inside[::2] == case.labels
        assert all(word in nearest(case, i) for i, word in enumerate(inside[1::2]))
        assert set(outside) <= set(" →;；")
    assert [text for text in page.interpreted if "[[" in code_spans(text)[0]] == []
    assert page.of("warning", "error", "info") == []


def test_settings_of_these_tests_bring_up_every_section_for_learned_weights_and_for_those_set_by_hand():
    for slug in WALKED:
        told = {section for name in SETTINGS if slug in PAGES_OF[name] for section in walked(name)[1][slug].said}
        own = {section for section in sections(slug, "en") if section.endswith(("_learned", "_hand"))}
        assert own - told == set()


# One thing changed: the switches act on the same weights; training again with them is a second step.


@each("name, off", [("causal", False), ("scaled", True), ("positions", True)])
def test_a_switch_acts_on_the_layer_as_it_is_and_training_again_is_a_second_step(name, off, monkeypatch):
    def train(config, **told):
        return learned(config, **told) if config == usual else learn(config, steps=12, **told)

    usual = AttentionConfig(32, 2)
    monkeypatch.setattr(ready, "_learned", Results(TRAININGS, 10**9, ready._numbers))
    monkeypatch.setattr(ready, "learn", train)
    at = start(**DEFAULT)
    assert [button for button in at.button if button.key == "retrain"] == []  # there is nothing to train again for
    asked = []
    training = ready.training
    monkeypatch.setattr(ready, "training", lambda *wanted: asked.append(wanted[0].trained) or training(*wanted))
    at.toggle(key=name).set_value(not off).run()
    assert set(asked) == {usual}
    assert at.query_params["retrained"] == "0"
    assert "divided" in {toggle.key for toggle in at.toggle}
    assert_tells(look(at, "overview"), Case.of("en", **DEFAULT, **{name: str(int(not off))}))
    asked.clear()
    at.button(key="retrain").click().run()
    assert replace(usual, **{name: not off}) in asked
    assert at.query_params["retrained"] == "1"
    offered = {toggle.key for toggle in at.toggle}
    assert ("divided" in offered) == (name == "scaled")  # heads that cannot look both ways are asked nothing
    at.button(key="retrain").click().run()
    assert at.query_params["retrained"] == "0"
    at.toggle(key=name).set_value(off).run()
    assert story(look(at, "overview")).keys() == {"step", "steps", "accuracy", "query", "word"}


def assert_tells(page: Page, case: Case) -> None:
    told = story(page)
    assert abs(float(told["accuracy"]) - 100 * accuracy_without(case)) < 0.15
    assert is_percent(told["whole"], case.learned.history.checkpoints[-1].accuracy)


def test_with_the_mask_on_the_same_scores_are_masked():
    plain, masked = (Case.of("en", **DEFAULT, **more) for more in ({}, {"causal": "1"}))
    assert torch.equal(plain.trace.attention.scores, masked.trace.attention.scores)
    assert torch.equal(masked.trace.attention.masked_scores == -torch.inf, masked.closed.expand(2, -1, -1))
    page = enter("softmax", **DEFAULT, causal="1", face="compare", pin="causal=0")
    assert compared(page)[1] == {"weights_same"}


# What the layer has learned so far.


@each("name", LEARNED)
def test_the_story_tells_the_step_the_accuracy_and_the_nearest_word(name):
    case, pages = walked(name)
    checkpoint = case.learned.history.checkpoints[case.checkpoint]
    (facts,) = {tuple(story(page).items()) for page in pages.values()}
    told, silenced = dict(facts), case.edit and case.edit.tensor == "head_outputs"
    switched = case.trained != case.config
    assert (told["step"], told["steps"]) == (str(STEPS[case.checkpoint]), "260")
    if silenced:  # one word more or less is a matter of the last digit of a number
        assert abs(float(told["accuracy"]) - 100 * accuracy_without(case, case.edit.head)) < 0.15
        assert float(told["accuracy"]) < 100 * checkpoint.accuracy - 1
        assert abs(float(told["whole"]) - 100 * accuracy_without(case)) < 0.15
    elif switched:
        assert abs(float(told["accuracy"]) - 100 * accuracy_without(case)) < 0.15
        assert told["switches"] in [label(f"short_{name}", case.lang) for name in ("causal", "scaled", "positions")]
    assert (told.get("head") == str(case.edit.head)) if silenced else "head" not in told
    if not (silenced and switched):  # as it was trained
        assert is_percent(told["whole" if silenced or switched else "accuracy"], checkpoint.accuracy)
    assert code_spans(told["query"]) == ("", [case.labels[case.query]])
    assert code_spans(told["word"]) in [("", [word]) for word in nearest(case)]


def test_the_layer_gets_better_with_the_steps():
    names = ("untrained", "after a while", "a first visit")
    told = [float(story(walked(name)[1]["overview"])["accuracy"]) for name in names]
    assert told[0] < 10 < told[1] < 90 < told[2]


@pytest.mark.parametrize("name", ["another sentence by hand", "by hand"])
def test_weights_that_nobody_learned_have_no_story(name):
    _, pages = walked(name)
    assert not any(page.has("story") for page in pages.values())
    assert "decoded" not in pages["heads"].said


UNKNOWN = {
    "more Chinese than not": ["the", "cat"],
    "hard characters": ["b", "x", "y", "a_b", "z"],
}  # of the sentences of the settings above, what stands in no list


@each("name", LEARNED)
def test_words_that_the_layer_does_not_know_are_named_as_they_are(name):
    case, pages = walked(name)
    unknown = UNKNOWN.get(name, [])
    for page in pages.values():
        said = page.said_in("unknown")
        assert ("unknown" in said) == bool(unknown)
        if unknown:
            outside, inside = code_spans(said["unknown"]["words"])
            assert inside == unknown
            kinds = case.learned.unknown(case.tokens)
            for word in unknown:
                assert label(f"kind_{kinds[word].lower()}", case.lang) in outside


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_new_words_are_named_beside_the_sentence_and_where_most_are_new_others_weights_are_offered(lang):
    at = start(lang=lang, weights="learned", sentence="the wug chased my sister", d_model="16")
    named = [text.value for text in at.sidebar.caption]
    assert label("new_words", lang, words=label("taken_for", lang, word="`wug`", kind=label("kind_new", lang))) in named
    assert [button for button in at.button if button.key == "instead_random"] == []
    at.text_area(key="sentence").set_value("wug zork the blick !").run()
    named = [text.value for text in at.sidebar.caption]
    assert label("mostly_new", lang) in named
    assert all(f"`{word}`" in "".join(named) for word in ("wug", "zork", "blick"))
    at.button(key="instead_random").click().run()
    look(at, "overview", lang)
    assert at.query_params["weights"] == "random"
    assert label("mostly_new", lang) not in [text.value for text in at.sidebar.caption]


def test_known_words_are_known_however_they_are_written():
    case, pages = walked("hard characters")
    words = code_spans(pages["overview"].said_in("unknown")["unknown"]["words"])[1]
    assert {"Queen", "the", "it", "👍🏽", "`", "<"} & set(words) == set()
    assert "Queen" in case.tokens


@each("slug", WALKED)
def test_words_that_the_layer_does_not_know_are_never_interpreted(slug):
    _, pages = walked("hard characters")
    for text in pages[slug].of("markdown", "caption", box="unknown") + pages[slug].of("markdown"):
        outside, _ = code_spans(text)
        assert not re.search(r"👍|:red|<b>|\[\[|\[x\]|\*\*dog", outside)


def test_the_words_that_a_layer_knows_are_those_of_the_sentences_own_script():
    case, pages = walked("more Chinese than not")
    assert "小" in case.learned.vocabulary
    assert code_spans(pages["heads"].said_in("unknown")["unknown"]["words"])[1] == ["the", "cat"]
    for name in ("English on a Chinese page", "Chinese on an English page"):
        assert not any("unknown" in page.said_in("unknown") for page in walked(name)[1].values())
        assert walked(name)[0].lang != {"E": "en", "C": "zh"}[name[0]]


@pytest.mark.parametrize(
    ("sentence", "grammar"),
    [
        ("the cat", "en"),
        ("小狗", "zh"),
        ("cat 狗", "zh"),
        ("the cat 狗", "en"),
        ("1 2 狗 狗", "zh"),
        ("，。狗", "en"),
        ("ねこ", "en"),
    ],
)
def test_a_sentence_at_least_half_chinese_has_the_chinese_grammar(sentence, grammar):
    for lang in LANGUAGES:
        assert resolve(Settings(lang=lang, sentence=sentence)).language == grammar


def test_an_empty_sentence_has_the_grammar_of_the_page():
    assert [resolve(Settings(lang=lang, sentence="  ")).language for lang in LANGUAGES] == list(LANGUAGES)


# The controls.


@pytest.mark.parametrize("slug", ["overview", "heads"])
def test_weights_change_at_once_and_back_and_nothing_else_does(slug):
    chosen = {"sentence": "the old king saw the princess and she smiled", "query": "7", "hidden": "3", "head": "1"}
    at = enter(slug, **DEFAULT, **chosen).at
    before = settings_in(at, "weights")
    assert before.items() >= chosen.items()
    for kind in ("random", "hand", "learned", "hand", "random", "learned"):
        page = look(take(at, kind), slug)
        assert settings_in(at, "weights") == before
        assert at.query_params["weights"] == kind
        case = Case.of("en", **{**DEFAULT, **chosen, "weights": kind})
        assert_charts_show(page, case)
        assert set(page.said) == expected_sections(slug, case)
        steps = [slider.key for slider in at.select_slider]
        assert ("checkpoint" in steps) == (kind == "learned")
        assert {"d_model", "num_heads"} <= set(steps)
        assert label(f"about_{kind}", "en") in " ".join(caption.value for caption in at.sidebar.caption)


def test_the_checkpoint_moves_the_page_through_the_training_and_is_kept_while_other_weights_are_in_force():
    at = enter("softmax", **DEFAULT).at
    assert at.select_slider(key="checkpoint").options == [label("step", "en", step=step) for step in STEPS]
    for place in (0, 3, 9):
        at.select_slider(key="checkpoint").set_value(place)
        page = look(at.run(), "softmax")
        assert at.query_params["checkpoint"] == str(place)
        assert_charts_show(page, Case.of("en", **DEFAULT, checkpoint=str(place)))
        assert story(page)["step"] == str(STEPS[place])
    take(take(at, "hand"), "random")
    assert at.query_params["checkpoint"] == "9"
    assert story(look(take(at, "learned"), "softmax"))["step"] == "211"


@pytest.mark.parametrize(("lang", "other"), [LANGUAGES, LANGUAGES[::-1]])
def test_another_language_leaves_the_training_where_it_stands(lang, other):
    at = start(first=True, lang=lang)

    def assert_stands_at(place: int, now: str, *, is_told: bool) -> None:
        page, slider = look(at, "overview", now), at.select_slider(key="checkpoint")
        assert slider.options == [label("step", now, step=step) for step in STEPS]
        assert (slider.value, at.query_params["checkpoint"]) == (place, str(place))
        told = [label("step", now, step=STEPS[place])] if is_told else []  # a browser that is not told keeps its place
        assert (slider.proto.set_value, list(slider.proto.raw_value)) == (is_told, told)
        assert story(page)["step"] == str(STEPS[place])
        assert_charts_show(page, Case.of(now, **DEFAULT, checkpoint=str(place), head=at.query_params["head"]))

    assert_stands_at(10, lang, is_told=True)
    at.speak(other)
    assert_stands_at(10, other, is_told=True)
    at.button_group(key="head").set_value(1).run()
    assert_stands_at(10, other, is_told=False)
    at.select_slider(key="checkpoint").set_value(3).run()
    at.speak(lang)
    assert_stands_at(3, lang, is_told=True)
    at.button_group(key="head").set_value(0).run()
    assert_stands_at(3, lang, is_told=False)


@pytest.mark.parametrize("first", ["learned", "random", "hand"])
def test_a_setting_without_a_widget_is_the_last_one_chosen_not_the_first(first):
    at = take(start(**DEFAULT | {"weights": first}), "learned")
    at.select_slider(key="checkpoint").set_value(4)
    at.run()
    at.button(key="hold").click()
    at.run()
    take(at, "random")
    for _ in range(2):
        at.run()
        assert at.query_params["checkpoint"] == "4"
        assert at.query_params["pin"] == "weights=learned"
    take(at, "learned")
    assert at.select_slider(key="checkpoint").value == 4


@pytest.mark.parametrize("edit", ["scores.7.5.0:3", "attn_weights.1.2.1:0.5", "head_outputs.0.0.1:0", "tokens.2.5:0"])
def test_an_edit_stays_with_another_checkpoint_and_goes_with_other_weights(edit):
    at = enter("softmax", **DEFAULT, edit=edit, head=edit.split(".")[3][0] if edit.count(".") > 2 else "0").at
    at.select_slider(key="checkpoint").set_value(3)
    page = look(at.run(), "softmax")
    assert at.query_params["edit"] == edit
    assert_charts_show(page, case_in(at))
    page = look(take(at, "random"), "softmax")
    assert at.query_params["edit"] == ""
    assert not page.has("banner")
    assert_charts_show(page, case_in(at))


def test_an_empty_sentence_trains_nothing(monkeypatch):
    calls = []
    monkeypatch.setattr(ready, "learn", lambda *args, **options: calls.append(args))
    monkeypatch.setattr(ready, "_learned", Results(TRAININGS, 10**9, ready._numbers))
    page = look(start(first=True, sentence=""), "overview")
    assert page.of("info") == [label("empty", "en")]
    assert calls == []


# The address.

BAD = {
    "weights": ["", "Learned", "learned ", "trained", "0", "ｒandom"],
    "checkpoint": ["", "-1", "11", "1.0", "x", "９", "1e0"],
    "model": ["", "a" * 201],
    "layer": ["", "-1", "99", "100", "1e0", "x"],
}


@each("name, text", [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_value_that_does_not_fit_falls_back_and_is_named(name, text):
    here, bad = from_query({name: text}, defaults("en"))
    assert (here.settings, bad) == (defaults("en"), (name,))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_names_what_does_not_fit_and_shows_the_default(lang):
    at = start(first=True, lang=lang, **{name: texts[-1] for name, texts in BAD.items()})
    page = look(at, "overview", lang)
    (warning,) = page.of("warning")
    assert code_spans(warning)[1] == list(BAD)
    assert settings_in(at) == to_query(defaults(lang))
    assert_charts_show(page, Case.of(lang, **DEFAULT))


def test_a_misspelt_kind_of_weights_is_named_and_the_rest_of_the_address_counts():
    rest = {"positions": "0", "checkpoint": "2", "scaled": "0", "head": "1"}
    at = start(first=True, weights="lerned", model="some/model", layer="5", **SMALL, **rest)
    page = look(at, "overview")
    (warning,) = page.of("warning")
    assert code_spans(warning)[1] == ["weights"]
    assert at.query_params.items() >= {"weights": "learned", "model": "some/model", "layer": "5", **rest}.items()
    assert at.button_group(key="weights").value == "learned"
    assert_charts_show(page, Case.of("en", weights="learned", **SMALL, **rest))


@pytest.mark.parametrize("name", ["after three steps", "causal, keys hidden", "by hand", "a head silenced"])
def test_the_address_shows_another_visitor_the_same_pages(name):
    case, mine = walked(name)
    theirs = start(first=True, **mine["heads"].at.query_params)
    for slug in ("heads", "embedding"):
        page = go(theirs, slug, case.lang)
        assert page.charts == mine[slug].charts
        assert page.of("markdown") == mine[slug].of("markdown")
    assert theirs.query_params == mine["heads"].at.query_params


@pytest.mark.parametrize("kind", ["learned", "random", "hand", "real"])
def test_an_address_carries_where_the_weights_come_from(kind):
    chosen = Settings(weights=kind, checkpoint=4, model="a folder/with `ticks` & 我", layer=0)
    here, bad = from_query(to_query(chosen), defaults("zh"))
    assert (here.settings, bad) == (chosen, ())


# Held and compared.

WHY = ("weights_same", "weights_cut", "weights_width", "weights_seed", "weights_kind", "weights_learned")
WHY += ("weights_checkpoint", "weights_layer")


def compared(page: Page) -> tuple[list[np.ndarray], set[str], dict[str, tuple[str, str]]]:
    """The panels of the box, what it says of the matrices, and every change that it names."""
    (chart,) = page.charts_in("compare")
    text, captions = sections("ui", page.lang), page.of("caption", box="compare")
    template, one = pattern(text["compare_changed"]), pattern(text["one_change"])
    (told,) = [match["changes"] for t in page.of("markdown", box="compare") if (match := template.fullmatch(t))]
    parts = [one.fullmatch(part) for part in told.split(label("between_changes", page.lang))]
    changes = {part["name"]: (part["before"], part["after"]) for part in parts if part}
    return [numbers(trace["z"]) for trace in heatmaps(chart)], {n for n in WHY if text[n] in captions}, changes


def assert_panels(found: list[np.ndarray], tensor: str, a: Case, b: Case) -> None:
    held, now = (tensor_of(case.trace, tensor, case.head, 0) for case in (a, b))
    expected = [held, now, now - held] if held.shape == now.shape else [held, now]
    assert len(found) == len(expected)
    for shown, values in zip(found, expected, strict=True):
        np.testing.assert_allclose(shown, values, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_learned_and_random_weights_are_compared_as_two_layers(lang):
    at = enter("heads", lang=lang, **DEFAULT).at
    at.button(key="hold").click().run()
    page = look(take(at, "random"), "heads", lang)
    panels, why, changes = compared(page)
    assert_panels(panels, "output", Case.of(lang, **DEFAULT), Case.of(lang, **{**DEFAULT, "weights": "random"}))
    assert why == {"weights_kind"}
    names = tuple(label(f"weights_{kind}", lang) for kind in ("learned", "random"))
    assert changes == {label("short_weights", lang): names}
    assert at.query_params["pin"] == "weights=learned"
    assert not page.has("story")


def test_two_moments_of_one_training_are_compared():
    at = enter("scores", **DEFAULT, checkpoint="0").at
    at.button(key="hold").click().run()
    at.select_slider(key="checkpoint").set_value(10)
    panels, why, changes = compared(look(at.run(), "scores"))
    assert_panels(panels, "scores", Case.of("en", **DEFAULT, checkpoint="0"), Case.of("en", **DEFAULT))
    assert why == {"weights_checkpoint"}
    assert changes == {label("short_checkpoint", "en"): ("0", "260")}
    at.button(key="back_to_a").click()
    page = look(at.run(), "scores")
    assert at.query_params["checkpoint"] == "0"
    assert_charts_show(page, Case.of("en", **DEFAULT, checkpoint="0"))


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"d_model": "16", "causal": "1"}, "weights_learned"),
        ({"sentence": CHINESE}, "weights_learned"),
        ({"d_model": "16", "causal": "1", "checkpoint": "3"}, "weights_learned"),
        ({"hidden": "3"}, "weights_same"),
        ({"sentence": "the king saw the book"}, "weights_same"),
        ({"weights": "hand"}, "weights_kind"),
        ({"checkpoint": "3"}, "weights_checkpoint"),
    ],
)
def test_what_was_trained_for_other_settings_is_another_layer(held, why):
    pin = "&".join(f"{name}={text}" for name, text in held.items())
    page = enter("heads", **DEFAULT, query="3", pin=pin)
    panels, said, changes = compared(page)
    assert said == {why}
    assert set(changes) == {label(f"short_{name}", "en") for name in held}
    assert_panels(panels, "output", Case.of("en", **{**DEFAULT, **held}), Case.of("en", **DEFAULT))


# The training itself.


@pytest.fixture
def workshop(monkeypatch):
    """No layer has been trained yet."""
    fresh = Results(TRAININGS, 10**9, ready._numbers)
    monkeypatch.setattr(ready, "_learned", fresh)
    return fresh


class Training:
    """Stands in for attention.learn: tells its first step until it may end, and then gives what was learned."""

    def __init__(self, monkeypatch):
        self.calls = []
        self.has_begun, self.may_end, self.was_left = (threading.Event() for _ in range(3))
        monkeypatch.setattr(ready, "learn", self)

    def __call__(self, config, *, language, on_step, **_):
        self.calls.append((config, language))
        try:
            while not self.may_end.wait(0.01):
                on_step(65, 260, 1.25)
                self.has_begun.set()
        except AbandonedError:
            self.was_left.set()
            raise
        return learned(config, language)


@pytest.fixture
def training(monkeypatch, workshop):
    return Training(monkeypatch)


def meanwhile(do) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_training_shows_how_far_it_is_and_a_way_out_and_both_go_when_it_ends(training, lang):
    template = pattern(sections("ui", lang)["training_step"])

    def end_when_seen():
        watched.wait_for(lambda: any(template.fullmatch(text) for _, text in watched.bars))
        training.may_end.set()

    with watching() as watched:
        other = meanwhile(end_when_seen)
        page = look(start(first=True, lang=lang), "overview", lang)
        other.join()
    (how_far,) = {(full, text) for full, text in watched.bars if template.fullmatch(text)}
    assert how_far[0] == 25
    facts = template.fullmatch(how_far[1]).groupdict()
    assert facts == {"step": "65", "steps": "260", "loss": "1.25"}
    told = [m.groupdict() for t in watched.captions() if (m := pattern(sections("ui", lang)["training"]).fullmatch(t))]
    assert told[0] == {"d_model": "32", "heads": "2"}
    assert label("rather_random", lang) in watched.labels("button")
    assert "rather_random" not in {button.key for button in page.at.button}
    assert [element for element in page.elements if element.type == "progress"] == []
    assert_charts_show(page, Case.of(lang, **DEFAULT))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_is_there_at_once_with_the_layer_as_it_stands_and_then_as_it_has_learned(lang, monkeypatch, workshop):
    may_end, place = threading.Event(), {"en": 3, "zh": 0}[lang]

    def train(config, *, language, on_checkpoint, **_):
        whole = learned(config, language)
        history = whole.history
        kept, losses = history.checkpoints[: place + 1], history.losses[: history.checkpoints[place].step]
        now = kept[-1]
        on_checkpoint(replace(whole, **vars_of(now), history=replace(history, checkpoints=kept, losses=losses)))
        assert may_end.wait(60)
        return whole

    monkeypatch.setattr(ready, "learn", train)
    monkeypatch.setattr(ready, "SHOWN_AT_ONCE", True)
    at = start(lang=lang, **DEFAULT, query={"en": "7", "zh": "17"}[lang])
    try:
        for slug in WALKED[place % 2 :: 2]:  # pages work while the layer learns, and are true of the step shown
            page = go(at, slug, lang)
            so_far = Case.of(lang, **DEFAULT, checkpoint=str(place))
            assert_charts_show(page, so_far)
            assert_facts(page, so_far)
            step, steps = so_far.learned.history.checkpoints[place].step, 260
            assert page.scene["reached"] == place  # which the overview's picture names
            assert label("learning", lang, step=step, steps=steps) in "".join(page.of("html"))
        lab = enter("training", lang, experiment="1", face="notice", questions="0", **DEFAULT)
        assert lab.said["curves"]["step"] == str(step)
    finally:
        may_end.set()
    assert ready.training(resolve(from_query(dict(at.query_params), defaults(lang))[0].settings)).wait(60)
    page = go(at, "overview", lang)
    assert_charts_show(page, Case.of(lang, **DEFAULT))
    assert "learning" not in "".join(page.of("html"))


def test_what_a_head_does_is_told_as_soon_as_the_layer_has_learned_even_while_its_page_is_drawn(monkeypatch):
    # Nobody has asked for a layer yet.
    monkeypatch.setattr(ready, "_learned", Results(TRAININGS, 10**9, ready._numbers))

    def seen(at):
        said = [caption.value for caption in at.sidebar.caption]
        waits = [e for e in every_child(at.main) if getattr(e, "type", "") == "bidi_component"]
        return label("job_later", "en") in said, any(e.proto.id.endswith("-again") for e in waits)

    at = start(**DEFAULT)
    assert seen(at) == (True, True)  # it was trained after the sidebar was drawn, so the page is drawn again
    assert seen(at.run()) == (False, False)


def vars_of(checkpoint):
    return {name: getattr(checkpoint, name) for name in ("weights", "kinds", "positions")}


def test_before_the_first_step_the_training_says_that_it_makes_up_sentences(monkeypatch, workshop):
    def learn(config, *, language, on_step, **_):
        watched.wait_for(lambda: sections("ui", "en")["training_words"] in [text for _, text in watched.bars])
        return learned(config, language)

    monkeypatch.setattr(ready, "learn", learn)
    with watching() as watched:
        look(start(first=True), "overview")
    assert {full for full, _ in watched.bars} == {0}


@pytest.mark.parametrize(("d_model", "section"), [("128", "training"), ("256", "training_long")])
def test_a_wide_layer_is_said_to_take_its_time(monkeypatch, workshop, d_model, section):
    said = {name: pattern(sections("ui", "en")[name]) for name in ("training", "training_long")}

    def learn(*_, **__):
        watched.wait_for(lambda: any(text.fullmatch(t) for t in watched.captions() for text in said.values()))
        raise ValueError("enough")

    monkeypatch.setattr(ready, "learn", learn)
    with watching() as watched:
        start(first=True, d_model=d_model)
    found = {name: m for t in watched.captions() for name, text in said.items() if (m := text.fullmatch(t))}
    assert set(found) == {section}
    assert found[section]["d_model"] == d_model


def test_two_visitors_share_one_training_and_the_second_sees_none(training):
    training.may_end.set()
    mine = look(start(first=True), "overview")
    with watching() as watched:
        theirs = look(start(first=True), "overview")
        go(theirs.at, "heads")
    assert training.calls == [(AttentionConfig(32, 2), "en")]
    assert watched.bars == []
    assert label("rather_random", "en") not in watched.labels("button")
    assert theirs.charts == mine.charts


def test_who_comes_while_another_waits_joins_the_same_training(training):
    job = ready.training(resolve(defaults("en")))

    def end_when_seen():
        watched.wait_for(lambda: any(full == 25 for full, _ in watched.bars))
        assert not job.has_ended
        training.may_end.set()

    with watching() as watched:
        other = meanwhile(end_when_seen)
        look(start(first=True), "overview")
        other.join()
    assert len(training.calls) == 1
    assert job.outcome() is learned(AttentionConfig(32, 2), "en")


def test_what_looks_different_but_is_the_same_layer_is_trained_once(training):
    training.may_end.set()
    at = start(first=True, sentence="the cat saw it")
    for change in ({"head": "1"}, {"query": "3"}, {"hidden": "2"}, {"checkpoint": "0"}, {"edit": "scores.1.1.0:2"}):
        start(first=True, **change)
    at.speak("zh")
    look(at.run(), "overview", "zh")  # the sentence was typed, so it stays
    assert len(training.calls) == 1
    start(first=True, lang="zh")
    assert training.calls[1:] == [(AttentionConfig(32, 2), "zh")]


def test_who_does_not_want_to_wait_takes_random_weights_at_once_and_the_training_is_left(training, monkeypatch):
    at = enter("scores", first=True, weights="random", sentence="the cat saw it", query="3").at
    before = settings_in(at)

    def press_when_seen():
        watched.wait_for(lambda: any(full == 25 for full, _ in watched.bars))
        watched.press(label("rather_random", "en"), at)

    with watching() as watched:
        other = meanwhile(press_when_seen)
        take(at, "learned")
        other.join()
    page = look(at, "scores")
    assert settings_in(at) == before
    assert_charts_show(page, Case.of("en", **{**DEFAULT, "weights": "random"}, sentence="the cat saw it", query="3"))
    assert "rather_random" not in {button.key for button in at.button}
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    assert training.was_left.wait(10)
    monkeypatch.undo()


def test_a_training_that_was_left_begins_anew_for_the_next(training, monkeypatch):
    left = ready.training(resolve(defaults("en")))
    assert training.has_begun.wait(10)
    with monkeypatch.context() as impatient:
        impatient.setattr(jobs, "PATIENCE", 0.0)
        assert training.was_left.wait(10)
    assert left.wait(10)
    assert isinstance(left.error, AbandonedError)
    training.may_end.set()
    assert_charts_show(look(start(first=True), "overview"), Case.of("en", **DEFAULT))
    assert len(training.calls) == 2


def test_a_training_that_is_abandoned_under_the_eyes_of_its_watcher_begins_anew(monkeypatch, workshop):
    calls = []

    def train(config, *, language, on_step, **_):
        calls.append(config)
        if len(calls) < 3:
            threading.Event().wait(0.3)
            raise AbandonedError
        return learned(config, language)

    monkeypatch.setattr(ready, "learn", train)
    page = look(start(first=True), "overview")
    assert len(calls) == 3
    assert not page.has("training")
    assert_charts_show(page, Case.of("en", **DEFAULT))


def test_a_training_that_fails_says_so_once_a_run_and_other_weights_still_work(monkeypatch, workshop):
    calls = []

    def learn(config, *, language, on_step, **_):
        calls.append(config)
        raise ValueError("no room")

    monkeypatch.setattr(ready, "learn", learn)
    at = start(first=True)
    for tries in (1, 2):  # nothing of it is kept, so the next run tries again
        assert len(at.exception) == 1
        assert len(calls) == tries
        at.run()
    assert at.markdown[0].value.startswith(f"# {sections('overview', 'en')['title']}\n")
    assert_charts_show(look(take(at, "random"), "overview"), Case.of("en", **{**DEFAULT, "weights": "random"}))


def test_trained_layers_are_weighed_by_all_the_numbers_of_their_checkpoints():
    layer = learned(AttentionConfig(32, 2), "en")
    kept = [[p.kinds, p.positions, *vars(p.weights).values()] for p in layer.history.checkpoints]
    count = sum(tensor.numel() for tensors in kept for tensor in tensors if isinstance(tensor, torch.Tensor))
    assert ready._numbers(layer) == count
    assert count < ready.MOST_NUMBERS / 20


def test_the_first_example_of_each_language_is_the_one_of_these_tests():
    assert {lang: EXAMPLES[lang][0].sentence for lang in LANGUAGES} == {"en": ENGLISH, "zh": CHINESE}


def test_a_layer_and_the_one_held_beside_it_can_both_learn_in_one_run(monkeypatch):
    monkeypatch.setattr(ready, "learn", partial(learn, steps=12))
    at = start(first=True, lang="en", d_model="4", num_heads="1", seed="811", pin="seed=812")
    page = look(at, "overview")
    assert at.session_state["visit"].settings.pin.seed == 812
    assert page.charts_in("compare")
    assert page.said_in("story")["story"]["steps"] == "12"


LOOKS = {  # each example with a verb between its subject and its object: the verb, who does it, whom it is done to
    ENGLISH: ("saw", "king", "princess"),
    ENGLISH.replace("she", "he"): ("saw", "king", "princess"),
    "Anna lost her ring in the quiet garden": ("lost", "Anna", "ring"),
    CHINESE: ("拜", "王", "主"),
    CHINESE.replace("她", "他"): ("拜", "王", "主"),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_heads_page_opens_on_a_verb_whose_heads_look_at_who_does_it_and_at_whom_it_is_done_to(lang):
    for number, example in enumerate(EXAMPLES[lang]):
        at = start(lang=lang, **DEFAULT)
        at.text_area(key="sentence").set_value(example.sentence)
        at.run()
        at.selectbox(key="query").set_value(example.query)
        page = go(at.run(), "heads", lang)
        now = at.session_state["visit"].settings.query
        if example.sentence not in LOOKS:
            assert now == example.query
            continue
        verb, subject, object_ = LOOKS[example.sentence]
        case = Case.of(lang, **DEFAULT, sentence=example.sentence, query=str(now))
        assert case.tokens[now] == verb
        rows = case.trace.attention.attn_weights[:, now]
        assert [case.tokens[place] for place in rows.argmax(dim=1).tolist()] == [subject, object_]
        told = page.said["two_looks"]
        assert [told[name].strip("`").split()[1] for name in ("first", "second")] == [subject, object_]
        assert told["word"] == f"`{subject}`", number


def test_a_row_of_the_reader_s_own_stays_on_the_heads_page():
    cold = start(first=True, lang="en")
    assert cold.session_state["visit"].settings.query == 7
    at = go(cold, "heads").at
    assert at.session_state["visit"].settings.query == 3
    at.selectbox(key="query").set_value(7)
    assert go(at.run(), "heads").at.session_state["visit"].settings.query == 7  # it opens so once
    link = start(first=True, lang="en", query="7")
    assert go(link, "heads").at.session_state["visit"].settings.query == 7
    other = start(first=True, lang="en")
    other.selectbox(key="query").set_value(5)
    assert go(other.run(), "heads").at.session_state["visit"].settings.query == 5
    for way in ({"weights": "random"}, {"weights": "hand"}):
        at = start(first=True, lang="en", **way)
        before = at.session_state["visit"].settings.query
        assert go(at, "heads").at.session_state["visit"].settings.query == before


@pytest.mark.parametrize(
    ("lang", "sentence", "query", "pair"),
    [
        ("en", "the animal did not cross the street because it was too tired", "8", {"animal", "street"}),
        ("zh", "奖杯放不进箱子，因为它太大了", "10", {"杯", "箱"}),
    ],
)
def test_two_heads_that_look_at_different_nouns_for_a_pronoun_are_named(lang, sentence, query, pair):
    address = {**DEFAULT, "sentence": sentence, "query": query}
    rows = Case.of(lang, **address).trace.attention.attn_weights[:, int(query)]
    assert {tokenize(sentence)[place] for place in rows.argmax(dim=1).tolist()} == pair
    told = enter("heads", lang, **address).said["apart"]
    assert {told[name].strip("`").split()[1] for name in ("first", "second")} == pair
