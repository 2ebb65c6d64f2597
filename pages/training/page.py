"""What it learns: the layer while it is trained, what it gets right, and what each head does for it."""

import streamlit as st

from attention.learn import logits
from pages.training import heads
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Axis, Board, Closed, Outline, Panel, Scale, heatmap_height
from pages.ui.lesson import Lesson
from pages.ui.words.numbers import percent

here = Lesson("learned")
layer = here.layer
kept = layer.history.checkpoints
now, final = layer.at(here.settings.checkpoint), kept[-1]
steps, marks = range(1, len(layer.history.losses) + 1), [checkpoint.step for checkpoint in kept]

# How it went.
here.say("task", query=here.token(here.query), word=here.said())
with st.expander(here.name("conventions")):
    here.say("conventions")
losses = Line(here.name("loss"), steps, layer.history.losses)
one_head = Line(here.name("one_head"), marks, [checkpoint.accuracy for checkpoint in kept], dots=True)
beyond = Line(here.name("beyond"), marks, [checkpoint.accuracy_beyond for checkpoint in kept], quiet=True)
lost, gets = st.columns(2, gap="medium")
with lost:
    chart = Chart(here.name("loss"), here.name("axis_step"), [losses], marked=now.step)
    here.figure(draw_curves(chart, here.colors), "loss", here.name("loss"))
with gets:
    chart = Chart(here.name("accuracy"), here.name("axis_step"), [one_head, beyond], share=True, marked=now.step)
    here.figure(draw_curves(chart, here.colors), "accuracy", here.name("accuracy"))
always = percent(layer.accuracy_of_itself())
here.say("curves", step=now.step, accuracy=percent(now.accuracy), beyond=percent(now.accuracy_beyond), itself=always)

# From noise to structure.
here.heading("sharpen")
rows, keys, shares = here.axis("query"), here.axis("key"), Scale(weight=True, name=here.name("shares"))
chosen = range(0, len(kept), 2)
over_time = heads.over_time(layer, here.trace.tokens, here.head, here.settings.hidden, chosen)
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
height = heatmap_height(len(here.trace.tokens), most=230)
here.show(Board([panels[:3], panels[3:]], [1] * 3, [height, height], gap=0.03), "sharpen")
here.say("sharpen", head=here.head)

# What each head does.
here.heading("heads_at_the_end")
found = heads.reports(layer)
relations = Axis(here.name("relation"), tuple(here.name(f"relation_{name}") for name in final.accuracy_by_relation))
each = Axis(here.name("head"), tuple(here.name("head_n", number=head) for head in range(len(found))))
without = (here.name("without_head", number=head) for head in range(len(found)))
lesser = Axis(here.name("head"), (here.name("whole_layer"), *without))
looks = Panel(heads.looks(found), here.name("looks_there"), each, relations, shares).without("columns", "shape")
right = Panel(heads.right(layer, found), here.name("gets_right"), lesser, relations, shares).without("shape")
line = 28
here.show(Board([[looks], [right]], [1], [line * len(found), line * (1 + len(found))]), "heads")
told, table = st.columns([0.5, 0.5], gap="large")
with told:
    section, facts = heads.division_of_labour(layer, found)
    here.say(section, **{name: here.name(str(fact)) if name == "relation" else fact for name, fact in facts.items()})
    here.say("beyond", **{name: percent(final.accuracy_by_relation[name]) for name in ("meaning", "role", "same")})
with table:
    here.table(
        [
            here.name("head"),
            *(here.name(name) for name in ("on_referent", "on_previous", "on_itself", "entropy", "drop")),
        ],
        [
            [
                str(head),
                *(report.on_referent, report.on_previous, report.on_itself, report.entropy),
                final.accuracy - report.accuracy_without,
            ]
            for head, report in enumerate(found)
        ],
    )
    here.attempt()
here.story()
here.unknown()
here.faces(None, "attn_weights", code=[logits], compare=["attn_weights", "output"], by_hand="silence")
