"""Hold this, change one thing: A beside B and B − A; and changes by hand, of which every consequence is recomputed.

What a state holds is computed here from two traces of its own (visiting.Case); apply_edit has tests of its own.
"""

import math
import re

import numpy as np
import pytest
from each import each
from expected import assert_charts_show, assert_facts, expected_sections
from visiting import (
    LANGUAGES,
    RULES,
    WALKED,
    Case,
    Page,
    Visit,
    code_spans,
    enter,
    go,
    heatmaps,
    is_rounded,
    look,
    numbers,
    pattern,
    start,
    tensor_of,
)

from pages.ui.words.labels import label
from pages.ui.words.prose import sections

COMPARED = {
    "overview": ("output",),
    "embedding": ("x",),
    "projections": ("q", "k", "v"),
    "scores": ("scores",),
    "scaling": ("scaled_scores",),
    "softmax": ("attn_weights", "head_outputs"),
    "weighted_sum": ("head_outputs",),
    "heads": ("output",),
}
ONE_SCALE = {"en": "{}: one scale", "zh": "{}：同一标尺"}
WEIGHTS = ("weights_same", "weights_cut", "weights_width", "weights_seed")
NAMES = ("sentence", "d_model", "num_heads", "scaled", "positions", "causal", "hidden", "seed", "edit")
SENTENCE = "the cat saw the dog"
FIRST = {"sentence": SENTENCE, "query": "2"}


# What ought to be there.


def side(case: Case, tensor: str) -> np.ndarray:
    """What is compared: the chosen head's tensor; Q, K and V of all heads side by side."""
    if tensor in "qkv":
        return np.concatenate([tensor_of(case.trace, tensor, h, 0) for h in range(case.config.num_heads)], axis=1)
    return tensor_of(case.trace, tensor, case.head, 0)


def name_of(tensor: str) -> str:
    return tensor.upper() if tensor in ("q", "k", "v", "x") else tensor


def differs(now: np.ndarray, before: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Where two numbers differ by more than the order of additions can do (or than a share of that)."""
    with np.errstate(invalid="ignore"):
        return ~((now == before) | (np.abs(now - before) <= share * (1e-6 + 1e-5 * np.abs(before))))


def is_doubtful(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Where the order of additions decides whether two numbers count as different."""
    return differs(now, before, 0.7) & ~differs(now, before, 1.3)


def seen_from(a: Case, b: Case) -> Case:
    """A in the head and for the query on screen, as far as it has that head."""
    return Case.of(b.lang, **a.asked | {"head": str(min(b.head, a.config.num_heads - 1)), "query": str(b.query)})


def assert_compared(page: Page, a: Case, b: Case) -> None:
    """The box compares these two states: words, counts, and the numbers of every panel."""
    held = seen_from(a, b)
    (chart,) = page.charts_in("compare")
    traces = heatmaps(chart)
    results = [text for text in page.of("markdown", box="compare") if re.search(r"`\w+`", text) and "→" not in text]
    tensors = COMPARED[page.slug]
    results = results[-len(tensors) :]
    assert len(results) == len(tensors)
    for tensor, text in zip(tensors, results, strict=True):
        before, now = side(held, tensor), side(b, tensor)
        is_same_shape = before.shape == now.shape
        panels, traces = traces[: 2 + is_same_shape], traces[2 + is_same_shape :]
        shown = [before, now, now - before] if is_same_shape else [before, now]
        assert [panel["name"].split(" · ")[0] for panel in panels] == ["A", "B", "B − A"][: 2 + is_same_shape]
        axes = [chart["layout"][panel["coloraxis"]] for panel in panels]
        named = {axis["colorbar"]["title"]["text"] for axis in axes}  # by the tensor, each bar
        apart = {f"B − A · {name_of(tensor)}"} if tensor == "attn_weights" and is_same_shape else set()
        assert named == {ONE_SCALE[page.lang].format(name_of(tensor))} | apart
        if tensor == "attn_weights":  # shares, as everywhere; their difference is none
            assert axes[0] == axes[1] != axes[-1] or not is_same_shape
            assert (axes[0]["cmin"], axes[0]["cmax"]) == (0, 1)
            axes, signed = axes[2:], shown[2:]
        else:
            assert all(axis == axes[0] for axis in axes)
            signed = shown
        for scale in axes:
            limit = max(np.abs(values).max() for values in signed) or 1.0
            assert -scale["cmin"] == scale["cmax"] == pytest.approx(limit, rel=1e-5)
        for panel, values, case in zip(panels, shown, (held, b, None), strict=False):
            expected = values.copy()
            if case and tensor == "attn_weights":
                expected[case.closed.numpy()] = np.nan
            np.testing.assert_allclose(numbers(panel["z"]), expected, rtol=1e-4, atol=2e-6)
        assert_counted(text, tensor, before, now, b, same_words=held.tokens == b.tokens)
    assert traces == []
    ui, captions = sections("ui", page.lang), page.of("caption", box="compare")
    weights = {name for name in WEIGHTS if ui[name] in captions}
    expected = "weights_seed" if a.config.seed != b.config.seed else "weights_same"
    if a.config.num_heads != b.config.num_heads and expected == "weights_same":
        expected = "weights_cut"
    assert weights == {"weights_width" if a.config.d_model != b.config.d_model else expected}


def assert_counted(text: str, tensor: str, before: np.ndarray, now: np.ndarray, b: Case, *, same_words: bool) -> None:
    """What is said of one tensor: how many numbers differ, and which one most."""
    outside, inside = code_spans(text)
    assert inside[0] == name_of(tensor)
    if before.shape != now.shape:
        shapes = [tuple(map(int, shape)) for shape in re.findall(r"(\d+) × (\d+)", outside)]
        assert shapes == [before.shape, now.shape]
        return
    changed, doubtful = int(differs(now, before).sum()), int(is_doubtful(now, before).sum())
    counts = [int(number) for number in re.findall(r"(?<![\d.−])\d+(?![\d.])", outside)]
    if changed <= doubtful and counts == [now.size]:
        return
    assert max(counts[:2]) == now.size
    assert abs(min(counts[:2]) - changed) <= doubtful
    row, column = inside[1], inside[2]
    gap = np.abs(now - before)
    place = (
        b.labels.index(row),
        (b.labels.index(column) if now.shape[1] == len(b.labels) and not column.isdigit() else int(column)),
    )
    assert gap[place] == pytest.approx(gap.max(), rel=1e-4, abs=1e-6)
    told = re.findall(r"−?\d+\.\d+(?:e−?\d+)?", outside)
    assert is_rounded(told[0], before[place])
    assert is_rounded(told[1], now[place])
    assert (len(outside) > len(re.split(r"\*\*\. ?|\*\*。 ?", outside)[0]) + 12) == (not same_words)


def changes_told(page: Page) -> dict[str, tuple[str, str]]:
    """Every change that the box names: its short name, what it was and what it is."""
    template = pattern(sections("ui", page.lang)["compare_changed"])
    (told,) = [match["changes"] for t in page.of("markdown", box="compare") if (match := template.fullmatch(t))]
    if told == sections("ui", page.lang)["nothing"]:
        return {}
    one = pattern(sections("ui", page.lang)["one_change"])
    parts = [one.fullmatch(part) for part in told.split(label("between_changes", page.lang))]
    return {part["name"]: (part["before"], part["after"]) for part in parts}


def dotted(chart: dict) -> dict[str, np.ndarray]:
    """How often dotted frames cover each cell of each heatmap of a chart."""
    found = {}
    for trace in heatmaps(chart):
        counts = np.zeros(numbers(trace["z"]).shape, dtype=int)
        first_x, first_y = (axis[0] if isinstance(axis[0], int) else 0 for axis in (trace["x"], trace["y"]))
        for shape in chart["layout"]["shapes"]:
            if shape["line"].get("dash") == "dot" and (shape["xref"], shape["yref"]) == (
                trace["xaxis"],
                trace["yaxis"],
            ):
                left, right = (round(shape[f"x{i}"] + 0.5 - first_x) for i in (0, 1))
                top, bottom = (round(shape[f"y{i}"] + 0.5 - first_y) for i in (0, 1))
                assert 0 <= left < right <= counts.shape[1]
                assert 0 <= top < bottom <= counts.shape[0]
                counts[top:bottom, left:right] += 1
        found[trace["xaxis"].removeprefix("x")] = counts
    return found


def shown_of(panel: dict, case: Case, query: int) -> np.ndarray | None:
    """What a panel would show of a state; None where that state has no such thing."""
    tensor, head, heads = panel["tensor"], panel["head"], case.config.num_heads
    if (head or 0) >= heads or (tensor == "contributions" and query >= len(case.tokens)):
        return None
    if panel["head_dim"]:
        values = np.concatenate([tensor_of(case.trace, tensor, h, query) for h in range(heads)], axis=1)
    else:
        values = tensor_of(case.trace, tensor, head, query)
    values = values.T if panel["transposed"] else values
    shape = (panel["rows"], panel["columns"])
    if tensor.startswith("w_") and values.shape[0] == shape[0] != shape[1]:  # one head's columns of a matrix
        values = values[:, panel["first"] : panel["first"] + shape[1]]
    return values if values.shape == shape else None


def assert_framed(page: Page, a: Case, b: Case) -> int:
    """Dotted frames on the page's own figures go around exactly the cells that differ. Gives how many there are."""
    total = 0
    for chart in page.charts:
        covered = dotted(chart)
        for panel in chart["layout"]["meta"]:
            now, before = shown_of(panel, b, b.query), shown_of(panel, a, b.query)
            assert now is not None
            expected = differs(now, before) if before is not None else np.zeros(now.shape, dtype=bool)
            sure = ~is_doubtful(now, before) if before is not None else np.ones(now.shape, dtype=bool)
            found = covered[panel["axis"]]
            np.testing.assert_array_equal(found[sure], expected[sure].astype(int), err_msg=panel["tensor"])
            total += int(expected.sum())
    return total


def no_frames(page: Page) -> bool:
    return all(counts.sum() == 0 for chart in page.charts for counts in dotted(chart).values())


def buttons(at: Visit) -> set[str]:
    return {button.key for button in at.button}


def press(at: Visit, key: str) -> Visit:
    at.button(key=key).click()
    return at.run()


def settings_in(at: Visit, *without: str) -> dict[str, str]:
    return {name: text for name, text in at.query_params.items() if name not in ("lang", *without)}


# Holding.


@each("slug", WALKED)
def test_nothing_is_compared_or_framed_before_something_is_held_and_what_was_just_held_differs_in_nothing(slug):
    lang = LANGUAGES[WALKED.index(slug) % 2]
    page = enter(slug, lang=lang, **FIRST)
    assert page.charts_in("compare") == []
    assert set(page.said_in("compare")) == {"compare"}
    assert "hold" in buttons(page.at)
    assert buttons(page.at) & {"back_to_a", "hold_again", "release", "undo"} == set()
    assert no_frames(page)
    assert not page.has("banner")
    at = press(page.at, "hold")
    page = look(at, slug, lang)
    assert changes_told(page) == {}
    assert_compared(page, Case.of(lang, **FIRST), Case.of(lang, **FIRST))
    assert no_frames(page)
    assert at.query_params["pin"] == "same"
    assert {"back_to_a", "hold_again", "release"} <= buttons(at)
    assert "hold" not in buttons(at)


CHANGES = {
    "causal": (lambda at: at.toggle(key="causal").set_value(True), {"causal": "1"}),
    "scaled": (lambda at: at.toggle(key="scaled").set_value(False), {"scaled": "0"}),
    "positions": (lambda at: at.toggle(key="positions").set_value(False), {"positions": "0"}),
    "hidden": (lambda at: at.multiselect(key="hidden").set_value([1]), {"hidden": "1"}),
    "d_model": (lambda at: at.select_slider(key="d_model").set_value(16), {"d_model": "16"}),
    "num_heads": (lambda at: at.select_slider(key="num_heads").set_value(4), {"num_heads": "4"}),
    "sentence": (
        lambda at: at.text_area(key="sentence").set_value("the dog saw the cat"),
        {"sentence": "the dog saw the cat"},
    ),
    "longer": (lambda at: at.text_area(key="sentence").set_value(SENTENCE + " run"), {"sentence": SENTENCE + " run"}),
}
TELLS = {"longer": "sentence"}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_is_named_counted_drawn_and_framed_where_it_is_made_and_on_every_other_page(name):
    change, address = CHANGES[name]
    first, lang = list(CHANGES).index(name), LANGUAGES[list(CHANGES).index(name) % 2]
    if name in ("scaled", "hidden"):
        first = WALKED.index("softmax")  # on the steps before it changes nothing
    at = press(enter(WALKED[first], lang=lang, head="1", **FIRST).at, "hold")
    change(at)
    at.run()
    a, b = Case.of(lang, head="1", **FIRST), Case.of(lang, head="1", **FIRST | address)
    # Every other page, so that each is shown one of d_model and longer, and of the other changes about half.
    for slug in (*WALKED[first:], *WALKED[:first])[::2]:
        page = look(at, slug, lang) if slug == WALKED[first] else go(at, slug, lang)
        assert list(changes_told(page)) == [label(f"short_{TELLS.get(name, name)}", lang)], slug
        assert_compared(page, a, b)
        framed = assert_framed(page, a, b)
        same_shape = name not in ("d_model", "longer")
        if same_shape and slug in ("weighted_sum", "heads"):
            assert framed or (slug, name) == ("weighted_sum", "num_heads")
        assert_charts_show(page, b)


@each("slug, head", [("overview", "0"), ("projections", "1"), ("scores", "0"), ("heads", "1")])
def test_another_seed_changes_every_learned_number_and_frames_it(slug, head):
    at = press(enter(slug, head=head, **FIRST).at, "hold")
    at.sidebar.button[0].click()
    page = look(at.run(), slug)
    a, b = Case.of("en", head=head, **FIRST), Case.of("en", head=head, **FIRST, seed=at.query_params["seed"])
    assert changes_told(page) == {"seed": ("0", at.query_params["seed"])}
    assert_compared(page, a, b)
    assert assert_framed(page, a, b) > 0


@each("lang", LANGUAGES)
def test_every_change_at_once_is_named_with_what_it_was_and_what_it_is(lang):
    at = press(enter("heads", lang=lang, **FIRST).at, "hold")
    for name in ("causal", "scaled", "positions", "num_heads", "sentence"):
        CHANGES[name][0](at)
        at.run()
    on, off = label("on", lang), label("off", lang)
    told = changes_told(look(at, "heads", lang))
    assert told == {
        label("short_sentence", lang): (f"`{SENTENCE}`", "`the dog saw the cat`"),
        label("short_num_heads", lang): ("2", "4"),
        label("short_scaled", lang): (on, off),
        label("short_positions", lang): (on, off),
        label("short_causal", lang): (off, on),
    }


def test_other_heads_queries_and_questions_are_no_difference():
    at = press(enter("scores", **FIRST).at, "hold")
    at.button_group(key="head").set_value(1)
    at.selectbox(key="query").set_value(4)
    at.toggle(key="questions").set_value(False)
    page = look(at.run(), "scores")
    both = Case.of("en", **FIRST | {"query": "4", "head": "1"})
    assert changes_told(page) == {}
    assert_compared(page, both, both)
    assert no_frames(page)


def test_what_has_fewer_heads_or_tokens_than_the_page_shows_is_compared_as_far_as_it_goes():
    pin = "num_heads=1&sentence=the+cat"
    at = start(**FIRST | {"query": "4", "head": "3", "num_heads": "4", "pin": pin})
    a, b = (
        Case.of("en", num_heads="1", sentence="the cat"),
        Case.of("en", **FIRST | {"query": "4", "head": "3", "num_heads": "4"}),
    )
    for slug in WALKED:
        page = go(at, slug)
        assert page.of("warning") == []
        assert_compared(page, a, b)
        assert_framed(page, a, b)


CHANGED = {
    "d_model": "24",
    "num_heads": "6",
    "causal": "1",
    "hidden": "1-3",
    "seed": "7",
    "positions": "0",
    "scaled": "0",
}


def test_back_to_a_brings_back_every_setting_and_lets_go():
    at = press(enter("softmax", **FIRST, **CHANGED, edit="scores.1.2.3:4").at, "hold")
    before = settings_in(at, "pin")
    at.text_area(key="sentence").set_value("one two three")
    at.run()
    at.select_slider(key="d_model").set_value(8)
    at.toggle(key="causal").set_value(False)
    at.toggle(key="scaled").set_value(True)
    at.toggle(key="positions").set_value(True)
    at.multiselect(key="hidden").set_value([])
    at.run()
    at.sidebar.button[0].click()
    at.run()
    press(at, "back_to_a")
    after = settings_in(at, "pin")
    assert {name: after[name] for name in NAMES} == {name: before[name] for name in NAMES}
    assert at.query_params["pin"] == ""
    page = look(at, "softmax")
    assert_charts_show(page, Case.of("en", **after))
    assert "hold_again" not in buttons(at)
    at.run()
    assert settings_in(at, "pin") == after


def test_back_to_a_brings_back_the_change_by_hand_even_if_the_same_was_made_again_elsewhere():
    at = press(enter("scores", **FIRST, edit="scores.1.2.0:4").at, "hold")
    at.sidebar.button[0].click()
    at.run()
    assert at.query_params["edit"] == ""
    at.ask({"cell": "scores.1.2.0"})
    at.number_input(key="ask_value").set_value(4.0)
    at.run()
    assert at.query_params["edit"] == "scores.1.2.0:4"
    press(at, "back_to_a")
    assert (at.query_params["seed"], at.query_params["edit"]) == ("0", "scores.1.2.0:4")


def test_letting_go_keeps_what_is_on_screen():
    at = press(enter("scores", **FIRST).at, "hold")
    CHANGES["d_model"][0](at)
    at.run()
    before = settings_in(at, "pin")
    page = look(press(at, "release"), "scores")
    assert settings_in(at, "pin") == before
    assert at.query_params["pin"] == ""
    assert page.charts_in("compare") == []
    assert no_frames(page)


def test_holding_again_compares_with_what_is_on_screen_now():
    at = press(enter("softmax", **FIRST).at, "hold")
    CHANGES["d_model"][0](at)
    at.run()
    press(at, "hold_again")
    assert changes_told(look(at, "softmax")) == {}
    assert at.query_params["pin"] == "same"
    CHANGES["causal"][0](at)
    page = look(at.run(), "softmax")
    assert list(changes_told(page)) == [label("short_causal", "en")]
    assert_compared(page, Case.of("en", **FIRST, d_model="16"), Case.of("en", **FIRST, d_model="16", causal="1"))


def test_what_is_held_goes_along_to_every_page_and_language():
    at = press(enter("scaling", **FIRST).at, "hold")
    CHANGES["scaled"][0](at)
    at.run()
    for slug in WALKED:
        page = go(at, slug)
        assert_compared(page, Case.of("en", **FIRST), Case.of("en", **FIRST, scaled="0"))
        assert_framed(page, Case.of("en", **FIRST), Case.of("en", **FIRST, scaled="0"))
    at.speak("zh")
    at.run()
    page = look(at, WALKED[-1], "zh")
    assert changes_told(page) == {label("short_scaled", "zh"): (label("on", "zh"), label("off", "zh"))}
    assert at.query_params["pin"] == "scaled=1"


def test_a_link_shows_another_visitor_what_is_held():
    mine = press(enter("softmax", **FIRST).at, "hold")
    for name in ("num_heads", "sentence", "hidden", "causal"):
        CHANGES[name][0](mine)
        mine.run()
    theirs = start(**mine.query_params)
    for slug in WALKED[::2]:
        one, other = go(mine, slug), go(theirs, slug)
        assert one.charts == other.charts
        assert one.charts_in("compare") == other.charts_in("compare")
        assert one.of("markdown", "caption", box="compare") == other.of("markdown", "caption", box="compare")
        assert other.of("warning") == []
    assert mine.query_params == theirs.query_params


def test_nothing_is_compared_with_an_empty_sentence_and_the_held_one_comes_back():
    at = press(enter("scores", **FIRST).at, "hold")
    at.text_area(key="sentence").set_value("")
    page = look(at.run(), "scores")
    assert page.of("info") != []
    assert page.charts_in("compare") == []
    CHANGES["sentence"][0](at)
    page = look(at.run(), "scores")
    assert_compared(
        page, Case.of("en", **FIRST), Case.of("en", sentence="the dog saw the cat", query=at.query_params["query"])
    )


HOSTILE = [
    "<b> & </s>",
    "`a` ``b``",
    "$x$ :red[y]",
    "**x** _y_ [[a]]",
    "a\n\n# b\n\n**c**",
    " a ",
    "; b → c: d",
    "&lt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_sentence_is_markup_in_what_is_said_of_a_change(text):
    sentence, other = f"qzx {text}", f"{text} qzx"
    pin = "sentence=" + "".join(f"%{byte:02X}" for byte in other.encode())
    page = enter(("scores", "embedding")[HOSTILE.index(text) % 2], sentence=sentence, query="0", pin=pin)
    assert page.of("warning") == []
    case = Case.of("en", sentence=sentence, query="0")
    told = [t for t in page.of("markdown", "caption", box="compare") if not t.startswith("#")]
    assert [t for t in told if "qzx" in code_spans(t)[0]] == []
    changes = next(t for t in told if "→" in t)
    assert "\n" not in changes
    inside = [" ".join(span.split()) for span in code_spans(changes)[1]]
    assert inside == [" ".join(other.split()), " ".join(sentence.split())]
    before, now = Case.of("en", sentence=other), case
    if len(before.tokens) == len(now.tokens):
        labels = [span for t in told if t != changes for span in code_spans(t)[1][1:2]]
        assert labels
        assert set(labels) <= set(case.labels)


# Changes by hand.


def edited(lang: str = "en", **address: str) -> Case:
    return Case.of(lang, **FIRST | address)


def set_by_hand(at: Visit, cell: str, value: float) -> Visit:
    at.ask({"cell": cell})
    at.number_input(key="ask_value").set_value(value)
    return at.run()


EDITS = {
    "an embedding": ("embeddings.1.3", 2.5, "embeddings.1.3:2.5"),
    "a score": ("scores.2.4.1", -7.25, "scores.2.4.1:-7.25"),
    "a weight": ("attn_weights.2.0.0", 0.9, "attn_weights.2.0.0:0.9"),
    "nothing at all": ("attn_weights.2.4.1", 0.0, "attn_weights.2.4.1:0"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_number_set_by_hand_and_all_that_follows_from_it_is_on_the_page_and_on_every_other(name):
    cell, value, address = EDITS[name]
    first, lang = 2 * list(EDITS).index(name), LANGUAGES[list(EDITS).index(name) % 2]
    head = cell.split(".")[3] if cell.count(".") == 3 else "1"
    at = set_by_hand(enter(WALKED[first], lang=lang, head=head, **FIRST).at, cell, value)
    assert at.query_params["edit"] == address
    assert look(at, WALKED[first], lang).said_in("inspector")["edited"] == {}
    assert at.number_input(key="ask_value").value is None
    (tensor, row, column), then = cell.split(".")[:3], {"head": head, "query": cell.split(".")[1]}  # the clicked row
    case = edited(lang, edit=address, **then)
    for slug in (*WALKED[first:], *WALKED[:first]):
        page = look(at, slug, lang) if slug == WALKED[first] else go(at, slug, lang)
        assert_everything_follows(page, edited(lang, **then), case)
        (banner,) = page.of("markdown", box="banner")
        assert code_spans(banner)[1] == [f"{tensor}[{row}, {column}]"]
        assert is_rounded(re.findall(r"−?\d+\.\d+", banner)[-1], value)


def assert_everything_follows(page: Page, before: Case, now: Case) -> None:
    """Figures, frames, words and the box below: all of the changed trace, all against the unchanged one."""
    assert_charts_show(page, now)
    assert_facts(page, now)
    assert set(page.said) == expected_sections(page.slug, now)
    own_words = page.of("markdown")
    notice = sections("ui", page.lang)["notice_edited"]
    assert own_words.count(notice) == now.is_edited(RULES.get(page.slug, ""), now.query)
    assert_framed(page, before, now)
    assert_compared(page, before, now)
    assert page.has("quiz") == (not now.trace.edits)
    assert page.has("banner")
    assert "undo" in buttons(page.at)


def test_a_silenced_head_gives_nothing_on_any_page():
    at = press(enter("heads", head="1", **FIRST).at, "silence")
    assert at.query_params["edit"] == "head_outputs.0.0.1:0"
    assert at.button(key="silence").disabled
    case = edited(head="1", edit="head_outputs.0.0.1:0")
    assert float(np.abs(tensor_of(case.trace, "head_outputs", 1, 0)).max()) == 0
    for slug in ("overview", "scores", "softmax", "weighted_sum", "heads"):
        page = go(at, slug)
        assert_everything_follows(page, edited(head="1"), case)
        (banner,) = page.of("markdown", box="banner")
        assert re.findall(r"\d+", banner)[0] == "1"
        for cell in ("head_outputs.3.1.1", "joined.3.5", "output.3.2") if slug == "heads" else ():
            at.ask({"cell": cell, "way": "source"})
            told = look(at, slug).said_in("inspector")
            assert ("edited" in told) == cell.startswith("head_outputs")


@each("lang", LANGUAGES)
def test_two_words_that_change_places_do_so_on_every_page(lang):
    at = enter("embedding", lang=lang, **FIRST).at
    assert at.selectbox(key="swap_first").options == ["0 the", "1 cat", "2 saw", "3 the", "4 dog"]
    at.selectbox(key="swap_first").set_value(4)
    at.selectbox(key="swap_second").set_value(1)
    press(at, "swap_words")
    assert at.query_params["edit"] == "tokens.1.4:0"
    assert at.query_params["sentence"] == SENTENCE
    case = edited(lang, edit="tokens.1.4:0")
    assert case.tokens == ("the", "dog", "saw", "the", "cat")
    for slug in WALKED[LANGUAGES.index(lang) :: 2]:
        page = go(at, slug, lang)
        assert_everything_follows(page, edited(lang), case)
        assert at.selectbox(key="query").options == case.labels
        (banner,) = page.of("markdown", box="banner")
        assert sorted(span.split()[1] for span in code_spans(banner)[1]) == ["cat", "dog"]


def test_words_that_changed_places_are_offered_where_they_now_stand_and_change_back_before_others_do():
    at = enter("embedding", **FIRST).at
    at.selectbox(key="swap_first").set_value(1)
    at.selectbox(key="swap_second").set_value(2)
    press(at, "swap_words")
    seen = [text.split()[1] for text in at.selectbox(key="swap_first").options]
    assert seen == ["the", "saw", "cat", "the", "dog"]
    assert at.button(key="swap_words").disabled
    press(at, "undo")
    assert at.selectbox(key="swap_first").options == ["0 the", "1 cat", "2 saw", "3 the", "4 dog"]
    assert not at.button(key="swap_words").disabled


def test_a_word_does_not_change_places_with_itself():
    at = enter("embedding", **FIRST).at
    at.selectbox(key="swap_first").set_value(2)
    at.selectbox(key="swap_second").set_value(2)
    press(at, "swap_words")
    assert at.query_params["edit"] == ""


def test_a_single_word_has_none_to_change_places_with():
    assert "swap_words" not in buttons(enter("embedding", sentence="a").at)


def test_a_shorter_sentence_leaves_words_to_swap_that_it_has():
    at = enter("embedding", **FIRST).at
    at.selectbox(key="swap_first").set_value(4)
    at.text_area(key="sentence").set_value("a b")
    at.run()
    look(at, "embedding")
    assert max(at.selectbox(key="swap_first").value, at.selectbox(key="swap_second").value) <= 1


@each("address", ["scores.1.2.0:4", "head_outputs.0.0.0:0", "tokens.0.2:0", "embeddings.0.0:1"])
def test_undo_brings_everything_back(address):
    at = enter("heads", **FIRST, edit=address).at
    assert look(at, "heads").has("banner")
    page = look(press(at, "undo"), "heads")
    assert at.query_params["edit"] == ""
    assert not page.has("banner")
    assert_charts_show(page, edited())
    assert no_frames(page)
    assert page.has("quiz")
    assert page.charts_in("compare") == []


STAYS = {"causal": True, "scaled": True, "positions": True, "hidden": True}


OF_EITHER = [*(("scores.1.2.0:4", name) for name in CHANGES), *(("tokens.0.2:0", n) for n in ("causal", "sentence"))]


@each("address, name", OF_EITHER)
def test_a_change_by_hand_ends_with_the_numbers_that_it_was_made_for(name, address):
    at = enter("softmax", **FIRST, edit=address).at
    change, changed = CHANGES[name]
    change(at)
    page = look(at.run(), "softmax")
    stays = name in STAYS
    assert at.query_params["edit"] == (address if stays else "")
    assert page.has("banner") == stays
    assert_charts_show(page, edited(**changed, **({"edit": address} if stays else {})))


def test_another_seed_or_example_ends_a_change_by_hand():
    for act in (
        lambda at: at.sidebar.button[0].click(),
        lambda at: at.selectbox(key="example").set_value(1),
    ):
        at = enter("embedding", **FIRST, edit="embeddings.1.1:3").at
        act(at)
        at.run()
        assert at.query_params["edit"] == ""
        assert not look(at, "embedding").has("banner")


def test_another_head_or_query_keeps_a_change_by_hand_and_says_what_is_true_of_that_head():
    at = enter("scores", **FIRST, edit="scores.2.1.0:5").at
    at.button_group(key="head").set_value(1)
    page = look(at.run(), "scores")
    case = edited(head="1", edit="scores.2.1.0:5")
    assert at.query_params["edit"] == "scores.2.1.0:5"
    assert_everything_follows(page, edited(head="1"), case)
    assert "notice" in page.said


def test_a_link_to_a_change_by_hand_shows_it_to_another_visitor():
    mine = set_by_hand(enter("scores", **FIRST).at, "attn_weights.1.1.0", 0.125)
    theirs = start(**mine.query_params)
    for slug in WALKED[1::2]:
        one, other = go(mine, slug), go(theirs, slug)
        assert one.charts == other.charts
        assert one.of("markdown", box="banner") == other.of("markdown", box="banner")
    assert mine.query_params == theirs.query_params


def test_a_change_by_hand_can_be_held_and_then_undone():
    at = press(enter("scores", **FIRST, edit="scores.2.1.0:5").at, "hold")
    assert changes_told(look(at, "scores")) == {}
    page = look(press(at, "undo"), "scores")
    assert list(changes_told(page)) == [label("short_edit", "en")]
    before, now = changes_told(page)[label("short_edit", "en")]
    assert (code_spans(before)[1], now) == (["scores[2, 1]"], label("nothing", "en"))
    assert_compared(page, edited(edit="scores.2.1.0:5"), edited())
    assert_framed(page, edited(edit="scores.2.1.0:5"), edited())
    assert at.query_params["pin"] == "edit=scores.2.1.0%3A5"
    press(at, "back_to_a")
    assert at.query_params["edit"] == "scores.2.1.0:5"


@each("tensor", ["x", "q", "masked_scores", "output", "w_q", "positions", "head_outputs"])
def test_only_embeddings_scores_and_weights_can_be_set(tensor):
    head = ".0" if tensor in ("q", "masked_scores", "head_outputs") else ""
    at = enter("scores", **FIRST, cell=f"{tensor}.0.0{head}").at
    assert "ask_value" not in {box.key for box in at.number_input}
    (told,) = [text.value for text in at.caption if f"`{tensor}`" in text.value and "`attn_weights`" in text.value]
    assert "by itself" in told


@each(
    "cell, low, high",
    [("attn_weights.0.0.0", 0, 1), ("scores.0.0.0", -1000, 1000), ("embeddings.0.0", -1000, 1000)],
)
def test_a_number_can_be_set_within_its_limits(cell, low, high):
    at = enter("scores", **FIRST, cell=cell).at
    box = at.number_input(key="ask_value")
    assert (box.min, box.max, box.value) == (low, high, None)
    for value in (low, high):
        look(set_by_hand(at, cell, float(value)), "scores")
        assert at.query_params["edit"] == f"{cell}:{value}"
        press(at, "undo")


@each("value", [0.123456789, 1 / 3, 3.14159265])
def test_a_number_set_by_hand_is_the_number_that_its_link_says(value):
    at = set_by_hand(enter("scores", **FIRST).at, "scores.1.1.0", value)
    theirs = enter("scores", **at.query_params)
    assert look(at, "scores").charts == theirs.charts
    assert_charts_show(theirs, edited(edit=at.query_params["edit"]))


# A cell that a mask closed.


@each("slug", ["softmax", "weighted_sum", "heads", "overview"])
def test_a_weight_set_by_hand_is_not_hidden_by_the_mask(slug):
    address = "attn_weights.2.4.0:0.5"
    page = enter(slug, **FIRST, causal="1", edit=address)
    assert page.at.query_params["edit"] == address
    for chart in page.charts:
        traces = {trace["xaxis"]: numbers(trace["z"]) for trace in heatmaps(chart)}
        for panel in chart["layout"]["meta"]:
            if (panel["tensor"], panel["head"]) == ("attn_weights", 0):
                assert not math.isnan(traces[f"x{panel['axis']}"][2, 4])


@each("slug, section", [("overview", "gist_closed"), ("weighted_sum", "notice_closed"), ("heads", "heads_closed")])
def test_no_page_says_that_a_row_takes_nothing_when_it_was_given_a_weight_by_hand(slug, section):
    address = {"hidden": "0-1-2-3-4", "edit": "attn_weights.2.0.0:0.5"}
    page = enter(slug, **FIRST, **address)
    assert page.at.query_params["edit"] == address["edit"]
    assert section not in page.said
