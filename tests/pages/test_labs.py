"""The labs on what a layer learns and how big it must be; test_real.py has the one on a real model.

What they show comes here from a training of its own (visiting.learned), from a layer silenced by hand, or from a
stand-in for the training whose results are known.
"""

import math
import re
import threading
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from each import each
from visiting import (
    LANGUAGES,
    Case,
    Page,
    Visit,
    answers,
    assert_asks_before_it_tells,
    assert_needs_no_layer,
    code_spans,
    enter,
    enter_all,
    go,
    heatmaps,
    is_percent,
    is_rounded,
    learned,
    look,
    numbers,
    start,
    tabs_of,
)
from watching import watching

from attention import AttentionConfig, tokenize
from attention.grammar import RELATIONS, examples
from attention.learn import HeadReport
from pages.size import sizes
from pages.training.heads import division_of_labour
from pages.ui.layers import jobs
from pages.ui.layers.jobs import AbandonedError, Results
from pages.ui.layers.progress import TRAININGS
from pages.ui.state.examples import EXAMPLES
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

pytestmark = pytest.mark.xdist_group("learned")  # one worker trains the layers

DEFAULT = {"weights": "learned", "d_model": "32", "num_heads": "2"}
ONE_HEAD = {"weights": "learned", "d_model": "8", "num_heads": "1"}
STEPS = [0, 3, 10, 23, 42, 65, 94, 127, 166, 211, 260]
VISITS = {
    "a first visit": ("en", DEFAULT),
    "a first visit in Chinese": ("zh", {**DEFAULT, "head": "1"}),
    "early": ("en", {**DEFAULT, "checkpoint": "3", "head": "1", "query": "3"}),
    "untrained, keys hidden": ("zh", {**DEFAULT, "checkpoint": "0", "hidden": "1-3"}),
    "words swapped": ("en", {**DEFAULT, "edit": "tokens.2.8:0"}),
    "causal": ("en", {**DEFAULT, "d_model": "16", "causal": "1", "retrained": "1", "query": "6"}),
    "one head, Chinese page": ("zh", {**ONE_HEAD, "sentence": "the cat saw it", "query": "3"}),
}
ON_EVERY_VISIT = each("name", VISITS)


# In the language that the layer has not learned, every other one: neither depends on the other.
@each(
    "place, slug, number",
    [(i, *lab) for i, lab in enumerate((s, n) for s in ("training", "size") for n in range(tabs_of(s)))],
)
def test_a_lab_on_learning_asks_before_it_tells_and_one_answer_is_right(place, slug, number):
    sentence = {"sentence": EXAMPLES["en"][0].sentence, "query": "3"}
    assert_asks_before_it_tells(slug, number, LANGUAGES[place % 2], **DEFAULT, **sentence)


def settings_in(at: Visit, *without: str) -> dict[str, str]:
    return {name: text for name, text in at.query_params.items() if name not in without}


# What it learns.


@cache
def trained(name: str) -> tuple[Case, Page]:
    lang, address = VISITS[name]
    return Case.of(lang, **address), enter_all("training", lang=lang, **address)


@cache
def by_hand(config: AttentionConfig, language: str) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """For every relation: how often each head looks at the referent; and what is right with all heads, without each.

    A head is silenced where its outputs enter W_O.
    """
    layer = learned(config, language)
    looks = {name: [] for name in RELATIONS}
    right = {name: [] for name in RELATIONS}
    for silenced in (None, *range(config.num_heads)):
        batch, largest, answered = answers(layer, layer.history.checkpoints[-1], config, silenced)
        for i, relation in enumerate(RELATIONS):
            own = batch.real & (batch.relations == i)
            if own.any():
                right[relation].append(float(answered[own].double().mean()))
                if silenced is not None:
                    looks[relation].append(float((largest[:, silenced] == batch.referents)[own].double().mean()))
    return looks, right


def charts_of_lines(page: Page) -> list[dict]:
    return [chart for chart in page.charts if {trace["type"] for trace in chart["data"]} == {"scatter"}]


def curves(page: Page) -> dict[str, dict]:
    """Every line on the page by its name."""
    return {trace["name"]: trace for chart in charts_of_lines(page) for trace in chart["data"]}


def pictures(page: Page) -> list[dict]:
    """Every heatmap on the page in reading order: one head over time, then the heads and their relations."""
    return [trace for chart in page.charts for trace in heatmaps(chart)]


@ON_EVERY_VISIT
def test_the_curves_are_the_history_of_the_training(name):
    case, page = trained(name)
    history, lines = case.learned.history, curves(page)
    expected = {
        "loss": (range(1, 261), history.losses),
        "one_head": (STEPS, [checkpoint.accuracy for checkpoint in history.checkpoints]),
        "beyond": (STEPS, [checkpoint.accuracy_beyond for checkpoint in history.checkpoints]),
    }
    assert set(lines) == {label(line, case.lang) for line in expected}
    for line, (x, y) in expected.items():
        drawn = lines[label(line, case.lang)]
        np.testing.assert_array_equal(np.array(drawn["x"]), list(x))
        np.testing.assert_allclose(np.array(drawn["y"]), y, rtol=1e-6)


@ON_EVERY_VISIT
def test_a_line_marks_the_checkpoint_in_both_charts_and_points_lie_inside(name):
    case, page = trained(name)
    marks = [(shape["x0"], shape["x1"]) for chart in charts_of_lines(page) for shape in chart["layout"]["shapes"]]
    assert marks == [(STEPS[case.checkpoint],) * 2] * 2
    for chart in charts_of_lines(page):
        for trace in chart["data"]:
            low, high = chart["layout"][trace.get("yaxis", "y").replace("y", "yaxis")]["range"]
            assert low <= min(trace["y"]) <= max(trace["y"]) <= high


@ON_EVERY_VISIT
def test_six_small_pictures_show_the_chosen_head_from_the_first_to_the_last_step(name):
    case, page = trained(name)
    traces = pictures(page)[:-2]
    hidden = [int(key) for key in case.asked.get("hidden", "").split("-") if key]
    assert len(traces) == 6
    for trace, place in zip(traces, range(0, 11, 2), strict=True):
        then = case.learned.trace(case.tokens, checkpoint=place, hidden_keys=hidden, gaps=case.gaps)
        expected = then.attention.attn_weights[case.head].masked_fill(case.closed, torch.nan)
        np.testing.assert_allclose(numbers(trace["z"]), expected, rtol=1e-5, atol=1e-6)
        assert label("step", case.lang, step=STEPS[place]) in trace["name"]
    assert page.said["sharpen"] == {"head": str(case.head)}


@ON_EVERY_VISIT
def test_both_pictures_of_the_heads_are_what_silencing_by_hand_finds(name):
    case, page = trained(name)
    looks, right = by_hand(case.config, case.learned.language)
    drawn = [numbers(trace["z"]) for trace in pictures(page)[-2:]]
    relations = [relation for relation in RELATIONS if right[relation]]
    np.testing.assert_allclose(drawn[0], np.array([looks[relation] for relation in relations]).T, atol=1e-3)
    np.testing.assert_allclose(drawn[1], np.array([right[relation] for relation in relations]).T, atol=1e-3)
    for trace in pictures(page)[-2:]:
        assert list(trace["x"]) == [label(f"relation_{relation}", case.lang) for relation in relations]
    assert len(pictures(page)[-1]["y"]) == 1 + case.config.num_heads


def table(page: Page) -> list[list[str]]:
    (found,) = [text for text in page.of("markdown") if text.startswith("| ") and "---:" in text]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found.splitlines()]
    assert set(rows[1]) == {"---:"}
    return [rows[0], *rows[2:]]


@ON_EVERY_VISIT
def test_the_table_holds_every_heads_measures(name):
    case, page = trained(name)
    head, *rows = table(page)
    columns = ("head", "on_referent", "on_previous", "on_itself", "entropy", "drop")
    assert head == [label(column, case.lang) for column in columns]
    whole = case.learned.history.checkpoints[-1].accuracy
    reports = case.learned.heads()
    assert [row[0] for row in rows] == [str(number) for number in range(case.config.num_heads)]
    for row, report in zip(rows, reports, strict=True):
        values = (report.on_referent, report.on_previous, report.on_itself, report.entropy)
        for shown, value in zip(row[1:], (*values, whole - report.accuracy_without), strict=True):
            assert is_rounded(shown, value), (shown, value)


@ON_EVERY_VISIT
def test_the_words_of_the_page_state_its_numbers(name):
    case, page = trained(name)
    said, kept = page.said, case.learned.history.checkpoints
    looks, right = by_hand(case.config, case.learned.language)
    now, final = kept[case.checkpoint], kept[-1]
    told = {"alone", "alike", "different"} & set(said)
    assert set(said) == {"motivation", "task", "conventions", "curves", "sharpen", "beyond", "try", *told}
    assert len(told) == 1
    at = {"checkpoint": case.checkpoint, "gaps": case.gaps}
    best = case.learned.words(case.trace.attention.output, case.tokens, **at)[case.query]
    assert code_spans(said["task"]["word"]) == ("", [best])
    assert code_spans(said["task"]["query"]) == ("", [case.labels[case.query]])
    assert said["curves"]["step"] == str(STEPS[case.checkpoint])
    assert is_percent(said["curves"]["accuracy"], now.accuracy)
    assert is_percent(said["curves"]["beyond"], now.accuracy_beyond)
    names = [r for e in examples(case.learned.language, 300, held_out=True) for r in e.relations]
    easy = [name for name in names if RELATIONS[name] == "one head"]
    assert is_percent(said["curves"]["itself"], easy.count("itself") / len(easy))
    for relation, share in said["beyond"].items():
        assert is_percent(share, right[relation][0])
    (kind,) = told
    facts = said[kind]
    assert is_percent(facts["accuracy"], final.accuracy)
    if case.config.num_heads == 1:
        assert kind == "alone"
        return
    own = {relation: shares for relation, shares in looks.items() if shares and RELATIONS[relation] == "one head"}
    widest = max((max(shares) - min(shares), relation) for relation, shares in own.items())
    assert kind == ("alike" if widest[0] < 0.1 else "different")
    without = [report.accuracy_without for report in case.learned.heads()]
    assert is_percent(facts["lowest"], min(without))
    assert is_percent(facts["highest"], max(without))
    assert without[int(facts["needed"])] == min(without)
    assert without[int(facts["spare"])] == max(without)
    if kind == "different":
        shares = looks[widest[1]]
        assert facts["relation"] == label(f"relation_{widest[1]}", case.lang)
        assert (int(facts["most"]), int(facts["least"])) == (shares.index(max(shares)), shares.index(min(shares)))
        assert is_percent(facts["most_share"], max(shares))
        assert is_percent(facts["least_share"], min(shares))


def layer_with(accuracy: float) -> SimpleNamespace:
    whole = SimpleNamespace(accuracy=accuracy, accuracy_by_relation={"verb": 1.0, "pronoun": 0.5, "same": 0.5})
    return SimpleNamespace(history=SimpleNamespace(checkpoints=(None, whole)))


def report(without: float, verb: float, pronoun: float, same: float = 0.5) -> HeadReport:
    looks = {"verb": verb, "pronoun": pronoun, "same": same}
    return HeadReport(0.0, 0.0, 0.0, 0.0, without, looks, dict.fromkeys(looks, without))


def test_one_head_is_alone():
    assert division_of_labour(layer_with(0.75), [report(0.1, 1, 0)]) == ("alone", {"accuracy": "75.0"})


@pytest.mark.parametrize(
    ("found", "section", "facts"),
    [
        ([report(0.5, 0.5, 0.75), report(0.25, 0.5625, 0.75)], "alike", {"needed": 1, "spare": 0}),
        ([report(0.25, 0.5, 0.75), report(0.25, 0.5, 0.75)], "alike", {"needed": 0, "spare": 1}),
        ([report(0.25, 0.5, 0.75, same=1.0), report(0.25, 0.5, 0.75, same=0.0)], "alike", {"needed": 0, "spare": 1}),
        (
            [report(0.5, 0.25, 0.75), report(0.25, 0.5, 0.25), report(0.75, 0.5, 0.5)],
            "different",
            {"needed": 1, "spare": 2, "relation": "relation_pronoun", "most": 0, "most_share": "75.0", "least": 1},
        ),
        (
            [report(0.5, 0.0, 0.5), report(0.5, 0.109375, 0.5)],
            "different",
            {"relation": "relation_verb", "most": 1, "least": 0},
        ),
    ],
)
def test_heads_are_alike_where_no_relation_tells_them_apart_and_different_otherwise(found, section, facts):
    told, stated = division_of_labour(layer_with(0.875), found)
    assert told == section
    assert stated.items() >= facts.items()
    without = [one.accuracy_without for one in found]
    assert [stated[name] for name in ("accuracy", "lowest", "highest")] == [
        f"{100 * share:.1f}" for share in (0.875, min(without), max(without))
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("section", ["alike", "different"])
def test_heads_that_share_the_work_are_told_from_those_that_do_not(lang, section, monkeypatch):
    last = learned(AttentionConfig(32, 2), "en").history.checkpoints[-1]
    shares = dict.fromkeys(last.accuracy_by_relation, 0.5)
    looks = (shares, shares | ({"verb": 0.25} if section == "different" else {}))
    found = [
        HeadReport(0.5, 0.25, 0.125, 1.0, lost, own, shares) for lost, own in zip((0.25, 0.75), looks, strict=True)
    ]
    monkeypatch.setattr("pages.training.heads.reports", lambda layer: tuple(found))
    page = enter_all("training", lang=lang, sentence="the king saw it", **DEFAULT)
    expected = {"needed": "0", "lowest": "25.0", "spare": "1", "highest": "75.0"}
    if section == "different":
        expected |= {"relation": label("relation_verb", lang), "most": "0", "most_share": "50.0"}
        expected |= {"least": "1", "least_share": "25.0"}
    told = dict(page.said[section])
    assert is_percent(told.pop("accuracy"), last.accuracy)
    assert told == expected
    assert len({"alone", "alike", "different"} & set(page.said)) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_layer_keeps_the_rules_that_the_page_shows(lang):
    table = [line.split("|") for line in sections("training", lang)["conventions"].splitlines() if line.startswith("|")]
    examples = [row[3].strip().replace("*", "") for row in table[2:]]
    layer, checked = learned(AttentionConfig(32, 2), lang), 0
    for example in examples:
        sentence, _, rule = re.sub("：", ": ", example).rpartition(": ")
        words, referent = rule.split(" → ")
        said = dict(zip(tokenize(sentence or words), layer.decode(sentence or words), strict=True))
        for token in [token for word in re.split("[、,] ?", words) for token in tokenize(word)]:
            checked += 1
            assert said[token] == referent, example
    assert checked >= 9


def test_the_checkpoint_moves_the_line_and_the_words_but_not_the_heads():
    before, page = enter_all("training", **DEFAULT), enter_all("training", **DEFAULT, checkpoint="0")
    assert {shape["x0"] for chart in charts_of_lines(page) for shape in chart["layout"]["shapes"]} == {0}
    assert page.said["curves"]["step"] == "0"
    assert [trace["z"] for trace in pictures(page)] == [trace["z"] for trace in pictures(before)]
    (told,) = {"alone", "alike", "different"} & set(before.said)
    assert page.said[told] == before.said[told]


@pytest.mark.parametrize(
    ("slug", "kind", "lang"), [("training", "random", "en"), ("size", "hand", "zh"), ("training", "hand", "zh")]
)
def test_a_lab_on_learning_offers_learned_weights_where_others_are_in_force(lang, slug, kind):
    at = start(lang=lang, **{**DEFAULT, "weights": kind, "questions": "0", "experiment": "1"})
    page = go(at, slug, lang)
    assert page.of("info") == [sections("ui", lang)["only_learned"]]
    assert page.charts == []
    assert set(page.said) == {"motivation"}
    before = settings_in(at, "weights")
    (button,) = [button for button in at.button if button.key == "take_weights"]
    assert button.label == label("take_learned", lang)
    page = look(button.click().run(), slug, lang)
    assert at.query_params["weights"] == "learned"
    assert settings_in(at, "weights") == before
    assert page.of("info") == []
    assert len(page.charts) >= 1


# How big it must be.

WIDTHS, HEADS = (4, 8), (1, 2, 8)
SIZES = [(width, heads, scaled) for width in WIDTHS for heads in HEADS if heads <= width for scaled in (True, False)]


class Trainings:
    """Stands in for attention.learn: gives accuracies that are known, and notes what was asked for."""

    def __init__(self):
        self.calls: list[tuple[AttentionConfig, str]] = []
        self.before = lambda on_step: None

    def accuracy(self, width: int, heads: int, scaled: bool) -> float:
        return (width + heads / 100) / 10 + (0.0 if scaled else 0.001)

    def __call__(self, config, *, language, on_step, **_):
        self.calls.append((config, language))
        on_step(30, 260, 1.5)
        self.before(on_step)
        accuracy = self.accuracy(config.d_model, config.num_heads, config.scaled)
        return SimpleNamespace(history=SimpleNamespace(checkpoints=(SimpleNamespace(accuracy=accuracy),)))

    @property
    def sizes(self) -> list[tuple[int, int, bool]]:
        return [(config.d_model, config.num_heads, config.scaled) for config, _ in self.calls]


@pytest.fixture
def trainings(monkeypatch):
    stand_in = Trainings()
    monkeypatch.setattr(sizes, "WIDTHS", WIDTHS)
    monkeypatch.setattr(sizes, "HEADS", HEADS)
    monkeypatch.setattr(sizes, "learn", stand_in)
    monkeypatch.setattr(sizes, "_accuracies", Results(TRAININGS, 10_000))
    return stand_in


def at_size(lang: str = "en", **address: str) -> Page:
    return enter("size", lang=lang, face="notice", questions="0", **DEFAULT, **address)


def button(page: Page):
    found = [button for button in page.at.button if button.key == "sizes_button"]
    return found[0] if found else None


def bar(page: Page) -> tuple[int, str]:
    (found,) = [element.proto for element in page.elements if element.type == "progress"]
    return found.value, found.text


def assert_grid(page: Page, found: dict[tuple[int, int, bool], float]) -> None:
    """Both heatmaps hold these accuracies and nothing else, and are closed where so many heads cannot be."""
    impossible = [[width % heads > 0 for heads in HEADS] for width in WIDTHS]
    (chart,) = page.charts
    closed = [trace for trace in chart["data"] if trace["type"] == "heatmap" and "coloraxis" not in trace]
    for trace, scaled in zip(heatmaps(chart), (True, False), strict=True):
        expected = np.array([[found.get((width, heads, scaled), np.nan) for heads in HEADS] for width in WIDTHS])
        np.testing.assert_allclose(numbers(trace["z"]), expected, rtol=1e-6)
        assert [list(trace["y"]), list(trace["x"])] == [[str(n) for n in WIDTHS], [str(n) for n in HEADS]]
        marks = [mark for mark in closed if mark["xaxis"] == trace["xaxis"]]
        assert len(marks) == 1
        np.testing.assert_array_equal(~np.isnan(numbers(marks[0]["z"])), impossible)


@pytest.mark.parametrize("sentence", ["the cat saw it", ""])
def test_a_lab_about_other_layers_asks_nothing_of_the_one_in_force(sentence, monkeypatch):
    assert_needs_no_layer(monkeypatch, "size", **DEFAULT | {"sentence": sentence})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_is_trained_before_somebody_begins(lang, trainings):
    page = at_size(lang)
    assert_grid(page, {})
    assert trainings.calls == []
    assert button(page).label == label("begin", lang)
    assert bar(page) == (0, label("work_so_far", lang, done=0, total=10))
    assert set(page.said) == {"motivation", "task", "axes", "try"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_sizes_are_trained_once_begun_and_the_grid_shows_what_each_gets_right(lang, trainings):
    page = at_size(lang)
    with watching() as watched:
        page = look(button(page).click().run(), "size", lang)
    grammar = {"en": "en", "zh": "zh"}[lang]
    assert trainings.sizes == SIZES
    assert trainings.calls == [(AttentionConfig(w, h, scaled=s), grammar) for w, h, s in SIZES]
    found = {size: trainings.accuracy(*size) for size in SIZES}
    assert_grid(page, found)
    assert button(page) is None
    assert bar(page) == (100, label("work_done", lang, total=10))
    fullness = [full for full, _ in watched.bars]
    assert fullness == sorted(fullness)
    for done in range(10):
        assert label("work_so_far", lang, done=done, total=10) in {text for _, text in watched.bars}
    both = page.said["scaling_same"]
    assert both["sizes"] == "5"
    for name, scaled in (("with_it", True), ("without_it", False)):
        mean = sum(share for (_, _, is_scaled), share in found.items() if is_scaled == scaled) / 5
        assert is_percent(both[name], mean)


def test_how_far_a_training_is_shows_while_it_goes_on(trainings):
    step = label("work_now", "en", done=0, total=10, what="d_model = 4, num_heads = 1 (/ √d_k)", step=30)
    page = at_size()

    def until_seen(_):
        if len(trainings.calls) == 1:
            watched.wait_for(lambda: step in {text for _, text in watched.bars})

    trainings.before = until_seen
    with watching() as watched:
        look(button(page).click().run(), "size")
    assert {full for full, text in watched.bars if text == step} == {1}


def test_stopping_keeps_what_is_done_and_going_on_trains_the_rest(trainings, monkeypatch):
    was_left = threading.Event()

    def until_left(on_step):
        if len(trainings.calls) != 3:
            return
        watched.press(label("stop", "en"), at)
        try:
            while not was_left.wait(0.01):
                on_step(60, 260, 1.0)
        except AbandonedError:
            was_left.set()
            raise

    trainings.before = until_left
    page = at_size()
    at = page.at
    with watching() as watched:
        page = look(button(page).click().run(), "size")
    done = SIZES[:2]
    assert_grid(page, {size: trainings.accuracy(*size) for size in done})
    assert button(page).label == label("go_on", "en")
    assert bar(page) == (20, label("work_so_far", "en", done=2, total=10))
    assert page.said["none_enough"] == {}
    with monkeypatch.context() as impatient:
        impatient.setattr(jobs, "PATIENCE", 0.0)
        assert was_left.wait(10)
    trainings.before = lambda _: None
    page = look(button(page).click().run(), "size")
    assert trainings.sizes == [*SIZES[:3], *SIZES[2:]]
    assert_grid(page, {size: trainings.accuracy(*size) for size in SIZES})


def test_a_page_left_and_opened_again_shows_what_was_trained(trainings):
    page = at_size()
    before = look(button(page).click().run(), "size")
    go(page.at, "scores")
    page = go(page.at, "size")
    assert page.charts == before.charts
    assert len(trainings.calls) == len(SIZES)


def test_a_second_visitor_shares_what_the_first_has_trained(trainings):
    page = at_size()
    look(button(page).click().run(), "size")
    theirs = at_size("zh", sentence="the old king saw the princess and she smiled", query="2")
    assert_grid(theirs, {size: trainings.accuracy(*size) for size in SIZES})
    assert button(theirs) is None
    assert len(trainings.calls) == len(SIZES)


def test_results_belong_to_a_seed_a_language_masks_and_positions(trainings):
    config = AttentionConfig(32, 2)
    for size in sizes.sizes(config):
        assert sizes.training(size, "en").wait(10)
    assert sizes.missing(config, "en") == []
    others = [(config, "zh"), (replace(config, seed=1), "en"), (replace(config, causal=True), "en")]
    for other, language in [*others, (replace(config, positions=False), "en")]:
        assert len(sizes.missing(other, language)) == len(SIZES)
        assert sizes.table(other, language, scaled=True).isnan().all()
    for same in (replace(config, scaled=False), replace(config, d_model=8, num_heads=1)):
        assert sizes.missing(same, "en") == []


def test_a_chinese_sentence_has_trainings_of_its_own(trainings):
    page = at_size()
    look(button(page).click().run(), "size")
    page = at_size("zh")
    assert_grid(page, {})
    assert button(page).label == label("begin", "zh")


@pytest.mark.parametrize(
    ("enough", "section", "facts"),
    [
        ({}, "none_enough", {}),
        ({(8, 2, True)}, "enough", {"d_model": "8"}),
        ({(4, 2, True), (8, 1, True)}, "enough", {"d_model": "4"}),
        ({(4, 1, False), (8, 8, False)}, "none_enough", {}),
    ],
)
def test_the_narrowest_layer_that_gets_enough_right_is_named(trainings, enough, section, facts):
    trainings.accuracy = lambda *size: 0.95 if size in enough else 0.9499
    page = look(button(at_size()).click().run(), "size")
    assert page.said[section] == facts
    assert len({"enough", "none_enough"} & set(page.said)) == 1


@pytest.mark.parametrize(
    ("gap", "section"), [(0.0195, "same"), (0.0205, "differs"), (-0.0195, "same"), (-0.5, "differs")]
)
def test_whether_the_scaling_makes_a_difference_is_said_by_the_means(trainings, gap, section):
    trainings.accuracy = lambda width, heads, scaled: 0.5 if scaled else 0.5 + gap
    page = look(button(at_size()).click().run(), "size")
    facts = page.said[f"scaling_{section}"]
    assert facts["sizes"] == "5"
    assert is_percent(facts["with_it"], 0.5)
    assert is_percent(facts["without_it"], 0.5 + gap)
    assert len({"scaling_same", "scaling_differs"} & set(page.said)) == 1


def test_means_are_of_the_sizes_trained_both_ways_alone(trainings, monkeypatch):
    config = AttentionConfig(32, 2)
    trainings.accuracy = lambda width, heads, scaled: {(4, True): 0.25, (4, False): 0.75}.get((width, scaled), 1.0)
    for size in (replace(config, d_model=4, num_heads=1, scaled=scaled) for scaled in (True, False)):
        assert sizes.training(size, "en").wait(10)
    assert sizes.training(replace(config, d_model=8, num_heads=1), "en").wait(10)
    facts = at_size().said["scaling_differs"]
    assert facts == {"with_it": "25.0", "without_it": "75.0", "sizes": "1"}


def test_a_size_that_cannot_be_trained_says_so_and_the_page_can_be_left(trainings, monkeypatch):
    def learn(config, *, language, on_step, **_):
        raise ValueError("no room")

    monkeypatch.setattr(sizes, "learn", learn)
    at = button(at_size()).click().run()
    assert len(at.exception) == 1
    assert go(at, "scores").charts


def test_one_size_is_what_a_training_of_its_own_gets_right(monkeypatch):
    monkeypatch.setattr(sizes, "_accuracies", Results(TRAININGS, 10_000))
    config = AttentionConfig(8, 1)
    assert sizes.accuracy(config, "en") is None
    job = sizes.training(config, "en")
    while not job.wait(0.1):
        pass
    assert math.isclose(sizes.accuracy(config, "en"), learned(config, "en").history.checkpoints[-1].accuracy)
    assert job.progress[:2] == (260, 260)
