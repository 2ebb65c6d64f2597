"""The lab of word vectors: what it shows is what was learned, for the method, the words and the mixture chosen."""

import re
from functools import cache

import numpy as np
import pytest
from each import each
from trained import vectors as learned
from visiting import (
    LANGUAGES,
    Page,
    assert_asks_before_it_tells,
    assert_needs_no_layer,
    code_spans,
    enter,
    enter_all,
    go,
    is_percent,
    is_rounded,
    look,
    start,
    tabs_of,
)

from attention.vectors import CONTENT, METHODS, word_class
from pages.ui.words.labels import label
from pages.vectors.controls import FIRST

pytestmark = pytest.mark.xdist_group("vectors")  # one process learns them, once
EACH = each("method, lang", [(METHODS[0], "en"), (METHODS[0], "zh"), (METHODS[1], "en")])
NEAR, MIX = ({"experiment": number, "face": "notice", "questions": "0"} for number in ("1", "3"))
SENTENCE = {"en": "the cat saw the dog", "zh": "那只小猫睡着了"}


@pytest.fixture(autouse=True)
def _one_learning_for_all_who_ask_for_the_same(monkeypatch):
    def learn(method, *, language, seed, on_step):
        return learned(method, language, seed, on_step)

    monkeypatch.setattr("pages.vectors.controls.learn_vectors", learn)


@pytest.mark.parametrize("sentence", [SENTENCE["en"], ""])
def test_the_lab_asks_nothing_of_the_layer_in_force(sentence, monkeypatch):
    assert_needs_no_layer(monkeypatch, "vectors", weights="learned", d_model="32", num_heads="2", sentence=sentence)


@cache
def opened(method: str, lang: str) -> Page:
    return enter_all("vectors", lang=lang, sentence=SENTENCE[lang], method=method)


@each("number", range(tabs_of("vectors")))
def test_the_lab_asks_before_it_tells_and_one_answer_is_right(number):
    address = {"weights": "random", "d_model": "8", "num_heads": "2", "sentence": SENTENCE["en"]}
    assert_asks_before_it_tells("vectors", number, LANGUAGES[number % 2], **address)


def table_of(page: Page) -> list[list[str]]:
    (table,) = [text for text in page.of("markdown") if text.startswith("|")]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def cosines(table: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return table @ vector / np.linalg.norm(table, axis=1) / np.linalg.norm(vector)


@EACH
def test_the_table_lists_the_nearest_words_before_and_after(method, lang):
    rows, vectors, word = table_of(opened(method, lang)), learned(method, lang), FIRST[lang][0]
    place = vectors.words.index(word)
    for tensor, first in ((vectors.before, 0), (vectors.after, 2)):
        near = cosines(tensor.double().numpy(), tensor[place].double().numpy())
        best = [i for i in np.argsort(-near) if i != place][:5]
        listed = [vectors.words.index(row[first]) for row in rows]
        assert len({place, *listed}) == 6
        assert near[listed] == pytest.approx(near[best], abs=1e-5)  # of two as near, either may come first
        assert all(is_rounded(row[first + 1], float(near[i])) for row, i in zip(rows, best, strict=True))


@EACH
def test_the_map_shows_every_content_word_in_its_class_and_the_curve_every_loss(method, lang):
    page, vectors = opened(method, lang), learned(method, lang)
    curve, both, _ = page.charts
    assert curve["data"][0]["y"] == pytest.approx(vectors.losses)
    words = [word for word in vectors.words if word_class(word, lang) in CONTENT]
    rows = [vectors.words.index(word) for word in words]
    for axis, table in (("x", vectors.before), ("x2", vectors.after)):
        own = [trace for trace in both["data"] if trace["xaxis"] == axis]
        seen = {word: (trace["name"], x, y) for trace in own
                for word, x, y in zip(trace["text"], trace["x"], trace["y"], strict=True)}  # fmt: skip
        assert set(seen) == set(words)
        assert all(seen[word][0] == label(f"class_{word_class(word, lang)}", lang) for word in words)
        centred = table[rows].double().numpy() - table[rows].double().numpy().mean(axis=0)
        spread, axes = np.linalg.eigh(centred.T @ centred)
        for column, direction in ((1, axes[:, -1]), (2, axes[:, -2])):  # up to the sign, which is free
            drawn = np.array([seen[word][column] for word in words])
            wanted = centred @ direction
            assert min(abs(drawn - wanted).max(), abs(drawn + wanted).max()) < 1e-3 * np.sqrt(spread[-1])


@EACH
def test_what_is_said_of_classes_is_so(method, lang):
    page, vectors = opened(method, lang), learned(method, lang)
    said = page.said["agreement"]
    words = [word for word in vectors.words if word_class(word, lang) in CONTENT]
    classes = np.array([word_class(word, lang) for word in words])
    assert said["count"] == str(len(words))
    for fact, table in (("before", vectors.before), ("after", vectors.after)):
        rows = table[[vectors.words.index(word) for word in words]].double().numpy()
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        near = rows @ rows.T
        np.fill_diagonal(near, -2)
        assert is_percent(said[fact], float((classes[near.argmax(axis=1)] == classes).mean()))
    counts = [int((classes == kind).sum()) for kind in set(classes.tolist())]
    chance = sum(n * (n - 1) for n in counts) / (len(words) * (len(words) - 1))
    assert is_percent(said["chance"], chance)
    assert float(said["after"]) > 2 * float(said["before"])
    assert is_rounded(page.said["loss"]["start"], float(np.log(len(vectors.words))))


def assert_mixed(page: Page, method: str, words: tuple[str, str], percent: int) -> None:
    """The page decodes the mixture of these words in the language of its sentence."""
    said, vectors = page.said["decoded_word"], learned(method, page.lang)
    first, second = (vectors.after[vectors.words.index(word)].double().numpy() for word in words)
    near = cosines(vectors.after.double().numpy(), first * (1 - percent / 100) + second * percent / 100)
    assert tuple(code_spans(said[name]) for name in ("first", "second")) == tuple(("", [w]) for w in words)
    assert near[vectors.words.index(said["word"].strip("`"))] == pytest.approx(near.max(), abs=1e-5)
    assert is_rounded(said["cosine"], float(near.max()))
    assert said["percent"] == str(percent)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_mixture_is_decoded_to_its_nearest_word(lang):
    at = enter("vectors", lang=lang, sentence=SENTENCE[lang], **MIX).at
    for percent in (0, 30, 50, 100):
        at.slider(key="mix").set_value(percent)
        assert_mixed(look(at.run(), "vectors", lang), METHODS[0], FIRST[lang], percent)


def test_the_language_is_the_sentences_and_another_word_can_be_chosen():
    at = enter("vectors", sentence=SENTENCE["zh"], **NEAR).at
    assert at.selectbox(key="word").value == FIRST["zh"][0]
    at.selectbox(key="word").set_value("桌")
    near = [row[2] for row in table_of(look(at.run(), "vectors"))]
    assert near == [word for word, _ in learned(METHODS[0], "zh").neighbours("桌", 5)]
    assert all(re.fullmatch("[\u4e00-\u9fff]", word) for word in near)


# What is chosen is kept, in the address, too.

CHOSEN = {"en": ("cat", "garden"), "zh": ("狗", "桌")}


@pytest.mark.parametrize(("lang", "method"), zip(LANGUAGES, METHODS[::-1], strict=True))
def test_what_is_chosen_is_in_the_address_and_a_link_brings_it_back(lang, method):
    at = enter("vectors", lang=lang, sentence=SENTENCE[lang], **MIX).at
    names = ("method", "word", "other", "mix")
    assert [at.query_params[name] for name in names] == [METHODS[0], "", "", "50"]
    at.button_group(key="method").set_value(method)
    for name, word in zip(("word", "other"), CHOSEN[lang], strict=True):
        at.selectbox(key=name).set_value(word)
    at.slider(key="mix").set_value(35)
    mine = look(at.run(), "vectors", lang)
    assert_mixed(mine, method, CHOSEN[lang], 35)
    chosen = [method, *CHOSEN[lang], "35"]
    assert [at.query_params[name] for name in names] == chosen
    theirs = go(start(first=True, **at.query_params), "vectors", lang)
    assert theirs.charts == mine.charts
    assert theirs.of("markdown") == mine.of("markdown")
    widgets = theirs.at
    shown = [widgets.button_group(key="method").value, *(widgets.selectbox(key=name).value for name in names[1:3])]
    assert [*shown, str(widgets.slider(key="mix").value)] == chosen
    go(at, "scores", lang)  # whose page has none of these controls
    assert go(at, "vectors", lang).charts == mine.charts
    assert [at.query_params[name] for name in names] == chosen


def test_a_word_that_these_sentences_do_not_have_gives_way_to_the_first_one_and_comes_back():
    at = enter("vectors", sentence=SENTENCE["en"], word="cat", other="nowhere", mix="20", **MIX).at
    assert_mixed(look(at, "vectors"), METHODS[0], ("cat", FIRST["en"][1]), 20)
    at.text_area(key="sentence").set_value(SENTENCE["zh"])
    page = look(at.run(), "vectors")
    assert code_spans(page.said["decoded_word"]["first"]) == ("", [FIRST["zh"][0]])
    at.text_area(key="sentence").set_value(SENTENCE["en"])
    assert_mixed(look(at.run(), "vectors"), METHODS[0], ("cat", FIRST["en"][1]), 20)


@each("name, text", [("method", "CBOW"), ("mix", "101"), ("mix", "-1"), ("word", "a" * 41)])
def test_what_can_not_be_chosen_is_named_bad(name, text):
    page = enter("vectors", sentence=SENTENCE["en"], **MIX, **{name: text})
    (warning,) = page.of("warning")
    assert code_spans(warning)[1] == [name]
    assert_mixed(page, METHODS[0], FIRST["en"], 50)


@EACH
def test_the_lines_between_two_words_are_the_cosines_of_the_mixtures(method, lang):
    page, vectors = opened(method, lang), learned(method, lang)
    first, second = (vectors.after[vectors.words.index(word)].double().numpy() for word in FIRST[lang])
    table = vectors.after.double().numpy()
    near = np.array([cosines(table, first * (1 - share) + second * share) for share in np.arange(0, 1.001, 0.05)])
    lines = {trace["name"]: trace for trace in page.charts[-1]["data"]}
    assert {*FIRST[lang], *(vectors.words[place] for place in near.argmax(axis=1))} == set(lines)
    for word, line in lines.items():
        assert list(line["x"]) == list(range(0, 101, 5))
        assert line["y"] == pytest.approx(near[:, vectors.words.index(word)], abs=1e-5)
