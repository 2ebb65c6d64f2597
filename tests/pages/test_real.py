"""A real model on the pages: tiny ones of random weights, saved to a folder as the hub's models are.

The oracle is the model itself, opened by transformers: what its own modules take in and give out for a sentence. Only
where a switch of the pages changes the attention is the rest computed from there, in plain numpy.
"""

import html
import math
import re
import sys
import threading
from collections.abc import Callable
from functools import cache, cached_property, partial
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
import transformers
from each import each
from expected import expected_charts, expected_facts, expected_sections
from safetensors.torch import load_file
from visiting import (
    LANGUAGES,
    WALKED,
    Case,
    Page,
    Visit,
    assert_one_answer_is_right,
    code_spans,
    enter,
    enter_all,
    every_child,
    go,
    heatmaps,
    is_percent,
    is_rounded,
    look,
    numbers,
    pattern,
    start,
    tabs_of,
    walk,
)
from watching import watching

from attention import AttentionConfig, pretrained
from attention.pretrained import Unavailable
from pages import GROUPS, PAGES
from pages.ui.layers import ready
from pages.ui.layers.jobs import Line, Results
from pages.ui.state.settings import Settings
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_pretrained import tiny

pytestmark = pytest.mark.xdist_group("pretrained")  # one worker imports transformers and makes the models

LEARNED = {"weights": "learned", "d_model": "32", "num_heads": "2"}
LAYERS, HEADS, D_MODEL = 2, 3, 24
SENTENCES = {"bert": "the cats saw the dog, it was 我", "gpt2": "the cat saw the dog"}
VISITS = {
    "bert": ("en", "bert", {"layer": "1", "head": "1", "query": "4"}),
    "gpt2": ("zh", "gpt2", {"layer": "0", "head": "2", "query": "3"}),
    "switches": ("en", "bert", {"layer": "1", "causal": "1", "scaled": "0", "hidden": "1-3", "query": "5"}),
    "keys hidden": ("zh", "gpt2", {"layer": "1", "hidden": "0", "query": "0"}),
    "edited": ("en", "bert", {"layer": "0", "head": "1", "edit": "scores.2.1.1:5", "query": "2"}),
}
PLAIN = [name for name, (*_, address) in VISITS.items() if not {"causal", "hidden", "scaled", "edit"} & set(address)]


# The oracle.


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a tiny model of a kind lies."""
    was_on = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    yield cache(lambda kind: str(tiny(kind, tmp_path_factory.mktemp(kind))))
    if was_on:
        transformers.utils.logging.enable_progress_bar()


@cache
def opened(path: str):
    model = transformers.AutoModel.from_pretrained(path, attn_implementation="eager").eval()
    return model, transformers.AutoTokenizer.from_pretrained(path), load_file(Path(path) / "model.safetensors")


def parts(kind: str, layer: int) -> dict[str, str]:
    """The names of the model's modules."""
    if kind == "gpt2":
        block = f"h.{layer}.attn"
        return {"words": "wte", "positions": "wpe", "qkv": f"{block}.c_attn", "o": f"{block}.c_proj"}
    block = f"encoder.layer.{layer}.attention"
    found = {letter: f"{block}.self.{name}" for letter, name in zip("qkv", ("query", "key", "value"), strict=True)}
    words, positions = (f"embeddings.{name}_embeddings" for name in ("word", "position"))
    return {"words": words, "positions": positions, **found, "o": f"{block}.output.dense"}


@cache
def overheard(path: str, kind: str, sentence: str, layer: int) -> SimpleNamespace:
    """What goes into the modules of one layer and comes out, and the attention weights of all layers."""
    model, tokenizer, _ = opened(path)
    ids = tokenizer(sentence)["input_ids"]
    taken, given, hooks = {}, {}, []
    for name, module in parts(kind, layer).items():

        def hear(_, args, result, name=name):
            taken[name], given[name] = args[0].squeeze(0), result.squeeze(0)

        hooks.append(model.get_submodule(module).register_forward_hook(hear))
    with torch.no_grad():
        found = model(torch.tensor([ids]), output_attentions=True).attentions
    for hook in hooks:
        hook.remove()
    if kind == "gpt2":
        taken["q"] = taken["qkv"]
        given |= dict(zip("qkv", given["qkv"].chunk(3, dim=-1), strict=True))
    return SimpleNamespace(ids=ids, taken=taken, given=given, weights=torch.cat(found))


def matrices(path: str, kind: str, layer: int) -> SimpleNamespace:
    """The matrices and biases of a layer, from the file."""
    file, names = opened(path)[2], parts(kind, layer)
    if kind == "gpt2":
        w_q, w_k, w_v = file[f"{names['qkv']}.weight"].chunk(3, dim=1)
        b_q, b_k, b_v = file[f"{names['qkv']}.bias"].chunk(3)
        w_o, b_o = (file[f"{names['o']}.{part}"] for part in ("weight", "bias"))
        return SimpleNamespace(w_q=w_q, w_k=w_k, w_v=w_v, w_o=w_o, b_q=b_q, b_k=b_k, b_v=b_v, b_o=b_o)
    found = {f"w_{letter}": file[f"{names[letter]}.weight"].T for letter in "qkvo"}
    return SimpleNamespace(**found, **{f"b_{letter}": file[f"{names[letter]}.bias"] for letter in "qkvo"})


class RealCase(Case):
    """The settings of an address with a real model, and what that model itself makes of them."""

    @property
    def path(self) -> str:
        return self.asked["model"]

    @cached_property
    def kind(self) -> str:
        return opened(self.path)[0].config.model_type

    @cached_property
    def layer(self) -> int:
        return int(self.asked["layer"])

    @cached_property
    def heard(self) -> SimpleNamespace:
        return overheard(self.path, self.kind, self.asked["sentence"], self.layer)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        tokenizer = opened(self.path)[1]
        if self.kind == "gpt2":
            return tuple(tokenizer.decode([i]).replace(" ", "▁") for i in self.heard.ids)
        return tuple(tokenizer.convert_ids_to_tokens(self.heard.ids))

    @cached_property
    def config(self) -> AttentionConfig:
        causal = self.kind == "gpt2" or self.asked.get("causal") == "1"
        return AttentionConfig(D_MODEL, HEADS, causal=causal, scaled=self.asked.get("scaled") != "0")

    @cached_property
    def trace(self):
        given, taken, size = self.heard.given, self.heard.taken, len(self.tokens)
        q, k, v = (given[letter].view(size, HEADS, -1).transpose(0, 1) for letter in "qkv")
        scores = q @ k.transpose(1, 2)
        if self.edit:
            scores[self.edit.head, self.edit.row, self.edit.column] = self.edit.value
        scaled = scores / math.sqrt(D_MODEL / HEADS) if self.config.scaled else scores
        masked = scaled.masked_fill(self.closed, -torch.inf)
        exact = masked.double().numpy()
        exps = np.exp(exact - np.maximum(exact.max(axis=-1, keepdims=True), -1e9))
        shares = torch.from_numpy(exps / np.maximum(exps.sum(axis=-1, keepdims=True), 1e-300)).float()
        outputs = shares @ v
        joined = outputs.transpose(0, 1).reshape(size, D_MODEL)
        own = matrices(self.path, self.kind, self.layer)
        output = joined @ own.w_o + own.b_o
        if not {"causal", "hidden", "scaled", "edit"} & set(self.asked):  # nothing but the model
            shares, joined, output = self.heard.weights[self.layer], taken["o"], given["o"]
            outputs = joined.view(size, HEADS, -1).transpose(0, 1)
        steps = {"q": q, "k": k, "v": v, "scores": scores, "scaled_scores": scaled, "masked_scores": masked}
        steps |= {"attn_weights": shares, "head_outputs": outputs, "joined": joined, "output": output}
        words, edits = given["words"], (self.edit,) if self.edit else ()
        return SimpleNamespace(
            attention=SimpleNamespace(**steps),
            weights=own,
            x=taken["q"],
            embeddings=words,
            positions=given["positions"],
            embedding_table=words[[self.tokens.index(word) for word in self.words]],
            edits=edits,
        )


def real_case(lang: str, path: str, kind: str, **address: str) -> RealCase:
    whole = {"weights": "real", "model": path, "sentence": SENTENCES[kind], **address}
    return RealCase(lang, tuple(whole.items()))


@pytest.fixture(scope="module")
def visited(folder):
    """The pages of a visit, by its name."""

    @cache
    def visit(name: str) -> tuple[RealCase, dict[str, Page]]:
        lang, kind, address = VISITS[name]
        case = real_case(lang, folder(kind), kind, **address)
        return case, walk(lang, **case.asked) | {"real": enter_all("real", lang, **case.asked)}

    return visit


def settings_in(at: Visit, *without: str) -> dict[str, str]:
    return {name: text for name, text in at.query_params.items() if name not in without}


def take(at: Visit, kind: str) -> Visit:
    at.button_group(key="weights").set_value(kind)
    return at.run()


def assert_shown(page: Page, case: RealCase) -> None:
    """Every matrix of a page of the walk is what the model says."""
    expected = expected_charts(page.slug, case)
    assert len(page.charts) == len(expected)
    for chart, tensors in zip(page.charts, expected, strict=True):
        for trace, (name, tensor) in zip(heatmaps(chart), tensors, strict=True):
            np.testing.assert_allclose(numbers(trace["z"]), tensor, rtol=1e-4, atol=2e-5, err_msg=name)


# The walk.


@each("slug", WALKED)
@pytest.mark.parametrize("name", VISITS)
def test_every_matrix_of_the_walk_is_what_the_models_own_modules_take_and_give(visited, name, slug):
    case, pages = visited(name)
    assert_shown(pages[slug], case)


@pytest.mark.parametrize("name", PLAIN)
def test_rows_are_the_tokenizers_own_tokens_special_ones_included(visited, name):
    case, pages = visited(name)
    tokens = {
        "bert": ("[CLS]", "the", "cat", "##s", "saw", "the", "dog", ",", "it", "was", "我", "[SEP]"),
        "gpt2": ("the", "▁", "c", "a", "t", "▁", "s", "a", "w", "▁the", "▁", "d", "o", "g"),
    }[case.kind]
    assert case.tokens == tokens
    (trace,) = heatmaps(pages["scores"].charts[0])[-1:]
    assert list(trace["x"]) == list(trace["y"]) == [f"{i} {token}" for i, token in enumerate(tokens)]
    assert pages["embedding"].at.selectbox(key="query").options == list(trace["y"])


@each("slug", WALKED)
@pytest.mark.parametrize("name", VISITS)
def test_a_page_says_what_belongs_to_a_real_model_with_its_numbers(visited, name, slug):
    case, pages = visited(name)
    page = pages[slug]
    assert set(page.said) == expected_sections(slug, case)
    facts = {**expected_facts(slug, case), "layer": case.layer}
    for section, told in page.said.items():
        for fact, shown in told.items():
            right = facts.get(f"{section}.{fact}", facts.get(fact))
            assert right is not None, f"{section} states {fact}"
            if callable(right):
                assert right(shown), f"{section}: {fact} is shown as {shown}"
            elif isinstance(right, float):
                assert is_rounded(shown, right), f"{section}: {fact} is shown as {shown}, expected {right}"
            else:
                assert shown == str(right), f"{section}: {fact} is shown as {shown}, expected {right}"
    assert [text for text in page.interpreted if "[[" in text or "]]" in text] == []
    assert page.of("warning", "error", "info") == []
    assert not page.has("story")


def test_visits_of_these_tests_bring_up_every_section_for_a_real_model(visited):
    for slug in WALKED:
        told = {section for name in VISITS for section in visited(name)[1][slug].said}
        assert {section for section in sections(slug, "en") if section.endswith("_real")} - told == set()


@pytest.mark.parametrize("name", ["gpt2", "keys hidden"])
def test_gpt_looks_back_only_and_that_can_not_be_switched(visited, name):
    case, pages = visited(name)
    ahead = np.triu(np.ones((len(case.tokens),) * 2, dtype=bool), k=1)
    for trace in heatmaps(pages["heads"].charts[0]):
        assert np.isnan(numbers(trace["z"])[ahead]).all()
        assert not np.isnan(numbers(trace["z"])[~ahead]).all()
    assert "causal" not in {toggle.key for toggle in pages["real"].at.toggle}


def test_bert_looks_both_ways_until_it_is_switched(folder):
    case = real_case("en", folder("bert"), "bert", layer="1", query="4")
    at = enter("softmax", **case.asked).at
    at.toggle(key="causal").set_value(True)
    page = look(at.run(), "softmax")
    assert_shown(page, real_case("en", folder("bert"), "bert", layer="1", query="4", causal="1"))
    at.toggle(key="causal").set_value(False)
    assert_shown(look(at.run(), "softmax"), case)


def test_sizes_positions_and_seeds_are_the_models_own_and_come_back_with_other_weights(folder):
    case = real_case("en", folder("bert"), "bert", layer="1", query="2")
    at = enter("heads", **{**case.asked, "d_model": "32", "num_heads": "2"}).at
    sliders = {slider.key for slider in at.select_slider}
    assert {"d_model", "num_heads", "checkpoint"} & sliders == set()
    assert "layer" in sliders
    assert {toggle.key for toggle in at.sidebar.toggle} == {"scaled", "causal", "questions"}
    assert at.button_group(key="head").options == [str(head) for head in range(HEADS)]
    before = settings_in(at, "weights")
    page = look(take(at, "learned"), "heads")
    assert settings_in(at, "weights") == before
    charts = [t for chart in page.charts for t in heatmaps(chart)]
    learned = Case.of("en", **{**LEARNED, "sentence": SENTENCES["bert"], "query": "2"})
    expected = [tensor for chart in expected_charts("heads", learned) for _, tensor in chart]
    for trace, tensor in zip(charts, expected, strict=True):
        np.testing.assert_allclose(numbers(trace["z"]), tensor, rtol=1e-5, atol=1e-6)
    assert_shown(look(take(at, "real"), "heads"), case)


def test_what_a_real_model_decides_itself_is_as_it_was_chosen_last_with_other_weights(folder):
    at = start(**real_case("en", folder("gpt2"), "gpt2", layer="1", query="2").asked)
    take(at, "random")
    at.select_slider(key="d_model").set_value(64)
    at.run()
    at.select_slider(key="num_heads").set_value(8)
    at.toggle(key="causal").set_value(True)
    at.toggle(key="positions").set_value(False)
    at.run()
    mine = settings_in(at, "weights")
    assert [mine[name] for name in ("d_model", "num_heads", "causal", "positions")] == ["64", "8", "1", "0"]
    take(at, "real").run()
    take(at, "random").run()
    assert settings_in(at, "weights") == mine


def test_the_slider_of_layers_moves_through_the_model(folder):
    at = enter("embedding", **real_case("en", folder("bert"), "bert", layer="1", query="2").asked).at
    drawn = []
    for layer in ("0", "1"):
        at.select_slider(key="layer").set_value(int(layer))
        page = look(at.run(), "embedding")
        assert at.query_params["layer"] == layer
        assert_shown(page, real_case("en", folder("bert"), "bert", layer=layer, query="2"))
        drawn.append(numbers(heatmaps(page.charts[0])[-1]["z"]))
    assert np.abs(drawn[0] - drawn[1]).max() > 0.1


@pytest.mark.parametrize(
    ("bad", "held"),
    [({"layer": "2"}, {"layer": "0"}), ({"layer": "98", "head": "3"}, {"layer": "0", "head": "0"})]
    + [({name: text}, {name: ""}) for name, text in (("edit", "tokens.0.1:0"), ("edit", "embeddings.0.0:1"))],
)
def test_what_the_model_does_not_have_falls_back_and_is_named(folder, bad, held):
    at = start(**{**real_case("en", folder("bert"), "bert", layer="0", query="2").asked, **bad})
    page = look(at, "overview")
    (warning,) = page.of("warning")
    assert code_spans(warning)[1] == list(bad)
    assert {name: at.query_params[name] for name in held} == held
    assert_shown(page, real_case("en", folder("bert"), "bert", layer="0", query="2"))


def test_the_address_shows_another_visitor_the_same_real_model(visited):
    case, mine = visited("bert")
    theirs = start(first=True, **mine["heads"].at.query_params)
    assert theirs.query_params == mine["heads"].at.query_params
    for slug in ("overview", "heads"):
        page = go(theirs, slug, case.lang)
        assert page.charts == mine[slug].charts
        assert page.of("markdown") == mine[slug].of("markdown")


@pytest.mark.parametrize("sentence", ["wait .... what ........ really", "a_b-c $x$ 👍🏽 ☃☃☃"])
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_every_token_of_the_model_can_be_chosen_and_hidden_however_many_words_there_are(folder, kind, sentence):
    case = real_case("en", folder(kind), kind, sentence=sentence, layer="1", query="0")
    at = start(**case.asked)
    last = len(case.heard.ids) - 1
    for control in (at.selectbox(key="query"), at.multiselect(key="hidden")):
        assert len(control.options) == last + 1
    at.selectbox(key="query").set_value(last)
    at.multiselect(key="hidden").set_value([last - 1])
    look(at.run(), "overview")
    assert (at.query_params["query"], at.query_params["hidden"]) == (str(last), str(last - 1))


@pytest.mark.parametrize("slug", ["overview", "heads", "real"])
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_hostile_sentence_is_shown_in_the_models_tokens_as_they_are(folder, kind, slug):
    sentence = "`` `<b>x</b> **it** [x](y) $a_b$ :red[z] [[layer]] <i>"
    case = real_case("en", folder(kind), kind, sentence=sentence, layer="1", query="2")
    page = enter(slug, **case.asked)
    assert {"<", "`", "*", "$"} <= {token.strip("▁") for token in case.tokens} or kind == "bert"
    for text in page.interpreted:
        assert not re.search(r"<|\[\[|\*\*it|:red|\[x\]", code_spans(text)[0])
    if slug != "real":
        drawn = [name for chart in page.charts for trace in heatmaps(chart) for name in trace["y"]]
        labels = {html.unescape(name) for name in drawn if isinstance(name, str)}
        assert set(case.labels) <= labels
        assert_shown(page, case)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_tokens_beyond_those_that_are_shown_are_counted(folder, kind):
    sentence = "it " * 66
    ids = opened(folder(kind))[1](sentence)["input_ids"]
    case = real_case("en", folder(kind), kind, sentence=sentence, layer="0", query="0")
    page = enter("overview", **case.asked)
    shown = len(page.at.selectbox(key="query").options)
    assert shown == 64 < len(ids)
    assert page.of("caption").count(label("cut_tokens", "en", most=64, count=len(ids) - 64)) == 1


# The lab.


@pytest.mark.parametrize("name", VISITS)
def test_the_mosaic_is_what_the_model_reports_with_nothing_between_its_tiles(visited, name):
    case, pages = visited(name)
    chart = pages["real"].charts[0]
    trace, marks = chart["data"]
    whole, size = numbers(trace["z"]), len(case.tokens)
    tile = size + 1
    assert whole.shape == (LAYERS * tile, HEADS * tile)
    assert (trace["zmin"], trace["zmax"]) == (0, 1)
    between = np.zeros(whole.shape, dtype=bool)
    between[size::tile] = between[:, size::tile] = True
    np.testing.assert_array_equal(np.isnan(whole), between)
    for layer in range(LAYERS):
        for head in range(HEADS):
            drawn = whole[layer * tile : layer * tile + size, head * tile : head * tile + size]
            np.testing.assert_allclose(drawn, case.heard.weights[layer, head], rtol=0, atol=1e-5)
    at = {tuple(own): [] for own in marks["customdata"]}  # the marks to click on in each tile
    for own, x, y in zip(marks["customdata"], marks["x"], marks["y"], strict=True):
        at[tuple(own)].append((x, y))
    assert set(at) == {(i, j) for i in range(LAYERS) for j in range(HEADS)}
    for (i, j), places in at.items():
        assert {y for _, y in places} == {i * tile + (size - 1) / 2}
        assert all(j * tile - 0.5 < x < j * tile + size - 0.5 for x, _ in places)
        assert np.mean([x for x, _ in places]) == pytest.approx(j * tile + (size - 1) / 2)
    (frame,) = chart["layout"]["shapes"]
    left, top = case.head * tile - 0.5, case.layer * tile - 0.5
    assert [frame[side] for side in ("x0", "x1", "y0", "y1")] == [left, left + size, top, top + size]


def measures(case: RealCase) -> list[list[float]]:
    """Each head's row of the table: shares of the queries, the entropy, the best fixed offset and its share."""
    special = set(opened(case.path)[1].all_special_ids)
    rows = []
    for weights in case.heard.weights[case.layer].double().numpy():
        largest, places = weights.argmax(axis=1), np.arange(len(weights))
        spread = -np.sum(weights * np.log(np.where(weights > 0, weights, 1)), axis=1)
        on_special = [case.heard.ids[key] in special for key in largest]
        best = max(range(-4, 5), key=lambda offset: (np.mean(largest == places + offset), -abs(offset), -offset))
        own = [largest == places - 1, largest == places, largest == 0, on_special, spread]
        rows.append([*map(np.mean, own), best, np.mean(largest == places + best)])
    return rows


@pytest.mark.parametrize("name", VISITS)
def test_the_table_measures_the_heads_of_the_layer_as_numpy_does(visited, name):
    case, pages = visited(name)
    (found,) = [text for text in pages["real"].of("markdown") if text.startswith("| ")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found.splitlines()]
    names = ("head", "on_previous", "on_itself", "on_first", "on_special", "entropy", "rule", "rule_share")
    assert head == [label(column, case.lang) for column in names]
    assert [row[0] for row in rows] == [str(number) for number in range(HEADS)]
    for row, (*shares, offset, share) in zip(rows, measures(case), strict=True):
        assert all(is_rounded(shown, value) for shown, value in zip(row[1:6], shares, strict=True)), (row, shares)
        assert row[6] == (f"{offset:+d}".replace("-", "−") if offset else "0")
        assert is_rounded(row[7], share)


@pytest.mark.parametrize("name", VISITS)
def test_the_words_of_the_lab_state_the_models_numbers(visited, name):
    case, pages = visited(name)
    said = pages["real"].said
    assert set(said) == {"motivation", "model", "same", "mosaic", "baseline", "caution", "try"}
    assert code_spans(said["model"].pop("model")) == ("", [case.path])
    sizes = {"layers": LAYERS, "heads": HEADS, "d_model": D_MODEL, "d_k": D_MODEL // HEADS, "layer": case.layer}
    assert said["model"] == {name: str(size) for name, size in sizes.items()}
    assert said["same"]["layer"] == str(case.layer)
    assert 0 <= float(said["same"]["difference"].replace("−", "-")) < 1e-5
    assert said["mosaic"] == {"layer": str(case.layer), "head": str(case.head)}
    rows, told = measures(case), said["baseline"]
    best = max(row[-1] for row in rows)
    row = rows[int(told["head"])]
    assert row[-1] == best
    assert told["layer"] == str(case.layer)
    assert int(told["offset"].replace("−", "-")) == row[-2]
    assert is_percent(told["share"], best)
    assert is_percent(told["previous"], row[0])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_lab_asks_before_it_tells(lang, folder):
    for number in ("0", "1"):
        case = real_case(lang, folder("bert"), "bert", experiment=number, face="turn")
        at = enter("real", lang, **case.asked).at
        page = look(at, "real", lang)
        assert page.charts == []
        assert not [text for text in page.of("markdown") if text.startswith("| ")]
        assert_one_answer_is_right(at, "real", lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_lab_offers_a_real_model_where_other_weights_are_in_force(lang, folder):
    at = start(lang=lang, weights="random", model=folder("bert"), sentence="the cat", query="1", questions="0")
    page = go(at, "real", lang)
    assert page.of("info") == [sections("ui", lang)["only_real"]]
    assert page.charts == []
    assert_footer(page)
    (button,) = [button for button in at.button if button.key == "take_weights"]
    assert button.label == label("take_real", lang)
    page = look(button.click().run(), "real", lang)
    assert at.query_params["weights"] == "real"
    assert len(page.charts) == 1
    assert at.query_params["sentence"] == "the cat"


# Comparing.

WHY = ("weights_same", "weights_kind", "weights_layer", "weights_checkpoint", "weights_learned")


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"layer": "0"}, "weights_layer"),
        ({"hidden": "1"}, "weights_same"),
        ({"weights": "random", "d_model": "8"}, "weights_kind"),
        ({"weights": "hand", "d_model": "24", "num_heads": "3"}, "weights_kind"),
        ({"model": "GPT"}, "weights_kind"),
        ({"sentence": "the dog"}, "weights_same"),
    ],
)
def test_a_real_layer_is_compared_with_another_one(folder, held, why):
    held = {name: folder("gpt2") if text == "GPT" else text for name, text in held.items()}
    pin = "&".join(f"{name}={text}" for name, text in held.items())
    case = real_case("en", folder("bert"), "bert", layer="1", head="2", query="2")
    page = enter("heads", **case.asked, pin=pin)
    assert page.of("warning") == []
    (chart,) = page.charts_in("compare")
    now = numbers(heatmaps(chart)[1]["z"])
    np.testing.assert_allclose(now, case.trace.attention.output, rtol=1e-4, atol=2e-5)
    text = sections("ui", "en")
    assert {name for name in WHY if text[name] in page.of("caption", box="compare")} == {why}
    if why == "weights_layer":
        before = real_case("en", folder("bert"), "bert", layer="0", query="2").trace.attention.output
        np.testing.assert_allclose(numbers(heatmaps(chart)[0]["z"]), before, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("layer", ["1", "2", "98"])
def test_a_held_real_layer_that_is_not_there_does_no_harm(folder, monkeypatch, layer):
    monkeypatch.setattr(ready, "_models", Results(Line(), 1e9, keep_errors=60))
    pin = f"weights=real&model={folder('bert')}&layer={layer}"
    at = enter("heads", weights="random", sentence=SENTENCES["bert"], query="2", pin=pin).at
    for _ in range(2):
        page = look(at.run(), "heads")
        assert page.has("compare")
        assert Case.of("en", sentence=SENTENCES["bert"], query="2").tokens[2] in page.said["heads"]["query"]


# Where it cannot be had.

REASONS = ("extra", "name", "network", "files", "architecture", "memory")
HOSTILE = ["a`b", "**bold** [x](y)", "<b>x</b>", ":red[x] $a_b$", "[[detail]]", "``` 👍🏽", "a/b/c", "../..", "我"]


class Loading:
    """Stands in for attention.pretrained.load: fails for a reason until it is told not to, and counts."""

    def __init__(self, reason: str | None, load: Callable):
        self.reason, self.load, self.calls = reason, load, []

    def __call__(self, name, on_progress, **options):
        self.calls.append(name)
        if self.reason:
            raise Unavailable(self.reason, "a `detail` of **it** [[model]]")
        return self.load(name, on_progress, **options)


@pytest.fixture
def loading(monkeypatch):
    """No model has been loaded yet; how loading goes is up to the test."""
    stand_in = Loading(None, pretrained.load)
    monkeypatch.setattr(ready, "_models", Results(Line(), 1e9, keep_errors=60))
    monkeypatch.setattr(pretrained, "load", stand_in)
    return stand_in


def told_why(page: Page) -> tuple[str, dict[str, str]]:
    """The reason that stands on the page, and its facts."""
    (warning,) = page.of("warning")
    text = sections("ui", page.lang)
    found = [(r, m.groupdict()) for r in REASONS if (m := pattern(text[f"unavailable_{r}"]).fullmatch(warning))]
    assert len(found) == 1
    return found[0]


def assert_footer(page: Page) -> None:
    """The page ends with the ways back and on."""
    (footer,) = [body for body in page.html("") if "class='ways'" in body]
    place = PAGES.index(page.slug)
    ways = {"previous": PAGES[max(0, place - 1) : place], "next": PAGES[place + 1 : place + 2]}
    names = [label(way, page.lang, page=label(slug, page.lang)) for way, slugs in ways.items() for slug in slugs]
    links = re.findall(r"<a href='[^']*' data-page='\w+' class='[^']*'>([^<]*)</a>", footer)
    assert [html.unescape(link) for link in links] == names
    assert list(every_child(page.at.main))[-1].proto.body == footer


@pytest.mark.parametrize(("reason", "lang"), zip(REASONS, cycle(LANGUAGES), strict=False))
def test_every_reason_is_told_once_on_every_page_with_ways_on(loading, reason, lang):
    loading.reason = reason
    name = "owner/`model`"
    at = start(lang=lang, weights="real", model=name, sentence="the cat", query="1")
    for slug in ("overview", "real", "scores" if lang == "en" else "heads"):
        page = go(at, slug, lang)
        why, facts = told_why(page)
        assert why == reason
        expected = {"model": name, "detail": "a `detail` of **it** [[model]]"}
        for fact, shown in facts.items():
            assert code_spans(shown) == ("", [expected[fact]])
        assert page.charts == []
        assert set(page.said) == {"motivation"}
        assert_footer(page)
        buttons = {button.key: button.label for button in at.button}
        assert buttons["try_again"] == label("try_again", lang)
        assert buttons["back_to_learned"] == label("back_to_learned", lang)
    assert loading.calls == [name]
    assert at.query_params["weights"] == "real"
    assert at.query_params["model"] == name


@pytest.mark.parametrize("slug", ["softmax", "real"])
def test_trying_again_loads_once_more_and_shows_the_model(loading, folder, slug):
    case = real_case("en", folder("bert"), "bert", layer="1", query="2")
    loading.reason = "network"
    at = start(**{**case.asked, "layer": "1"})
    assert told_why(go(at, slug))[0] == "network"
    at.button(key="try_again").click()
    assert told_why(look(at.run(), slug))[0] == "network"
    loading.reason = None
    at.button(key="try_again").click()
    page = look(at.run(), slug)
    assert page.of("warning") == []
    assert at.query_params["layer"] == "1"
    assert loading.calls == [case.path] * 3
    if slug != "real":
        assert_shown(page, case)


@pytest.mark.parametrize(("slug", "lang"), zip(["weighted_sum", "real"], LANGUAGES, strict=True))
def test_the_way_back_takes_learned_weights_and_keeps_the_rest(loading, slug, lang):
    loading.reason = "memory"
    at = enter(slug, lang=lang, **{**LEARNED, "weights": "real"}, sentence="the cat saw it", model="a/b").at
    before = settings_in(at, "weights")
    at.button(key="back_to_learned").click()
    page = look(at.run(), slug, lang)
    assert at.query_params["weights"] == "learned"
    assert settings_in(at, "weights") == before
    assert page.of("warning") == []
    if slug != "real":
        assert len(page.charts) == 1


@pytest.mark.parametrize("slug", ["scores", "heads"])
def test_a_held_model_that_can_not_be_had_can_be_let_go(loading, slug):
    loading.reason = "network"
    pin = "weights=real&model=a/b"
    at = enter(slug, weights="random", sentence="the cat saw it", query="1", pin=pin).at
    assert told_why(look(at, slug))[0] == "network"
    at.button(key="back_to_learned").click()
    page = look(at.run(), slug)
    assert page.of("warning") == []
    assert (at.query_params["weights"], at.query_params["pin"]) == ("random", "")
    assert page.charts


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_it_is_and_asked_of_nobody(name, monkeypatch):
    def download(*_, **__):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(ready, "_models", Results(Line(), 1e9, keep_errors=60))
    monkeypatch.setattr(pretrained, "_download", download)
    page = enter("heads", weights="real", model=name, sentence="the cat", query="1")
    reason, facts = told_why(page)
    assert reason == ("files" if name == "../.." else "name")
    assert code_spans(facts["model"]) == ("", [name])
    assert code_spans(facts["detail"])[0] == ""
    mark = name.replace("[[", "").strip()
    for text in page.interpreted:
        assert mark not in code_spans(text)[0]


@pytest.mark.parametrize(("address", "reason"), [("0.0.0.0", "name"), (None, "name"), ("127.0.0.1", ""), ("::1", "")])
def test_visitors_from_elsewhere_open_no_folders_of_this_machine(address, reason, folder, monkeypatch):
    told = st.get_option
    monkeypatch.setattr(ready, "_models", Results(Line(), 1e9, keep_errors=60))
    monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else told(name))
    found = ready.load(Settings(weights="real", model=folder("bert")))
    assert (found.reason if isinstance(found, Unavailable) else "") == reason
    assert isinstance(found, Unavailable) == bool(reason)


@each("lang", LANGUAGES)
def test_a_server_that_opens_no_folders_speaks_of_the_hub_alone(loading, monkeypatch, lang):
    told, text = st.get_option, sections("ui", lang)
    for address, other in (("localhost", ""), ("0.0.0.0", "_hub")):
        monkeypatch.setattr(st, "get_option", lambda name, own=address: own if name == "server.address" else told(name))
        for loading.reason in ("name", "network", *{"en": ("extra", "files"), "zh": ("architecture", "memory")}[lang]):
            at = start(
                lang=lang, weights="real", model=f"{lang}{other}/{loading.reason}", sentence="the cat", query="1"
            )
            (warning,) = look(at, "overview", lang).of("warning")
            section = f"unavailable_{loading.reason}"
            section += other if loading.reason in ("name", "network") else ""
            assert pattern(text[section]).fullmatch(warning), section


def test_a_model_that_can_not_be_had_leaves_everything_else_in_reach(loading):
    loading.reason = "architecture"
    at = start(weights="real", model="a/b", sentence="the cat saw it", query="1")
    at.text_area(key="sentence").set_value("the dog")
    at.toggle(key="scaled").set_value(False)
    assert told_why(look(at.run(), "overview"))[0] == "architecture"
    at.speak("zh")
    assert told_why(look(at.run(), "overview", "zh"))[0] == "architecture"
    assert loading.calls == ["a/b"]
    at.text_input(key="model").set_value("c/d")
    assert code_spans(told_why(look(at.run(), "overview", "zh"))[1]["model"])[1] == ["c/d"]
    assert loading.calls == ["a/b", "c/d"]
    page = go(take(at, "random"), "scores", "zh")
    assert page.of("warning") == []
    assert at.query_params.items() >= {"sentence": "the dog", "scaled": "0", "model": "c/d"}.items()
    assert len(page.charts) == 1


@pytest.mark.parametrize("kind", ["random", "hand"])
def test_a_model_that_is_only_named_is_not_loaded(loading, kind):
    loading.reason = "network"
    at = start(weights=kind, model="some/model", layer="7")
    for slug in ("overview", "real", "heads"):
        go(at, slug)
    assert loading.calls == []
    assert at.query_params.items() >= {"model": "some/model", "layer": "7"}.items()


def test_an_empty_sentence_asks_for_one_whatever_the_model(loading):
    loading.reason = "network"
    assert look(start(weights="real", model="a/b", sentence=""), "overview").of("info") == [label("empty", "en")]


# The loading itself.


@pytest.mark.parametrize("lang", LANGUAGES)
def test_two_visitors_share_one_loading_and_only_the_first_sees_it(loading, folder, lang):
    case = real_case(lang, folder("gpt2"), "gpt2", layer="0", query="2")
    load, template = loading.load, pattern(sections("ui", lang)["loading"])

    def slowly(name, on_progress, **options):
        on_progress("weights", 0.1)
        watched.wait_for(lambda: any(full == 10 for full, _ in watched.bars))
        return load(name, on_progress, **options)

    loading.load = slowly
    with watching() as watched:
        mine = look(start(lang=lang, **case.asked), "overview", lang)
    (told,) = {text for full, text in watched.bars if full == 10}
    assert code_spans(template.fullmatch(told)["model"]) == ("", [case.path])
    assert [element for element in mine.elements if element.type == "progress"] == []
    assert_shown(mine, case)
    with watching() as watched:
        theirs = look(start(lang=lang, **case.asked), "overview", lang)
    assert watched.bars == []
    assert loading.calls == [case.path]
    assert theirs.charts == mine.charts


def test_who_comes_while_a_model_is_loading_waits_for_the_same(loading, folder):
    case, load, may_end = real_case("en", folder("bert"), "bert", layer="1", query="2"), loading.load, threading.Event()

    def slowly(name, on_progress, **options):
        assert may_end.wait(20)
        return load(name, on_progress, **options)

    loading.load = slowly
    job = ready._models.job(case.path, partial(ready._load, case.path), "another visitor")

    def end_when_seen():
        watched.wait_for(lambda: watched.bars)
        assert not job.has_ended
        may_end.set()

    with watching() as watched:
        other = threading.Thread(target=end_when_seen)
        other.start()
        assert_shown(look(start(**case.asked), "overview"), case)
        other.join()
    assert loading.calls == [case.path]
    assert ready._models.find(case.path) is job.outcome()


# The labs with experiments of their own.


LABS = [slug for group, slugs in GROUPS.items() if group != "learning" for slug in slugs]
EXPERIMENTS = [(slug, number) for slug in LABS for number in range(tabs_of(slug))]


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_every_experiment_of_a_lab_opens_with_a_real_model(kind, folder):
    """Every other one with each model; those on masks with both, as one of the models has a mask of its own."""
    for place, (slug, number) in enumerate(EXPERIMENTS, start=kind == "gpt2"):
        if place % 2 and slug != "masks":
            continue
        address = {"weights": "real", "model": folder(kind), "layer": "1", "query": "3"}
        address |= {"sentence": SENTENCES[kind], "second": "the dog saw the cats", "face": "notice", "questions": "0"}
        page = enter(slug, "en", experiment=str(number), **address)
        assert page.of("title") or page.of("markdown"), (slug, number)
