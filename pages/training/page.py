"""What it learns: the layer while it is trained, what it gets right, and what each head does for it."""

from functools import partial

import streamlit as st

from attention.learn import logits
from pages.training import heads
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Axis, Board, Closed, Outline, Panel, Scale, heatmap_height
from pages.ui.lab import LayerLab, asked, typed
from pages.ui.lesson import Say
from pages.ui.words.numbers import percent

EXPERIMENTS = ("question", "curves", "sharpen", "heads")
here = LayerLab("learned", by_hand="silence")
layer = here.layer
kept = layer.history.checkpoints
now, final = layer.at(here.settings.checkpoint), kept[-1]


def the_question() -> None:
    here.asks(asked("refers", "noun", "itself", "next"), asked("gets", "output", "weights", "query"))
    here.place(lambda: here.say("conventions"))

    def notice() -> None:
        here.say("task", query=here.token(here.query), word=here.said())
        here.story()
        here.unknown()

    here.tells(notice, logits)


def curves() -> None:
    itself = layer.accuracy_of_itself()
    here.asks(typed("itself", 100 * itself, 8))
    steps, marks = range(1, len(layer.history.losses) + 1), [checkpoint.step for checkpoint in kept]
    losses = Line(here.name("loss"), steps, layer.history.losses)
    one_head = Line(here.name("one_head"), marks, [checkpoint.accuracy for checkpoint in kept], dots=True)
    beyond = Line(here.name("beyond"), marks, [checkpoint.accuracy_beyond for checkpoint in kept], quiet=True)

    def draw() -> None:
        lost, gets = st.columns(2, gap="small")
        with lost:
            chart = Chart(here.name("loss"), here.name("axis_step"), [losses], marked=now.step, height=330)
            here.figure(draw_curves(chart, here.colors), "loss", here.name("loss"))
        with gets:
            lines = [one_head, beyond]
            chart = Chart(here.name("accuracy"), here.name("axis_step"), lines, True, now.step, height=330)
            here.figure(draw_curves(chart, here.colors), "accuracy", here.name("accuracy"))

    here.place(draw)
    facts = {"accuracy": percent(now.accuracy), "beyond": percent(now.accuracy_beyond), "itself": percent(itself)}
    here.tells(partial(here.say, "curves", step=now.step, **facts), logits)


def sharpen() -> None:
    here.asks(asked("early", "nothing", "grammar", "even"))
    rows, keys, shares = here.axis("query"), here.axis("key"), Scale(weight=True, name=here.name("shares"))
    chosen = range(0, len(kept), 2)
    read = here.now.shown
    over_time = heads.over_time(layer, read.tokens, here.head, here.settings.hidden, chosen, read.gaps)
    panels = [
        Panel(
            weights,
            here.name("step", step=kept[i].step),
            rows,
            keys,
            shares,
            outlines=(Outline("q", rows=(here.query, here.query + 1)),),
            show_rows=number % 3 == 0,
            show_columns=number >= 3,
            show_shape=False,
            closed=Closed(here.closed("masked_scores"), here.name("closed")),
        )
        for number, (i, weights) in enumerate(zip(chosen, over_time, strict=True))
    ]
    panels = [panels[0], *map(here.veil, panels[1:])]
    height = heatmap_height(len(here.trace.tokens), most=135)
    here.place(Board([panels[:3], panels[3:]], [1] * 3, [height, height], gap=0.03))
    here.tells(partial(here.say, "sharpen", head=here.head), heads.over_time)


def of_the_heads() -> None:
    here.asks(asked("lost", "perhaps", "surely", "never"))
    found, shares = heads.reports(layer), Scale(weight=True, name=here.name("shares"))
    relations = Axis(here.name("relation"), tuple(here.name(f"relation_{name}") for name in final.accuracy_by_relation))
    each = Axis(here.name("head"), tuple(here.name("head_n", number=head) for head in range(len(found))))
    without = (here.name("without_head", number=head) for head in range(len(found)))
    lesser = Axis(here.name("head"), (here.name("whole_layer"), *without))
    looks = Panel(heads.looks(found), here.name("looks_there"), each, relations, shares).without("columns", "shape")
    right = Panel(heads.right(layer, found), here.name("gets_right"), lesser, relations, shares).without("shape")
    line = 28
    names = [here.name("head"), *map(here.name, ("on_referent", "on_previous", "on_itself", "entropy", "drop"))]
    measures = [
        [str(head), own.on_referent, own.on_previous, own.on_itself, own.entropy, final.accuracy - own.accuracy_without]
        for head, own in enumerate(found)
    ]
    board = Board([[here.veil(looks)], [here.veil(right)]], [1], [line * len(found), line * (1 + len(found))])
    here.place(board, under=partial(here.table, names, measures))
    section, facts = heads.division_of_labour(layer, found)

    def notice() -> None:
        here.say(
            section, **{name: here.name(str(fact)) if name == "relation" else fact for name, fact in facts.items()}
        )
        here.say("beyond", **{name: percent(final.accuracy_by_relation[name]) for name in ("meaning", "role", "same")})
        here.attempt()

    here.tells(notice, heads.looks, heads.right)


DRAWN: dict[str, Say] = {"question": the_question, "curves": curves, "sharpen": sharpen, "heads": of_the_heads}
DRAWN[here.choose(*EXPERIMENTS)]()
here.back()
