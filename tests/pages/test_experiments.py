"""The labs with experiments of their own: each asks before it tells, in both languages, and tells every fact."""

import json
import re

import pytest
from each import each
from visiting import LANGUAGES, Page, Visit, assert_one_answer_is_right, enter, heatmaps, look, numbers, radios

from attention import AttentionConfig, trace_by_hand, trace_sentence
from pages import DEEPENS, GROUPS, WALK
from pages.cost import measure
from pages.root import dots
from pages.ui.lab import shows_the_layer
from pages.ui.state.resolved import resolve
from pages.ui.state.settings import DECLARED, Settings
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

LABS = [slug for group, slugs in GROUPS.items() if group != "learning" for slug in slugs]
ADDRESS = {"weights": "random", "d_model": "8", "num_heads": "2"}
pytestmark = pytest.mark.xdist_group("experiments")


def experiments(slug: str) -> list[str]:
    """The experiments of a lab, by the tabs that its words name; a lab without tabs has one."""
    return [name.removeprefix("tab_") for name in sections(slug, "en") if name.startswith("tab_")] or [""]


EVERY = [(slug, number) for slug in LABS for number, _ in enumerate(experiments(slug))]


ON_THE_LAYER = [(slug, number) for slug, number in EVERY if shows_the_layer(slug, Settings(experiment=number))]
# Each in one language, every other one in the other: what a lab does is the same in both, and that both languages have
# the same texts with the same facts is tested in test_prose.py.
IN_TURN = [(LANGUAGES[place % 2], slug, number) for place, (slug, number) in enumerate(EVERY)]


@each("lang, slug, number", IN_TURN)
def test_every_experiment_opens_by_a_link_asks_before_it_tells_and_has_one_right_answer(lang, slug, number):
    """In the first experiment of a lab the reader asks to see it, in the others an answer uncovers it."""
    page = enter(slug, lang, experiment=str(number), face="notice", **ADDRESS)
    at = page.at
    assert page.of("title") == [sections(slug, lang)["title"]] or page.of("markdown")
    assert_whole(page)
    page = look(at.turn("turn"), slug, lang)
    is_asked = any(button.key == "show_me" for button in at.button)
    if is_asked:
        assert_whole(page)
        assert not any(key.startswith("notice_") for key in page.said), "told before it was asked"
        if number == 0 or not radios(at):
            at.button(key="show_me").click()
            at.run()
    assert_one_answer_is_right(at, slug, lang)
    told = {name: facts for name, facts in look(at.turn("notice"), slug, lang).said.items() if "notice_" in name}
    assert told, (slug, number)
    assert not re.search(r"\b(nan|None|tensor)\b", str(told))


def assert_whole(page: Page) -> None:
    assert not [text for text in page.interpreted if "[[" in text or re.search(r"\b(nan|None|tensor)\b", text)]


TYPED = {"cross", "context", "paper"}  # where something else than the sentence is typed
ONE_TOKEN = ("a", "?", "的")  # of which each experiment has one
HARD = ("a a a", "🙂 `x` | $y$ <b> 我 喜欢 猫", "word " * 70)


@each("place", range(len(EVERY)))
def test_an_experiment_says_what_to_do_or_shows_something_whatever_is_typed(place):
    slug, number = EVERY[place]
    sizes = {"d_model": "4", "num_heads": "4"}, {"d_model": "12", "num_heads": "4", "causal": "1"}
    reads = EVERY[place] in ON_THE_LAYER or slug in TYPED
    for turn, sentence in enumerate(("", ONE_TOKEN[place % 3], *(HARD if reads else ()))):
        address = {"weights": "random", "sentence": sentence, "second": sentence, "given": sentence}
        size = sizes[(place + turn) % 2]
        page = enter(slug, "zh", experiment=str(number), face="notice", questions="0", **address, **size)
        if sentence:
            assert_all_is_there_at_once(page, EVERY[place] in ON_THE_LAYER)


def assert_all_is_there_at_once(page: Page, is_on_the_layer: bool) -> None:
    """Without questions nothing is asked first, and an experiment on the layer has the faces of the layer."""
    assert not radios(page.at)
    assert not any(button.key == "show_me" for button in page.at.button)
    faces = [face for group in page.at.button_group if group.key == "face" for face in group.options]
    of_the_layer = {label(f"face_{face}", page.lang) for face in ("number", "compare")}
    assert of_the_layer & set(faces) == (of_the_layer if is_on_the_layer else set())


@each("slug", [*LABS, *GROUPS["learning"]])
def test_a_lab_asks_at_least_twice(slug):
    assert sum(name.startswith("ask_") for name in sections(slug, "en")) >= 2


def test_the_tabs_of_a_lab_are_its_experiments():
    for slug in LABS:
        names = experiments(slug)
        if names != [""]:
            page = enter(slug, "en", **ADDRESS)
            (tabs,) = [group for group in page.at.button_group if group.key == "experiment"]
            assert list(tabs.options) == [sections(slug, "en")[f"tab_{n}"] for n in names]


def test_a_click_on_a_cell_of_the_painted_mask_closes_it_and_another_one_opens_it():
    at = enter("masks", "en", mask="painted", questions="0", **ADDRESS).at
    for expected in ("66", ""):
        points = [{"customdata": [66]}]
        said = {"selection": {"points": points, "point_indices": [0], "box": [], "lasso": []}}
        at.send("masks_paint", string_value=json.dumps(said))
        assert at.query_params["painted"] == expected


def test_what_is_measured_on_demand_is_there_after_the_button():
    at = enter("same", "en", face="notice", questions="0", **ADDRESS).at
    assert "nn.MultiheadAttention" not in " ".join(at.markdown.values)
    at.button(key="measure").click()
    at.run()
    assert "nn.MultiheadAttention" in " ".join(at.markdown.values)


def test_a_redraw_takes_other_random_numbers():
    at = enter("root", "en", questions="0", face="notice", **ADDRESS).at
    before = look(at, "root").said["notice_variance"]["at_none"]
    at.button(key="draw_again").click()
    at.run()
    assert look(at, "root").said["notice_variance"]["at_none"] != before
    assert (at.query_params["seed"], at.query_params["shift"] == "0") == ("0", False)  # the layer stays


@each("lang", LANGUAGES)
def test_the_glossary_leads_from_every_term_to_its_page_in_both_languages(lang):
    page = enter("glossary", lang, **ADDRESS)
    body = " ".join(page.html(""))
    for name in (name for name in sections("glossary", lang) if name.startswith("term_")):
        for each_lang in LANGUAGES:
            assert sections("glossary", each_lang)[name] in body


@each("slug", [slug for slugs in GROUPS.values() for slug in slugs])
def test_a_step_leads_to_the_labs_that_deepen_it(slug):
    step = DEEPENS[slug]
    if step in WALK:
        body = " ".join(enter(step, "en", **ADDRESS).html(""))
        (found,) = re.findall("<p class='deeper'>.*?</p>", body)
        assert f"data-page='{slug}'" in found


def test_trainings_on_demand_are_told_with_what_leaving_out_the_division_costs(monkeypatch):
    shares = {16: (0.98, 0.96), 64: (0.99, 0.91)}
    monkeypatch.setattr(
        dots, "trained", lambda config, _: dots.Course((3.0, 2.0), shares[config.head_dim][not config.scaled])
    )
    for lang in LANGUAGES:
        said = enter("root", lang, experiment="4", questions="0", face="notice", **ADDRESS).said
        assert said["cost_training"] == {"narrow": "2.00", "wide": "8.00"}


def test_what_was_uncovered_stays_so_when_a_control_is_moved_and_other_experiments_stay_covered():
    at = enter("root", "en", experiment="1", **ADDRESS).at
    assert any(button.key == "show_me" for button in at.button)
    radios(at)[0].set_value(0)
    at.run()
    at.select_slider(key="width").set_value(256)
    at.run()
    assert not any(button.key == "show_me" for button in at.button)
    assert "notice_spread" in look(at.turn("notice"), "root").said
    at.button_group(key="experiment").set_value(2)
    at.run()
    assert not any(name.startswith("notice_") for name in look(at, "root").said)


@pytest.mark.parametrize(
    ("more", "section"),
    [
        ({"positions": "1"}, "notice_on"),
        ({"positions": "0"}, "notice_off"),
        ({"positions": "0", "hidden": "2"}, "notice_off"),
        ({"positions": "0", "edit": "scores.1.2.0:9"}, "notice_off"),
        ({"positions": "0", "causal": "1"}, "notice_causal"),
    ],
)
def test_what_is_said_of_shuffled_words_is_what_the_rows_do(more, section):
    address = {"shift": "3", "questions": "0", "face": "notice", **ADDRESS, **more}
    said = enter("order", "en", **address).said
    (found,) = [name for name in said if name.startswith("notice_")]
    assert found == section
    assert (float(said[found]["largest"].replace("≈ 0", "0")) < 1e-3) is (section == "notice_off")


@each("weights, is_mixing", [("random", True), ("hand", False)])
def test_that_a_missing_w_o_changes_the_numbers_is_said_where_it_does(weights, is_mixing):
    address = ADDRESS | {"weights": weights, "sentence": "the dog saw the cat", "experiment": "7"}
    said = enter("mistakes", "en", questions="0", face="notice", **address).said
    layer = trace_sentence if weights == "random" else trace_by_hand
    attention = layer("the dog saw the cat", AttentionConfig(8, 2)).attention
    largest = float((attention.output - attention.joined).abs().max())
    (found,) = [name for name in said if name.startswith("notice_")]
    assert found == ("notice_mixing" if is_mixing else "notice_mixing_same")
    assert float(said[found]["mixing"].replace("≈ ", "")) == pytest.approx(largest, abs=0.005)
    assert (largest > 0.01) is is_mixing


@each(
    "given, section",
    [("1 0 / 0 1 ; 1 0 / 0 1", "slip_unseen"), ("1 0 / 0 1 ; 1 0 / 1 1", "slip_seen")],
)
def test_that_softmax_down_the_columns_shows_in_the_sums_of_rows_is_said_where_it_does(given, section):
    """By hand: scores 1, 0 / 0, 1; and 1, 1 / 1, 2, divided by √2, whose second column has the shares 0.330, 0.670."""
    said = enter("paper", "en", experiment="1", given=given, questions="0", face="notice", **ADDRESS).said
    assert {"slip_seen", "slip_unseen"} & set(said) == {section}
    if section == "slip_seen":
        found = [float(said[section][name]) for name in ("first", "last")]
        assert found == pytest.approx([0.5 + 0.330, 0.5 + 0.670], abs=0.006)


def test_the_curve_of_n_squared_ends_where_the_measurement_does(monkeypatch):
    monkeypatch.setattr(measure, "measured", lambda n: measure.Times(*[n * 1e-6, n * 1e-7, n * 1e-7, n * 1e-7], n, n))
    page = enter("cost", "en", questions="0", face="notice", **ADDRESS)
    (chart,) = [chart for chart in page.charts if {trace["type"] for trace in chart["data"]} == {"scatter"}]
    lines = {trace["name"]: trace for trace in chart["data"]}
    last = len(measure.LENGTHS) - 1
    assert numbers(lines["n²"]["y"])[last] == pytest.approx(numbers(lines["our core"]["y"])[last])
    assert numbers(lines["n²"]["y"])[0] == pytest.approx(2.048 * (16 / 2048) ** 2)
    assert page.said["grown_time"] == {"growth": "2.00", "fused": "0.10", "short": "0.10", "long": "0.10"}


def test_the_memory_drawn_and_told_is_what_was_measured(monkeypatch):
    times = [1.0, 1.0, 1.0, 1.0]
    monkeypatch.setattr(measure, "measured", lambda n: measure.Times(*times, 4 * 2**20 * n, 2**20 * n))
    page = enter("cost", "en", experiment="1", questions="0", face="notice", **ADDRESS)
    (chart,) = [chart for chart in page.charts if {trace["type"] for trace in chart["data"]} == {"scatter"}]
    lines = {trace["name"]: numbers(trace["y"]).tolist() for trace in chart["data"]}
    assert lines["our core"] == [4 * 2**20 * n for n in measure.LENGTHS]
    assert lines["16 n²"] == [16 * n * n for n in measure.LENGTHS]
    assert lines["16 n · d_k"] == [16 * n * 64 for n in measure.LENGTHS]
    assert page.said["held_memory"] == {"ours": "8192.00", "fused": "2048.00", "share": "4.00"}


@pytest.mark.parametrize("width", ["1", "16", "1024"])
def test_the_divisor_of_the_slider_divides_the_readers_own_row(width):
    address = ADDRESS | {"sentence": "the dog saw the cat", "query": "4", "experiment": "3", "width": width}
    page = enter("root", "en", questions="0", face="notice", **address)
    row = trace_sentence("the dog saw the cat", AttentionConfig(8, 2)).attention.scores[0, 4]
    wanted = (row / int(width) ** 0.5).softmax(-1)
    drawn = [numbers(trace["z"]) for chart in page.charts for trace in heatmaps(chart)]
    assert drawn[1] == pytest.approx(wanted[None].numpy(), abs=1e-6)
    assert page.said["notice_row"]["own"] == f"{float(wanted.max()):.2f}"
    assert page.said["divides"]["d_k"] == "4"


def test_that_a_head_divides_is_said_only_while_it_does():
    for scaled, section in (("1", "divides"), ("0", "divides_off")):
        said = enter("root", "en", experiment="3", scaled=scaled, questions="0", face="notice", **ADDRESS).said
        assert {"divides", "divides_off"} & set(said) == {section}


@pytest.mark.parametrize(
    ("address", "section"),
    [
        (ADDRESS, "same_entry"),
        ({"weights": "learned", "d_model": "8", "num_heads": "1"}, "other_kind"),
        ({"weights": "learned", "d_model": "8", "num_heads": "1", "second": "the fish slept"}, "same_entry"),
    ],
)
def test_why_an_embedding_is_the_same_or_not_is_told_by_what_it_is(address, section):
    settings = {"sentence": "the old fish swam", "query": "2", "second": "they fish in the lake"} | address
    said = enter("context", "en", questions="0", face="notice", **settings).said
    assert {"same_entry", "other_kind"} & set(said) == {section}
    assert (said["notice_word"]["embedding"] == "0.00") is (section == "same_entry")


@each("slug, bars", [("rivals", 1), ("masks", 2), ("today", 1)])
def test_weights_side_by_side_share_one_colour_bar(slug, bars):
    page = enter(slug, "en", questions="0", face="notice", **ADDRESS)
    (chart,) = [chart for chart in page.charts_in("stage") or page.charts if "coloraxis1" in chart["layout"]]
    assert len([name for name in chart["layout"] if name.startswith("coloraxis")]) == bars


@each(
    "slug, experiment, name, beyond, offered",
    [
        ("paper", 0, "hides", 6, 6),
        ("masks", 0, "window", 9, 8),
        ("today", 1, "window", 0, 8),
        ("today", 2, "softcap", 51, 7),
        ("root", 1, "width", 2048, 11),
    ],
)
def test_a_control_offers_every_value_that_an_address_may_name_and_no_other(slug, experiment, name, beyond, offered):
    address = {"experiment": str(experiment), "mask": "window", name: str(beyond)}
    at = enter(slug, "en", questions="0", **ADDRESS, **address).at
    assert name in " ".join(box.value for box in at.warning)
    slider = at.select_slider(key=name)
    assert len(slider.options) == offered
    assert DECLARED[name].value.allows(slider.value, resolve(Settings()).scope)


@each(
    "slug, absent",
    [("masks", "causal"), ("cross", "causal"), ("root", "scaled"), ("root", "causal"), ("rivals", "scaled")],
)
def test_a_switch_that_decides_nothing_in_a_lab_is_not_there(slug, absent):
    experiment = {"root": "3"}.get(slug, "0")
    keys = {box.key for box in enter(slug, "en", experiment=experiment, **ADDRESS).at.toggle}
    assert absent not in keys
    assert "positions" in keys


def _chosen(at: Visit) -> str:
    """The cell of the address, as a run that changed it, or one that did not, leaves it."""
    cell = at.query_params["cell"]
    return cell if isinstance(cell, str) else cell[0]


# One experiment of each lab: all that show the layer have the same panel.
ONE_OF_A_LAB = dict(ON_THE_LAYER)


@each("slug, number", ONE_OF_A_LAB.items())
def test_a_lab_that_shows_the_layer_explains_its_numbers_and_tells_two_settings_apart(slug, number):
    address = ADDRESS | {"sentence": "the dog saw the cat", "experiment": str(number), "questions": "0"}
    at = enter(slug, "en", **address).at
    assert at.query_params["cell"] == ""
    at.turn("number")
    page = look(at, slug)
    tensor, row, column, head = _chosen(at).split(".")
    truth = trace_sentence("the dog saw the cat", AttentionConfig(8, 2)).attention.attn_weights[int(head), int(row)]
    assert tensor == "attn_weights"
    assert int(column) == int(truth.argmax())
    (told,) = page.of("caption", box="inspector")[:1]
    assert f"**{float(truth.max()):.2f}**" in told
    at.ask({"cell": "q.2.1.0"})
    assert _chosen(at) == "q.2.1.0"
    at.turn("compare")
    assert look(at, slug).has("compare")


def test_a_lab_of_its_own_numbers_offers_neither():
    at = enter("cost", "en", face="number", cell="scores.0.0.0", questions="0", **ADDRESS).at
    assert not look(at, "cost").has("inspector")
    assert not look(enter("paper", "en", face="compare", **ADDRESS).at, "paper").has("compare")
