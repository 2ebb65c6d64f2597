"""A step performed: at every moment what is there, and what stands for it, are the true numbers and partial sums."""

import math
import re
from importlib import import_module

import pytest
import torch
from each import each
from sights import cells, sight, size
from visiting import enter

from attention.tensors import TENSORS, matrix
from pages import WALK
from pages.ui.figures.play import Area, parts
from pages.ui.state.settings import MOST_MOMENTS, MOST_WAYS
from pages.ui.words import prose

SMALL = {"weights": "random", "d_model": "8", "num_heads": "2"}
ADDRESSES = (
    SMALL,
    SMALL | {"causal": "1", "hidden": "0", "head": "1", "query": "3", "lang": "zh"},
    SMALL | {"causal": "1", "hidden": "0", "query": "0"},
    {"weights": "hand", "d_model": "4", "num_heads": "4", "sentence": "a </s> <b> $x$ `c` [[x]]", "positions": "0"},
    {"weights": "random", "d_model": "512", "num_heads": "16", "head": "15", "scaled": "0"},
    {"weights": "random", "d_model": "24", "num_heads": "1", "sentence": "x", "lang": "zh"},
)
LONGEST = 20.0  # seconds to tell a row
WIDEST = 110  # characters that stand below a picture


def plays(slug, address):
    here = sight(address)
    return here, import_module(f"pages.{slug}.play").play(here)


def values(here, area):
    """The tensor's own numbers in an area."""
    whole = matrix(here.trace, area.tensor, area.head, here.query)
    (a, b), (c, d) = area.rows or (0, whole.shape[0]), area.columns or (0, whole.shape[1])
    return whole[a:b, c:d]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("slug", WALK)
class TestEveryPlay:
    def test_every_area_lies_in_its_tensor_and_on_the_page(self, slug, address):
        here, ways = plays(slug, address)
        board = import_module(f"pages.{slug}.stage").stage(here)
        on_page = {panel.view.tensor for panel in board.panels}
        for play in ways:
            for moment in play.moments:
                travelling = [end for travel in moment.travels for end in (travel.start, travel.end)]
                areas = [*moment.lit, *moment.fills, *travelling, *(shown.area for shown in moment.shown)]
                for area in (*areas, *play.covers):
                    assert area.tensor in on_page
                    assert (area.head is not None) == TENSORS[area.tensor].per_head
                    rows, columns = size(here, area)
                    assert 0 <= (area.rows or (0, rows))[0] < (area.rows or (0, rows))[1] <= rows
                    assert 0 <= (area.columns or (0, columns))[0] < (area.columns or (0, columns))[1] <= columns

    def test_what_the_step_makes_is_covered_first_and_all_of_it_is_there_at_the_end(self, slug, address):
        here, ways = plays(slug, address)
        for play in ways:
            missing = {cell for area in play.covers for cell in cells(here, area)}
            made = {"projections": "q", "scores": "scores", "scaling": "scaled_scores", "softmax": "attn_weights"}
            made |= {"embedding": "x", "weighted_sum": "head_outputs", "heads": "output"}
            tensor = TENSORS[made[slug]]
            assert set(cells(here, Area(tensor.name, here.head if tensor.per_head else None))) <= missing
            for moment in play.moments:
                assert missing or moment is play.moments[-1]
                missing -= {cell for area in moment.fills for cell in cells(here, area)}
            assert missing == set()

    def test_a_row_is_told_in_twenty_seconds_and_in_a_line(self, slug, address):
        here, ways = plays(slug, address)
        assert 1 <= len(ways) <= MOST_WAYS
        for play in ways:
            assert len(play.moments) - play.told == (len(here.labels) > 1)  # and the others' rows at once, if any
            assert len(play.moments) < MOST_MOMENTS
            assert sum(moment.beats for moment in play.moments[: play.told]) <= LONGEST
            for moment in play.moments:
                assert 0 < len(moment.words) <= WIDEST * (1 if address.get("lang") != "zh" else 0.6)
                assert "[[" not in moment.words.replace("[[x]]", "")
                assert not re.search(r"\*\*|\$\\|nan|None", moment.words)
                assert not re.search(r"\(\d+\.\d+\)|[-+−×] −\d", moment.words)  # brackets around what is negative alone

    def test_a_number_that_stands_for_a_cell_becomes_the_number_of_the_tensor(self, slug, address):
        """The last partial sum, with the bias where there is one, is what appears in its place."""
        here, ways = plays(slug, address)
        for play in ways:
            last = {}
            for moment in play.moments:
                for shown in moment.shown:
                    assert len(shown.numbers) == values(here, shown.area).numel()
                    last[shown.area] = torch.tensor(shown.numbers)
            for area, numbers in last.items():
                truth = values(here, area).flatten()
                if slug == "projections":
                    first = (area.head or 0) * here.trace.config.head_dim + (area.columns or (0, 0))[0]
                    truth = truth - here.own("b_q")[0, first : first + len(truth)]
                if slug == "heads":
                    truth = truth - here.own("b_o")[0, :1]
                if slug == "weighted_sum" and play.name in (here.name("way_blend"),):
                    weights = here.own("attn_weights")[here.query]
                    told = weights.argsort(descending=True, stable=True)[:4]  # the others are told together
                    truth = (weights[told] @ here.own("v")[told]).flatten()
                torch.testing.assert_close(numbers, truth, rtol=2e-4, atol=2e-4)


OPERANDS = {"scores": ("q", "k"), "projections": ("x", "w_q"), "weighted_sum": ("attn_weights", "v")}


@each("address", ADDRESSES)
@pytest.mark.parametrize("slug", OPERANDS)
def test_each_sum_so_far_is_that_of_the_terms_that_were_lit(slug, address):
    here, ways = plays(slug, address)
    (play,) = [each for each in ways if each.name == here.name("way_dot")]
    total, seen = 0.0, 0
    for moment in play.moments:
        if not moment.shown or len(moment.lit) != 3:
            continue
        left, right, target = moment.lit
        assert (left.tensor, right.tensor) == OPERANDS[slug]
        a, b = (values(here, area).flatten().double() for area in (left, right))
        assert len(a) == len(b)
        total, seen = total + float(a @ b), seen + len(a)
        ((area, (number,)),) = [(shown.area, shown.numbers) for shown in moment.shown]
        assert area == target
        assert number == pytest.approx(total, rel=1e-4, abs=1e-4)
        said = [float(text.replace("−", "-")) for text in re.findall(r"−?\d+\.\d+", moment.words)]
        if not said:
            assert "≈ 0" in moment.words
            continue
        assert said[-1] == pytest.approx(total, abs=0.006) or abs(total) < 0.005
        assert said[0] == pytest.approx(float(a @ b), abs=0.006) or abs(float(a @ b)) < 0.005
    assert (
        seen == values(here, Area(OPERANDS[slug][0], play.covers[0].head if slug != "projections" else None)).shape[1]
    )


@each("address", ADDRESSES)
def test_a_blend_adds_up_rows_of_the_matrix(address):
    here, ways = plays("projections", address)
    blend = ways[1]
    x, w = here.own("x")[here.query].double(), here.own("w_q").double()
    for moment in blend.moments:
        if moment.shown and moment.lit[0].tensor == "x" and moment.lit[1].tensor == "w_q":
            stop = moment.lit[1].rows[1]
            numbers = torch.tensor([number for shown in moment.shown for number in shown.numbers], dtype=torch.float64)
            torch.testing.assert_close(numbers, x[:stop] @ w[:stop], rtol=1e-4, atol=1e-4)
            assert moment.lit[0].columns == moment.lit[1].rows


@each("address", ADDRESSES)
def test_values_are_stacked_up_in_the_order_in_which_they_are_named(address):
    here, ways = plays("weighted_sum", address)
    weights, v, total = here.own("attn_weights")[here.query].double(), here.own("v").double(), 0
    for moment in ways[0].moments:
        if moment.travels:
            key = moment.travels[0].start.rows[0]
            assert here.labels[key] in moment.words
            total = total + weights[key] * v[key]
            numbers = torch.tensor(moment.shown[0].numbers, dtype=torch.float64)
            torch.testing.assert_close(numbers, total, rtol=1e-4, atol=1e-4)


@each("address", ADDRESSES)
def test_softmax_says_the_largest_the_sum_and_the_share(address):
    here, ways = plays("softmax", address)
    masked = here.own("masked_scores")[here.query].double()
    words = " ".join(moment.words for moment in ways[0].moments)
    if bool((masked == -math.inf).all()):
        assert prose.sections("softmax", here.lang)["play_closed"] in words
        return
    exps = (masked - masked.max()).exp()
    for truth in (float(masked.max()), float(exps.sum()), float(exps.max() / exps.sum())):
        shown = [float(text.replace("−", "-")) for text in re.findall(r"−?\d+\.\d+", words)]
        assert any(number == pytest.approx(truth, abs=0.006) for number in shown)


@each("address", ADDRESSES)
def test_what_each_head_adds_is_its_part_of_the_product(address):
    here, ways = plays("heads", address)
    joined, w_o = here.own("joined")[here.query].double(), here.own("w_o")[:, 0].double()
    total = 0.0
    for moment in ways[0].moments:
        for shown in moment.shown:
            first, stop = moment.lit[0].columns
            assert moment.lit[1].rows == (first, stop)
            total += float(joined[first:stop] @ w_o[first:stop])
            assert shown.numbers[0] == pytest.approx(total, rel=1e-4, abs=1e-4)


@each("count", range(1, 40))
def test_parts_are_all_the_terms_in_order(count):
    found = parts(count)
    assert [term for first, stop in found for term in range(first, stop)] == list(range(count))
    assert len(found) <= 4


def test_every_sentence_of_a_play_is_said_somewhere():
    """In one language the same as in the other: test_prose holds their names together."""
    ways = [
        *ADDRESSES,
        *(SMALL | {"d_model": "24", "num_heads": heads, "sentence": "a b c d e f g h"} for heads in ("6", "8", "12")),
        {"weights": "hand", "d_model": "4", "num_heads": "4", "sentence": "a b"},
    ]
    for slug in WALK:
        said = [moment.words for address in ways for play in plays(slug, address)[1] for moment in play.moments]
        for name, text in prose.sections(slug, "en").items():
            if name.startswith("play_") and name != "play_given":  # that is a real model's: see test_real
                pattern = re.sub(r"\\\[\\\[\w+\\\]\\\]", ".+", re.escape(text))
                assert any(re.fullmatch(pattern, words) for words in said), (slug, name)


def test_after_a_change_by_hand_nothing_is_played():
    address = SMALL | {"sentence": "a b c", "edit": "scores.1.1.0:3"}
    page = enter("scores", **address)
    assert page.scene["plays"] == []
    assert enter("scores", **{**address, "edit": ""}).scene["plays"]
