"""The app as a visitor's session sees it: every page, both languages, extreme settings, hostile sentences."""

import html
import re
from collections import Counter
from functools import cache
from itertools import cycle
from urllib.parse import parse_qsl

import hypothesis
import numpy as np
import pytest
from each import each
from expected import assert_charts_show, assert_facts, expected_sections, leading
from hypothesis import given
from hypothesis import strategies as st
from visiting import (
    BOXES,
    LANGUAGES,
    ROOT,
    WALKED,
    Case,
    Page,
    Visit,
    code_spans,
    cut,
    enter,
    go,
    heatmaps,
    look,
    numbers,
    of_the_quiz,
    pattern,
    start,
    texts_of,
    walk,
)

from attention import tokenize
from pages import PAGES, WALK
from pages.ui.state.examples import EXAMPLES
from pages.ui.state.settings import MODEL
from pages.ui.words.prose import sections

SENTENCES = {"en": "the animal did not cross the street because it was too tired", "zh": "我 喜欢 猫 因为 猫 很 可爱"}
LONG = {"en": "a dog " * 33, "zh": "".join(chr(0x4E00 + i) for i in range(80))}
SETTINGS = {
    "a first visit": {},
    "the widest": {"d_model": "512", "num_heads": "16", "head": "15"},
    "the narrowest": {"d_model": "4", "num_heads": "4", "head": "2"},
    "the first row closed": {"causal": "1", "hidden": "0", "query": "0"},
    "every key hidden": {"sentence": "我 喜欢 猫", "hidden": "0-1-2-3", "query": "1"},
    "a padding mask": {"hidden": "1-3", "query": "2", "head": "1"},
    "not scaled": {"scaled": "0", "d_model": "32", "num_heads": "1"},
    "no positions": {"positions": "0", "causal": "1", "seed": "4711", "query": "4"},
    "one letter": {"sentence": "a"},
    "learned": {"weights": "learned", "d_model": "16", "checkpoint": "6", "query": "1", "head": "1"},
    "by hand": {"weights": "hand", "d_model": "4", "positions": "0"},
    "one word twice": {"sentence": "the the", "query": "1", "num_heads": "1"},
    "too many tokens": {"sentence": "LONG", "d_model": "512", "num_heads": "16", "query": "63", "causal": "1"},
}


# What it ought to say and show.


@pytest.mark.parametrize(
    ("text", "outside", "inside"),
    [("a `b` c", "a  c", ["b"]), ("`` 0 ` ``", "", ["0 `"]), ("`a``b`", "", ["a``b"]), ("a ``b` c", "a ``b` c", [])],
)
def test_the_reader_of_code_spans_reads_them(text, outside, inside):
    assert code_spans(text) == (outside, inside)


# Every page, both languages, extreme settings. One session walks all the pages of one setting.


def case_of(setting: str, lang: str) -> Case:
    address = dict(SETTINGS[setting])
    if address:
        sentence = address.get("sentence", SENTENCES[lang])
        address["sentence"] = LONG[lang] if sentence == "LONG" else sentence
    return Case.of(lang, **address)


# In one process, so that a page is made once: in the one that trains the layers.
ONE_BY_ONE = pytest.mark.xdist_group("learned")


@cache
def walked(setting: str, lang: str) -> tuple[Case, dict[str, Page]]:
    case = case_of(setting, lang)
    return case, walk(lang, **case.asked)


# Two in both languages, every other one in one: what a page does is the same in both, and that both have the same texts
# with the same facts is tested in test_prose.py.
IN_BOTH = ("a first visit", "the narrowest")
IN_TURN = dict(zip([setting for setting in SETTINGS if setting not in IN_BOTH], cycle(LANGUAGES), strict=False))
VISITS = [(setting, lang) for setting in SETTINGS for lang in LANGUAGES if IN_TURN.get(setting, lang) == lang]
IN_EVERY_SETTING = [pytest.param((s, lang), id=f"{s} - {lang}", marks=ONE_BY_ONE) for s, lang in VISITS]


@pytest.fixture(params=IN_EVERY_SETTING, scope="module")
def visit(request):
    return walked(*request.param)


ON_EVERY_PAGE = each("slug", WALKED)


@ON_EVERY_PAGE
def test_a_page_says_what_it_must_and_nothing_is_left_to_fill_in(visit, slug):
    case, pages = visit
    page = pages[slug]
    assert set(page.said) == expected_sections(slug, case)
    assert page.of("title") == [sections(slug, case.lang)["title"]]
    texts = page.interpreted + page.of("latex")
    assert [text for text in texts if "[[" in text or "]]" in text] == []
    facts = [fact for shown in page.said.values() for fact in shown.values()]
    assert [fact for fact in facts if re.search(r"\b(nan|inf|None|True|False|tensor)\b", fact)] == []
    assert page.of("warning", "error", "info") == []


@ON_EVERY_PAGE
def test_every_number_in_the_text_is_the_one_of_the_trace(visit, slug):
    case, pages = visit
    assert_facts(pages[slug], case)


@ON_EVERY_PAGE
def test_every_matrix_on_a_page_is_the_one_of_the_trace(visit, slug):
    case, pages = visit
    assert_charts_show(pages[slug], case)


@ON_EVERY_PAGE
def test_every_axis_has_one_label_for_each_row_and_column_in_order(visit, slug):
    case, pages = visit
    of_tokens = case.labels
    of_words = [f"{i} {word}" for i, word in enumerate(case.words)]
    for chart in pages[slug].charts:
        for trace in heatmaps(chart):
            shape = numbers(trace["z"]).shape
            for labels, size in ((trace["y"], shape[0]), (trace["x"], shape[1])):
                assert len(labels) == size
                if isinstance(labels[0], str):
                    assert [html.unescape(label) for label in labels] in (of_tokens, of_words)
                else:
                    assert labels == list(range(labels[0], labels[0] + size))


@ON_EVERY_PAGE
def test_every_title_of_a_matrix_states_its_true_shape(visit, slug):
    _, pages = visit
    for chart in pages[slug].charts:
        titles = [note["text"] for note in chart["layout"]["annotations"] if note["text"].startswith("<b>")]
        for title, trace in zip(titles, heatmaps(chart), strict=True):
            rows, columns = numbers(trace["z"]).shape
            assert title.startswith(f"<b>{trace['name']}</b>")
            shape = re.search(r"\d+ × \d+", title)
            assert shape is None or shape[0] == f"{rows} × {columns}"
            assert shape is not None or columns == 1 or re.match("head|头", trace["name"])


@ON_EVERY_PAGE
def test_a_closed_cell_is_marked_as_closed_on_every_matrix_of_weights(visit, slug):
    case, pages = visit
    closed = case.closed.numpy()
    for chart in pages[slug].charts:
        marks = [trace for trace in chart["data"] if trace["type"] == "heatmap" and "coloraxis" not in trace]
        for mark in marks:
            np.testing.assert_array_equal(~np.isnan(numbers(mark["z"])), closed)
        matrices_with_holes = [trace for trace in heatmaps(chart) if np.isnan(numbers(trace["z"])).any()]
        assert [mark["xaxis"] for mark in marks] == [trace["xaxis"] for trace in matrices_with_holes]


@ON_EVERY_PAGE
def test_frames_go_around_the_query_the_best_key_and_the_columns_of_the_head_and_nothing_else(visit, slug):
    case, pages = visit
    attention = case.trace.attention
    lengths = attention.attn_weights[case.head][case.query] * attention.v[case.head].norm(dim=1)
    rows = {case.query, int(lengths.argmax())} if slug == "weighted_sum" else {case.query}
    scores, d_k = attention.scores[case.head][case.query], case.config.head_dim
    of_head = (case.head * d_k, (case.head + 1) * d_k)
    key, word = int(scores.argmax()), int(case.trace.ids[case.query])
    own = {"scores": (key, key + 1), "embedding": (word, word + 1)}.get(slug, of_head)
    framed = set()
    for chart in pages[slug].charts:
        traces = {(trace["xaxis"], trace["yaxis"]): trace for trace in heatmaps(chart)}
        for frame in chart["layout"]["shapes"]:
            if frame["type"] != "rect" or frame["line"].get("width") != 2.5:
                continue
            trace = traces[frame["xref"], frame["yref"]]
            height, width = numbers(trace["z"]).shape
            down, across = ((frame[w + "0"] + 0.5, frame[w + "1"] + 0.5) for w in "yx")
            if down != (0, height) or (height == 1 and isinstance(trace["y"][0], str)):
                assert down in {(row, row + 1) for row in rows}
                framed.add(down[0])
            if across != (0, width):
                assert across == own
    assert framed == (set() if slug == "overview" else rows)


def shapes_in(formula: str) -> list[tuple[int, ...]]:
    found = re.findall(r"\\underset\{([^}]*)\}", formula)
    return [tuple(int(size) for size in shape.split(r" \times ")) for shape in found]


@ON_EVERY_PAGE
def test_the_formula_has_the_live_shapes_under_its_symbols(visit, slug):
    case, pages = visit
    n, d, h, d_k, words = (
        len(case.tokens),
        case.config.d_model,
        case.config.num_heads,
        case.config.head_dim,
        len(case.words),
    )
    expected = {
        "overview": [],
        "embedding": [[(n, d), (n, words), (words, d), (n, d)]],
        "projections": [[(n, d), (n, d), (d, d)]] * 3,
        "scores": [[(n, n), (n, d_k), (d_k, n)]],
        "scaling": [[(n, n), (n, n)]],
        "softmax": [[]],  # of one number
        "weighted_sum": [[(n, d_k), (n, n), (n, d_k)]],
        "heads": [[(n, d), (h, n, d_k)], [(n, d), (n, d), (d, d), (d,)]],
    }
    formulas = pages[slug].of("latex")
    assert [shapes_in(formula) for formula in formulas] == expected[slug]
    if slug == "scaling":
        assert (rf"\sqrt{{{d_k}}}" in formulas[0]) == case.config.scaled


def test_scaling_divides_the_variance_by_exactly_d_k_and_changes_nothing_when_off(visit):
    case, pages = visit
    before, after = (numbers(trace["z"]).astype(np.float64) for trace in heatmaps(pages["scaling"].charts[0]))
    if case.config.scaled:
        assert before.var() == pytest.approx(after.var() * case.config.head_dim, rel=1e-5, abs=1e-12)
    else:
        np.testing.assert_array_equal(before, after)


def test_rows_of_weights_on_screen_sum_to_1_or_are_closed(visit):
    case, pages = visit
    shown = [t for slug, i in (("softmax", 0), ("heads", 0)) for t in heatmaps(pages[slug].charts[i])]
    weights = [numbers(t["z"]) for t in shown if re.match("weights|权重|head|头", t["name"])]
    assert len(weights) == 1 + case.config.num_heads
    for matrix in weights:
        sums = np.nansum(matrix.astype(np.float64), axis=1)
        np.testing.assert_allclose(sums, np.where(case.closed.numpy().all(axis=1), 0, 1), atol=1e-5)


@ONE_BY_ONE
@each("slug", WALKED)
def test_the_code_on_a_page_is_the_code_of_the_core_letter_by_letter(slug):
    _, pages = walked("a first visit", "en")
    (shown,) = pages[slug].of("code")
    core = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "attention").glob("*.py"))
    functions = re.split(r"\n\n(?=def )", shown)
    assert len(functions) >= 1
    for function in functions:
        assert function.startswith("def ")
        assert f"\n{function}\n" in core


@ONE_BY_ONE
@each("slug", WALKED)
def test_the_settings_of_these_tests_bring_up_every_section_of_every_page(slug):
    said = {name for visited in VISITS for name in walked(*visited)[1][slug].said}
    of_others = ("_real", "jobs_none", "differ_free", "apart", "two_looks")  # see test_weights.py and test_real.py
    elsewhere = {name for name in sections(slug, "en") if name.endswith(of_others)}
    assert set(sections(slug, "en")) - {"title", "check_edited"} - of_the_quiz(slug) - elsewhere - said == set()


WORDS = [
    "the",
    "cat",
    "a",
    ",",
    "it's",
    "3.14",
    "internationalisation",
    "我",
    "👍🏽",
    "<b>",
    "&",
    "`",
    "$x$",
    "[[key]]",
]


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@given(
    slug=st.sampled_from(WALKED),
    lang=st.sampled_from(LANGUAGES),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=30),
    size=st.sampled_from([(4, 1), (4, 4), (12, 3), (16, 16), (24, 6), (96, 12), (512, 8)]),
    numbers=st.tuples(*[st.integers(0, 999_999)] * 3),
    switches=st.tuples(*[st.booleans()] * 3),
    hidden=st.sets(st.integers(0, 40), max_size=8),
)
def test_any_address_shows_its_own_numbers(slug, lang, words, size, numbers, switches, hidden):
    sentence = " ".join(words)[:200]
    length = min(64, len(tokenize(sentence)))
    address = {"sentence": sentence, "d_model": str(size[0]), "num_heads": str(size[1]), "seed": str(numbers[0])}
    address |= {"head": str(numbers[1] % size[1]), "query": str(numbers[2] % length)}
    address |= {name: str(int(on)) for name, on in zip(("causal", "scaled", "positions"), switches, strict=True)}
    address["hidden"] = "-".join(str(key) for key in sorted(hidden) if key < length)
    case = Case.of(lang, **address)
    if slug == "weighted_sum":  # with two equal words, which of them is the longest is chance
        shares, v = case.trace.attention.attn_weights[case.head][case.query], case.trace.attention.v[case.head]
        hypothesis.assume(len(leading(shares * v.norm(dim=1))) == len(leading(shares)) == 1)
    page = enter(slug, lang=lang, **address)
    assert set(page.said) == expected_sections(slug, case)
    assert_facts(page, case)
    assert_charts_show(page, case)


# A session: widgets, address, pages.


def settings_in(at: Visit) -> dict[str, str]:
    return {name: value for name, value in at.query_params.items() if name != "lang"}


def assert_in_force(at: Visit, slug: str, lang: str = "en", **expected: str) -> None:
    """The address says so, and the page shows the numbers of that address and no others."""
    address = settings_in(at)
    assert {name: address[name] for name in expected} == expected
    page = look(at, slug, lang)
    case = Case.of(lang, **address)
    assert_charts_show(page, case)
    assert_facts(page, case)


CHANGES = {
    "sentence": (
        lambda at: at.text_area(key="sentence").set_value("a cat is not a dog"),
        {"sentence": "a cat is not a dog", "query": "5"},  # the word that was followed is gone: the last one
    ),
    "d_model": (lambda at: at.select_slider(key="d_model").set_value(64), {"d_model": "64"}),
    "num_heads": (lambda at: at.select_slider(key="num_heads").set_value(4), {"num_heads": "4"}),
    "head": (lambda at: at.button_group(key="head").set_value(1), {"head": "1"}),
    "query": (lambda at: at.selectbox(key="query").set_value(3), {"query": "3"}),
    "scaled": (lambda at: at.toggle(key="scaled").set_value(False), {"scaled": "0"}),
    "positions": (lambda at: at.toggle(key="positions").set_value(False), {"positions": "0"}),
    "causal": (lambda at: at.toggle(key="causal").set_value(True), {"causal": "1"}),
    "hidden": (lambda at: at.multiselect(key="hidden").set_value([5, 1]), {"hidden": "1-5"}),
}


# The first step whose numbers a switch can change.
ACTS_FROM = {"scaled": WALK.index("scaling"), "causal": WALK.index("softmax"), "hidden": WALK.index("softmax")}


@pytest.mark.parametrize("slug", WALKED)
def test_every_control_changes_the_numbers_on_the_page_and_the_address_at_once(slug):
    at = enter(slug).at
    in_force: dict[str, str] = {}
    for place, (name, (change, address)) in enumerate(CHANGES.items(), start=WALKED.index(slug)):
        steps_since = WALK.index(slug) - ACTS_FROM.get(name, 0) if slug in WALK else 1
        if steps_since < 0:
            with pytest.raises(KeyError):  # what changes nothing on a page is not there
                change(at)
            continue
        if steps_since and place % 2:  # from the second step on every other one: all steps draw what they get alike
            continue
        change(at)
        at.run()
        in_force |= address
        assert_in_force(at, slug, **in_force)


@each("name", CHANGES)
def test_a_control_changes_its_own_setting_and_no_other(name):
    at = start(sentence=SENTENCES["en"], query="2")
    before = settings_in(at)
    change, address = CHANGES[name]
    change(at)
    at.run()
    assert settings_in(at) == before | address


FAR_FROM_DEFAULT = {
    "sentence": "one two three two one",
    "d_model": "24",
    "num_heads": "6",
    "head": "5",
    "query": "4",
    "causal": "1",
    "scaled": "0",
    "positions": "0",
    "hidden": "0-2",
    "seed": "77",
}


def test_settings_survive_a_walk_through_every_page_and_back():
    at = start(**FAR_FROM_DEFAULT)
    for slug in (*WALKED, *reversed(WALKED)):
        go(at, slug)
        assert_in_force(at, slug, **FAR_FROM_DEFAULT)


@pytest.mark.parametrize("slug", WALK)
def test_a_click_on_a_name_in_the_overview_leads_to_the_step_with_every_setting(slug):
    at = start(**FAR_FROM_DEFAULT)
    page = look(at.follow(slug), slug)
    assert page.of("title") == [sections(slug, "en")["title"]]
    assert_in_force(at, slug, **FAR_FROM_DEFAULT)


@ONE_BY_ONE
def test_every_step_can_be_reached_from_the_overview_by_the_names_of_the_matrices_that_it_makes():
    (chart,) = walked("a first visit", "en")[1]["overview"].charts
    panels = zip(heatmaps(chart), chart["layout"]["meta"], strict=True)
    leads = {trace["name"]: panel["leads_to"] for trace, panel in panels}
    assert set(leads.values()) == set(WALK)
    assert leads["X"] == "embedding"
    assert leads["Q<sub>0</sub>"] == leads["W<sub>V</sub>"] == "projections"
    assert (leads["scores"], leads["scaled"], leads["masked"]) == ("scores", "scaling", "softmax")
    assert (leads["head 0 out"], leads["joined"], leads["output"]) == ("weighted_sum", "heads", "heads")


def test_settings_chosen_on_one_page_are_in_force_on_the_next():
    at = start()
    for (change, _), slug in zip(CHANGES.values(), (*WALK, "overview", "softmax"), strict=True):
        go(at, slug)
        change(at)
        at.run()
    address = settings_in(at)
    go(at, "weighted_sum")
    assert_in_force(at, "weighted_sum", **address)


def test_changing_the_language_changes_the_words_and_keeps_every_setting():
    at = enter("softmax", **FAR_FROM_DEFAULT).at
    at.speak("zh")
    at.run()
    assert at.query_params["lang"] == "zh"
    assert look(at, "softmax", "zh").of("title") == [sections("softmax", "zh")["title"]]
    assert_in_force(at, "softmax", "zh", **FAR_FROM_DEFAULT)
    at.speak("en")
    at.run()
    assert look(at, "softmax", "en").of("title") == [sections("softmax", "en")["title"]]
    assert_in_force(at, "softmax", **FAR_FROM_DEFAULT)


@pytest.mark.parametrize(
    ("locale", "lang"), [("zh-CN", "zh"), ("zh", "zh"), ("en-GB", "en"), ("de", "en"), (None, "en")]
)
def test_a_first_visit_speaks_the_language_of_the_browser(locale, lang):
    at = Visit()
    at.context["locale"] = locale
    at.run()
    page = look(at, "overview", lang)
    assert page.of("title") == [sections("overview", lang)["title"]]
    assert_charts_show(page, Case.of(lang))


def test_a_link_s_language_beats_the_browser_s():
    at = Visit()
    at.context["locale"] = "zh-CN"
    at.query_params["lang"] = "en"
    assert look(at.run(), "overview", "en").of("title") == [sections("overview", "en")["title"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_follow_the_theme_of_the_reader(theme):
    at = Visit()
    at.context["theme"] = theme
    at.run()
    for slug in WALKED if theme == "dark" else ("overview", "heads"):  # light is what comes of forgetting it
        assert (int(go(at, slug).scene["theme"]["ink"][1:3], 16) > 128) == (theme == "dark")


def test_the_browser_s_back_button_leads_to_the_settings_of_its_address():
    at = enter("scores").at
    at.select_slider(key="d_model").set_value(64)
    at.run()
    at.back(d_model="16", seed="5")
    assert at.select_slider(key="d_model").value == 16
    assert_in_force(at, "scores", d_model="16", seed="5")


@pytest.mark.parametrize("of", ["guide", "pointer"])
def test_what_is_pressed_before_the_browser_has_heard_of_a_change_does_not_take_the_change_back(of):
    at = enter("scores").at
    for _ in range(2):  # the first runs of a visit, too
        before = dict(at.query_params)
        at.select_slider(key="d_model").set_value(64)
        at.run()
        at.query_params.update(before)  # what the browser still believes
        at.ask({"act": "nothing"}, of=of)
        at.run()
        assert at.query_params["d_model"] == "64"
        assert_in_force(at, "scores", d_model="64")
        at.select_slider(key="d_model").set_value(8)
        at.run()


def test_the_address_of_one_session_shows_another_visitor_the_same_numbers_on_every_page():
    mine = start()
    for change, _ in CHANGES.values():
        change(mine)
        mine.run()
    theirs = start(**mine.query_params)
    for slug in WALKED[::2]:
        assert go(mine, slug).charts == go(theirs, slug).charts
        assert look(mine, slug, "en").of("markdown") == look(theirs, slug, "en").of("markdown")
    assert mine.query_params == theirs.query_params


def test_every_link_on_a_page_carries_the_settings_and_leads_to_its_neighbours():
    at = start(**FAR_FROM_DEFAULT)
    every = FAR_FROM_DEFAULT | {"lang": "en", "questions": "1", "cell": "", "edit": "", "pin": ""}
    every |= {"weights": "random", "checkpoint": "10", "model": MODEL, "layer": "0", "retrained": "0", "divided": "1"}
    every |= {"experiment": "0", "width": "64", "mask": "causal", "window": "2", "painted": ""}
    every |= {"second": "", "shift": "0", "given": "", "hides": "0", "image": "cross", "kv_heads": "1", "softcap": "0"}
    every |= {"method": "cbow", "word": "", "other": "", "mix": "50", "face": "number", "present": "0"} | {
        "way": "0",
        "moment": "0",
    }
    for place, slug in enumerate(WALKED):
        page = go(at, slug)
        links = [
            (html.unescape(address), to)
            for body in page.html("")
            for address, to in re.findall(r"<a href='([^']*)' data-page='(\w+)'", body)
        ]
        for address, to in links:
            path, _, query = address.partition("?")
            assert path == ("/" if to == "overview" else f"/{to}")
            assert dict(parse_qsl(query, keep_blank_values=True)) == every
        counts = Counter(to for _, to in links)
        assert set(counts) == set(PAGES)  # the steps and the labs
        neighbours = [WALKED[i] for i in (place - 1, place + 1) if 0 <= i < len(WALKED)]
        for neighbour in neighbours:
            assert counts[neighbour] >= 2  # the steps, and the foot of the page


def test_a_narrower_layer_takes_the_nearest_number_of_heads_and_says_so_once():
    at = enter("heads", d_model="12", num_heads="3", head="2").at
    assert at.toast.values == []
    at.select_slider(key="d_model").set_value(8)
    at.run()
    (said,) = at.toast.values
    assert re.findall(r"\d+", said) == ["3", "8", "2"]
    assert (at.select_slider(key="num_heads").value, at.select_slider(key="num_heads").options) == (
        2,
        ["1", "2", "4", "8"],
    )
    assert_in_force(at, "heads", d_model="8", num_heads="2", head="1")
    at.run()
    assert at.toast.values == []
    assert_in_force(at, "heads", d_model="8", num_heads="2", head="1")


def test_a_width_that_the_heads_divide_changes_nothing_but_itself_and_says_nothing():
    at = start(d_model="12", num_heads="3", head="2")
    at.select_slider(key="d_model").set_value(96)
    at.run()
    assert at.toast.values == []
    assert_in_force(at, "overview", d_model="96", num_heads="3", head="2")
    assert at.select_slider(key="num_heads").value == 3
    assert at.button_group(key="head").value == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d_model", "7"),
        ("num_heads", "-1"),
        ("head", "abc"),
        ("query", ""),
        ("seed", "1e3"),
        ("hidden", "８"),
        ("lang", "fr"),
    ],
)
def test_a_bad_value_in_the_address_gives_one_warning_that_names_it(name, text):
    at = Visit()
    at.query_params[name] = text
    for slug in ("overview", "softmax"):
        page = go(at, slug) if slug != "overview" else look(at.run(), slug)
        (warning,) = page.of("warning")
        assert re.findall("`([^`]+)`", warning) == [name]
        assert_in_force(at, slug, d_model="32" if name == "d_model" else "8", num_heads="2", head="0", query="7")


def test_all_bad_values_are_named_in_one_warning_that_goes_with_the_next_choice():
    at = start(d_model="7", seed="x", causal="maybe", positions="0")
    (warning,) = look(at, "overview", "en").of("warning")
    assert sorted(re.findall("`([^`]+)`", warning)) == ["causal", "d_model", "seed"]
    at.toggle(key="scaled").set_value(False)
    at.run()
    assert look(at, "overview", "en").of("warning") == []
    assert_in_force(at, "overview", scaled="0", positions="0", d_model="32", causal="0", seed="0")


def test_new_random_weights_change_the_seed_and_every_learned_number():
    at = enter("projections").at
    before = [numbers(trace["z"]) for trace in heatmaps(look(at, "projections", "en").charts[0])]
    (button,) = at.sidebar.button
    button.click()
    at.run()
    seed = at.query_params["seed"]
    assert seed != "0"
    after = [numbers(trace["z"]) for trace in heatmaps(look(at, "projections", "en").charts[0])]
    assert all((old != new).all() for old, new in zip(before, after, strict=True))
    assert_in_force(at, "projections", seed=seed)
    assert any(seed in caption for caption in at.sidebar.caption.values)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_picking_an_example_sets_the_sentence_and_the_query_and_shows_every_key(lang):
    at = start(lang=lang, sentence="a b c", query="1", hidden="0-2")
    known = {example.sentence: example for both in LANGUAGES for example in EXAMPLES[both]}
    offered = [known[sentence] for sentence in at.selectbox(key="example").options]
    assert offered[: len(EXAMPLES[lang])] == list(EXAMPLES[lang])
    for number, picked in list(enumerate(offered))[LANGUAGES.index(lang) :: 2]:  # the others in the other language
        at.selectbox(key="example").set_value(number)
        at.run()
        assert at.text_area(key="sentence").value == picked.sentence
        assert at.selectbox(key="query").value == picked.query
        assert_in_force(at, "overview", lang, sentence=picked.sentence, query=str(picked.query), hidden="")
        assert at.selectbox(key="example").value is None


def test_a_shorter_sentence_keeps_the_query_and_the_hidden_tokens_that_it_still_has():
    at = enter("softmax", sentence="one two three four", query="3", hidden="1-3").at
    at.text_area(key="sentence").set_value("one two")
    at.run()
    assert_in_force(at, "softmax", query="1", hidden="1")
    assert (at.selectbox(key="query").value, at.multiselect(key="hidden").value) == (1, [1])


def test_what_was_left_out_of_a_long_sentence_is_counted_in_the_sidebar():
    at = start()
    at.text_area(key="sentence").set_value("a " * 150)
    at.run()
    counts = [re.findall(r"\d+", caption) for caption in at.sidebar.caption.values]
    assert ["200", "100"] in counts
    assert ["64", "36"] in counts


@pytest.mark.parametrize(("lang", "sentence"), [("en", ""), ("zh", "   ")])
def test_an_empty_sentence_says_what_to_do_and_shows_no_chart(lang, sentence):
    at = start(lang=lang, sentence=sentence)
    for slug in WALKED:
        page = go(at, slug, lang)
        assert len(page.of("info")) == 1, slug
        assert page.charts == [], slug
        assert page.of("latex") == page.of("warning") == [], slug
        assert set(page.said) == {"motivation"}, slug


def test_a_page_comes_back_after_the_sentence_was_empty():
    at = enter("scores", d_model="16", hidden="1").at
    at.text_area(key="sentence").set_value("")
    at.run()
    assert look(at, "scores", "en").charts == []
    at.text_area(key="sentence").set_value("back again now")
    at.run()
    assert look(at, "scores", "en").of("info") == []
    assert_in_force(at, "scores", sentence="back again now", d_model="16", query="2", hidden="")


def test_two_sessions_do_not_leak_into_one_another():
    mine, theirs = start(seed="1", sentence="my own words"), start(seed="2", d_model="32", causal="1", lang="zh")
    for slug in WALKED[1::2]:
        go(mine, slug)
        go(theirs, slug, "zh")
        mine.toggle(key="positions").set_value(slug in ("scores", "heads"))
        mine.run()
        assert_in_force(mine, slug, seed="1", d_model="8", causal="0", sentence="my own words")
        assert_in_force(theirs, slug, "zh", seed="2", d_model="32", causal="1", scaled="1")


# Hostile sentences.

HOSTILE = {
    "empty": "",
    "spaces": "   ",
    "one letter": "x",
    "10,000 letters": "a" * 10_000,
    "10,000 characters": "ab `c` <i>" * 1_000,
    "script": "<script>alert(1)</script>",
    "end of sequence": "</s>",
    "formula": "$x$",
    "directive": ":red[x]",
    "icon": ":material/delete: :smile:",
    "struck out": "~~x~~",
    "bold": "**x** _y_ # z",
    "link": "[x](javascript:alert(1)) ![y](http://z)",
    "backticks": "`x` ``y`` ``` `",
    "emoji with joiners": "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇫🇷 ❤\ufe0f",
    "Arabic": "القطة تحب السمك \u202eabc",
    "combining marks": "a\u0301\u0302\u0303 \u0301 n\u0303",
    "NUL": "a\0b",
    "repeated": "the the the",
    "Chinese without spaces": "我喜欢猫因为猫很可爱",
    "fact": "[[key]] [[query]]",
    "template": "%{z} %{x}<extra></extra>",
    "entities": "&lt; &amp; &#60;",
    "new lines": "a\n\nb\r# c\u2028d",
    "format": "{key} {0} %s \\g<0> \\1",
}


def assert_user_text_is_shown_as_it_is(page: Page, labels: list[str], mark: str) -> None:
    """Every sentence is one of the page's own, and its facts are numbers or one code span with a token's label."""
    prose = [part for text in page.of("markdown") for part in cut(text, page.slug, page.lang)[1]]
    assert [part for part in prose if not part.startswith(("# ", "$$"))] == []
    known = [pattern(template) for template in sections(page.slug, page.lang).values()]
    told = {sections("ui", page.lang)[f"{name}_random"] for name in ("caution", "parameter")}
    shown = {fact for facts in page.said.values() for fact in facts.values()} - told
    for fact in shown:
        outside, inside = code_spans(fact)
        assert re.fullmatch(r"−?[\d.]+(e−?\d+)?", fact) or (
            outside == "" and inside[0] in labels and len(inside) == 1
        ), fact
    known += [pattern(template) for template in sections("ui", page.lang).values()]
    boxed = [text for box in BOXES for text in page.of("markdown", box=box) if not text.startswith("#")]
    boxed = [part for text in boxed for part in text.split("\n\n$$\n")[:1] if not part.startswith("$$")]

    def is_known(text: str) -> bool:
        return any(p.fullmatch(text) for p in known)

    assert [text for text in boxed if not is_known(text) and not all(map(is_known, text.split("\n\n")))] == []
    assert [text for text in page.interpreted if mark in code_spans(text)[0]] == []
    assert [body for box in BOXES for body in page.html(box) + page.of("latex", box=box) if mark in body] == []
    for chart in page.charts:
        for trace in chart["data"]:
            for axis in "xy":
                for text in trace[axis]:
                    assert not isinstance(text, str) or "<" not in text
            assert mark not in texts_of({name: value for name, value in trace.items() if name not in ("x", "y")})
        kept = {name: value for name, value in chart["layout"].items() if not re.match("[xy]axis", name)}
        assert mark not in texts_of(kept)


def test_the_search_for_a_mark_passes_the_numbers_of_a_heatmap_and_nothing_else():
    trace = {"z": {"bdata": "qzx", "dtype": "f4"}, "x": ["a"], "text": [["b"]], "marker": {"color": "c"}}
    assert "qzx" not in texts_of(trace)
    for planted in ({"x": ["qzx"]}, {"text": [["b", "a qzx"]]}, {"marker": {"color": "qzx"}}, {"qzx": 1}):
        assert "qzx" in texts_of(trace | planted)


def assert_labels_are_the_tokens(page: Page, tokens: tuple[str, ...]) -> None:
    """Where an axis has names, they are those of the tokens in order, or those of the vocabulary."""
    known = [
        [f"{i} {t if len(t) <= 12 else t[:11] + '…'}" for i, t in enumerate(row)]
        for row in (tokens, sorted(set(tokens)))
    ]
    for chart in page.charts:
        for trace in heatmaps(chart):
            for names in (trace["x"], trace["y"]):
                if isinstance(names[0], str):
                    assert [html.unescape(name) for name in names] in known


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_sentence_is_shown_as_it_is_wherever_it_comes_from(text):
    """Every text on two pages: whatever it is, a page puts all tokens into its words in the same way."""
    place = list(HOSTILE.values()).index(text)
    own, *others = (WALKED[(place + step) % len(WALKED)] for step in (0, 3))
    at = enter(own, sentence=text, query="0").at
    for typed, slugs in (
        (text, ()),
        ("qzx " + text, others),
    ):  # from the address, and from the keyboard
        tokens = tokenize(typed[:200])[:64]
        if typed != text:
            at.text_area(key="sentence").set_value(typed)
            at.run()
        assert at.query_params["sentence"] == typed[:200]
        labels = [f"{i} {t if len(t) <= 12 else t[:11] + '…'}" for i, t in enumerate(tokens)]
        assert [list(box.options) for box in at.selectbox if box.key == "query"] == ([labels] if labels else [])
        for number, slug in enumerate((own, *slugs)):
            if tokens and number:
                at.selectbox(key="query").set_value(number % len(tokens))
            page = go(at, slug) if number else look(at, own)
            assert (page.charts == []) == (not tokens)
            assert page.of("warning") == []
            assert_user_text_is_shown_as_it_is(page, labels, "qzx")
            assert_labels_are_the_tokens(page, tokens)
