"""Word vectors: learned from nothing but which words stand near each other; neighbours, a map, and back to words."""

import streamlit as st

from attention.vectors import CONTENT, guess_loss
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.lesson import Page
from pages.ui.words.numbers import percent
from pages.vectors import controls
from pages.vectors.wordmap import Map, draw_maps

here = Page()
settings = here.settings
here.say("idea")
method, told = st.columns([0.3, 0.7], gap="large", vertical_alignment="center")
with method:
    controls.choose_method(here.lang)
with told:
    here.say(settings.method)
vectors = controls.trained(settings, here.now.language)
steps = range(1, len(vectors.losses) + 1)
loss = Chart(here.name("loss"), here.name("axis_step"), [Line(here.name("loss"), steps, vectors.losses)])

# Neighbours before and after.
here.heading("neighbours")
chosen, curve = st.columns([0.5, 0.5], gap="large")
with chosen:
    word = controls.choose_word(vectors, settings)
    near = {trained: vectors.neighbours(word, 5, trained=trained) for trained in (False, True)}
    here.table(
        [here.name("before_training"), here.name("cosine"), here.name("after_training"), here.name("cosine")],
        [[*was, *now] for was, now in zip(near[False], near[True], strict=True)],
    )
with curve:
    here.figure(draw_curves(loss, here.colors), "loss", here.name("loss"))
    here.say("loss", words=len(vectors.words), start=vectors.losses[0], end=vectors.losses[-1])

# The map.
here.heading("map")
picture = controls.Picture(vectors)
maps = [Map(here.name("before_training"), picture.before), Map(here.name("after_training"), picture.after)]
names = {kind: here.name(f"class_{kind}") for kind in CONTENT}
here.figure(draw_maps(maps, picture.words, picture.classes, names, word, here.colors), "map", here.name("map"))
before, after, chance = picture.agreement
shares = {"before": before, "after": after, "chance": chance, "kept": float(picture.kept.sum())}
here.say("agreement", count=len(picture.words), **{name: percent(share) for name, share in shares.items()})
here.say("limits")

# Back to a word.
here.heading("decode")
mixed, said = st.columns([0.4, 0.6], gap="large", vertical_alignment="center")
with mixed:
    other = controls.choose_word(vectors, settings, "other")
    share = controls.choose_share(settings)
found, cosine = vectors.nearest(controls.mixture(vectors, word, other, share))
with said:
    here.say(
        "decoded_word",
        first=here.code(word),
        second=here.code(other),
        percent=settings.mix,
        word=here.code(found),
        cosine=cosine,
    )
here.attempt()
here.source(guess_loss)
