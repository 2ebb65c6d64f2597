"""Masks: which keys a query may look at, what becomes of a query that may look at none, and who may see what."""

from functools import partial

import streamlit as st

from attention.functional import apply_mask, causal_mask, softmax
from attention.measures import open_keys
from attention.variants import window_mask
from pages.masks import kinds
from pages.masks.grid import draw_grid
from pages.ui.figures.panels import Axis, Board, Closed, Panel, Scale, heatmap_height, token_labels
from pages.ui.lab import LayerLab, asked, toggle_cell
from pages.ui.lesson import Say
from pages.ui.state.settings import MASKS, WINDOWS

EXPERIMENTS = ("kinds", "padding", "closed", "meaning", "who")

here = LayerLab()
size, query, head = len(here.labels), here.query, here.head
tokens = here.axis("query"), here.axis("key")
height = heatmap_height(size, most=330)


def by_kind() -> None:
    here.option("mask", MASKS)
    if here.settings.mask == "window":
        here.slider("window", WINDOWS)
    here.asks(
        asked("last", "everything", "itself", "nothing"),
        asked("renormed", "grow", "same", "zero"),
    )
    is_open = kinds.chosen(here.settings, size)
    scores, weights = kinds.masked(here.own("scaled_scores"), is_open)
    scale = Scale.signed(here.own("scaled_scores"), name=here.name("tensor_scaled_scores"))
    closed = Closed(~is_open, here.name("closed"))
    before = Panel(here.own("scaled_scores"), here.name("tensor_masked_scores"), *tokens, scale, closed=closed)
    after = here.weights(weights, here.name("tensor_attn_weights"), is_open=is_open)
    board = Board([[before.without("shape"), here.veil(after).without("rows")]], [1, 1], [height], gap=0.06)

    def paint() -> None:
        figure = draw_grid(is_open, here.labels, here.text("paint"), here.colors)
        grid, result = st.columns([0.48, 0.52], gap="small")
        with grid:
            here.figure(figure, "paint", here.text("paint"), on_pick=toggle_cell)
        with result:
            here.show(Board([[after]], [1], [heatmap_height(size, most=300)]), "painted")

    here.place(paint if here.settings.mask == "painted" else board)
    count = int(open_keys(scores)[query])
    facts = {"query": here.token(query), "open": count, "closed": int((~is_open).sum()), "cells": size * size}

    def notice() -> None:
        here.say("notice_kinds", **facts)
        if count:
            here.say("row_kinds", sum=float(weights[query].sum()), key=here.leader(weights[query]))
        else:
            here.say("row_closed")

    here.tells(notice, apply_mask, causal_mask, window_mask)


def padding() -> None:
    here.typing("second", here.text("second"))
    here.asks(asked("wasted", "some", "none", "error"), asked("padrow", "junk", "zero", "stop"))
    other = here.also(here.settings.second or here.text("second")) or here.trace
    long = max(size, len(other.tokens))
    short, own = (here.trace, other)[len(other.tokens) < size], max(here.trace, other, key=lambda t: len(t.tokens))
    labels = token_labels([*short.tokens, *[kinds.PAD] * (long - len(short.tokens))])
    axes = Axis(here.name("axis_query"), labels), Axis(here.name("axis_key"), labels)
    wasted, mended = (kinds.padded(short, long, head, closed=closed) for closed in (False, True))
    real = kinds.real(long, len(short.tokens))
    first = here.weights(wasted, here.text("without_mask"), *axes)
    second = here.weights(mended, here.text("with_mask"), *axes, is_open=real)
    here.place(
        Board(
            [[here.veil(first), here.veil(second).without("rows")]], [1, 1], [heatmap_height(long, most=330)], gap=0.05
        )
    )
    lost = kinds.lost(wasted, len(short.tokens))
    facts = {"long": len(own.tokens), "short": len(short.tokens), "pads": long - len(short.tokens), "lost": lost}
    here.tells(partial(here.say, "notice_padding", **facts), kinds.padded)


def closed() -> None:
    here.asks(asked("nothing", "depends", "nan", "error"), asked("best", "zeros", "even", "stop"))
    attention = here.trace.attention
    found = kinds.all_closed(
        here.own("scaled_scores")[query], attention.q[head, query], attention.k[head], attention.v[head]
    )

    def draw() -> None:
        here.say("closed_about", query=here.token(query))
        names = [here.text(name) for name in ("code", "weights", "output")]
        here.table(names, [[f"`{name}`", kinds.shown(row), kinds.shown(out)] for name, row, out in found])
        here.say("closed_first")

    here.place(draw)
    mean = attention.v[head].mean(dim=0)
    difference = float((found[-1][2] - mean).abs().max())
    here.tells(partial(here.say, "notice_closed", difference=difference), kinds.all_closed, softmax)


def meaning() -> None:
    here.asks(asked("same", "opposite", "agree", "error"), asked("find", "invert", "transpose", "float"))
    is_true = causal_mask(size, size)
    q, k = (tensor[head] for tensor in (here.trace.attention.q, here.trace.attention.k))
    fused, layer = kinds.both_meanings(q, k, is_true)
    given = Panel(is_true.float(), here.text("given_mask"), *tokens, Scale(plain=True), whole=True, show_shape=False)
    one = here.weights(fused, "F.scaled_dot_product_attention", is_open=is_true)
    other = here.weights(layer.nan_to_num(0.0), "nn.MultiheadAttention", is_open=~is_true)
    grid = [[given, here.veil(one).without("rows"), here.veil(other).without("rows")]]
    here.place(Board(grid, [1, 1, 1], [heatmap_height(size, most=300)], gap=0.04))
    broken = int(layer.isnan().any(dim=1).sum())
    here.tells(partial(here.say, "notice_meaning", broken=broken), kinds.both_meanings)


def who() -> None:
    here.asks(asked("bert", "whole", "left", "right"), asked("gpt", "cheat", "slow", "fine"))
    other = here.also(here.text("second"))
    memory = token_labels(other.tokens) if other else here.labels
    seen = kinds.may_see(size, len(memory))
    plain = Scale(weight=True, name=here.text("may_look"))
    panels = [
        Panel(
            is_open.float(),
            here.text(f"who_{name}"),
            tokens[0],
            Axis(here.name("axis_key"), memory if name == "between" else here.labels),
            plain,
            closed=Closed(~is_open, here.name("closed")),
            show_shape=False,
            whole=True,
        )
        for name, is_open in seen.items()
    ]
    grid = [[here.veil(panels[0]), *(here.veil(panel).without("rows") for panel in panels[1:])]]
    here.place(Board(grid, [1, 1, 1], [heatmap_height(size, most=300)], gap=0.04))
    here.tells(partial(here.say, "notice_who"), causal_mask, kinds.may_see)


DRAWN: dict[str, Say] = {"kinds": by_kind, "padding": padding, "closed": closed, "meaning": meaning, "who": who}
DRAWN[here.choose(*EXPERIMENTS)]()
here.back()
