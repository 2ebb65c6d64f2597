"""The lab of word vectors: what it shows is what was learned, for the method, the words and the mixture chosen."""

import re
from itertools import product

import numpy as np
import pytest
from visiting import LANGUAGES, enter, is_rounded, look

from attention.vectors import CONTENT, METHODS, Vectors, learn_vectors, word_class
from pages.ui.labels import label
from pages.ui.wordvectors import FIRST

pytestmark = pytest.mark.xdist_group("vectors")  # one process learns them, once
EACH = pytest.mark.parametrize(("method", "lang"), list(product(METHODS, LANGUAGES)))
SENTENCE = {"en": "the cat saw the dog", "zh": "那只小猫睡着了"}


_tables: dict[tuple[str, str, int], Vectors] = {}


def learned(method: str, lang: str, seed: int = 0, on_step=None) -> Vectors:
    """Word vectors. The same arguments give the same numbers (see test_vectors.py of the core): once is enough."""
    if (method, lang, seed) not in _tables:
        _tables[method, lang, seed] = learn_vectors(method, language=lang, seed=seed, on_step=on_step)
    return _tables[method, lang, seed]


@pytest.fixture(autouse=True)
def _one_training_for_all_who_ask_for_the_same(monkeypatch):
    def learn(method, *, language, seed, on_step):
        return learned(method, language, seed, on_step)

    monkeypatch.setattr("pages.ui.wordvectors.learn_vectors", learn)


def opened(method: str, lang: str):
    at = enter("vectors", lang=lang, sentence=SENTENCE[lang]).at
    if method != METHODS[0]:
        at.button_group(key="vectors_method").set_value(method)
        at.run()
    return at


def page_of(at, lang: str):
    return look(at, "vectors", lang)


def cosines(table: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return table @ vector / np.linalg.norm(table, axis=1) / np.linalg.norm(vector)


@EACH
def test_the_table_lists_the_nearest_words_before_and_after(method, lang):
    at, vectors, word = opened(method, lang), learned(method, lang), FIRST[lang][0]
    (table,) = [text for text in page_of(at, lang).of("markdown") if text.startswith("|")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
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
    page, vectors = page_of(opened(method, lang), lang), learned(method, lang)
    curve, both = page.charts
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
    page, vectors = page_of(opened(method, lang), lang), learned(method, lang)
    said = page.said["agreement"]
    words = [word for word in vectors.words if word_class(word, lang) in CONTENT]
    classes = np.array([word_class(word, lang) for word in words])
    assert said["count"] == str(len(words))
    for fact, table in (("before", vectors.before), ("after", vectors.after)):
        rows = table[[vectors.words.index(word) for word in words]].double().numpy()
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        near = rows @ rows.T
        np.fill_diagonal(near, -2)
        assert is_rounded(said[fact], float((classes[near.argmax(axis=1)] == classes).mean()))
    counts = [int((classes == kind).sum()) for kind in set(classes.tolist())]
    chance = sum(n * (n - 1) for n in counts) / (len(words) * (len(words) - 1))
    assert is_rounded(said["chance"], chance)
    assert float(said["after"]) > 2 * float(said["before"])
    assert is_rounded(page.said["loss"]["start"], float(np.log(len(vectors.words))))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("percent", [0, 30, 50, 100])
def test_a_mixture_is_decoded_to_its_nearest_word(lang, percent):
    at, vectors = opened(METHODS[0], lang), learned(METHODS[0], lang)
    at.slider(key="vectors_share").set_value(percent)
    at.run()
    said = page_of(at, lang).said["decoded_word"]
    first, second = (vectors.after[vectors.words.index(word)].double().numpy() for word in FIRST[lang])
    near = cosines(vectors.after.double().numpy(), first * (1 - percent / 100) + second * percent / 100)
    assert near[vectors.words.index(said["word"].strip("`"))] == pytest.approx(near.max(), abs=1e-5)
    assert is_rounded(said["cosine"], float(near.max()))
    assert (said["percent"], said["first"], said["second"]) == (str(percent), *(f"`{word}`" for word in FIRST[lang]))


def test_the_language_is_the_sentences_and_another_word_can_be_chosen():
    at = enter("vectors", sentence=SENTENCE["zh"]).at
    at.selectbox(key="vectors_word_zh").set_value("桌")
    at.run()
    (table,) = [text for text in page_of(at, "en").of("markdown") if text.startswith("|")]
    near = learned(METHODS[0], "zh").neighbours("桌", 1)[0][0]
    assert near in table.splitlines()[2]
    assert re.search("[\u4e00-\u9fff]", table)
