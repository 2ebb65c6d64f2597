"""Word vectors: learned from nothing but which words stand near each other; neighbours, a map, and back to words."""

import streamlit as st

from attention.vectors import CONTENT, guess_loss
from pages.ui import wordvectors
from pages.ui.curves import Chart, Line, draw_curves
from pages.ui.lesson import Page
from pages.ui.wordmap import Map, draw_maps

here = Page("vectors")
lang, language = here.lang, here.settings.grammar
here.say("idea")
controls, told = st.columns([0.3, 0.7], gap="large", vertical_alignment="center")
with controls:
    method = wordvectors.choose_method(lang)
with told:
    here.say(method)
vectors = wordvectors.trained(method, language, here.settings.seed, lang)
steps = range(1, len(vectors.losses) + 1)
loss = Chart(here.name("loss"), here.name("axis_step"), [Line(here.name("loss"), steps, vectors.losses)])

# Neighbours before and after.
here.heading("neighbours")
chosen, curve = st.columns([0.5, 0.5], gap="large")
with chosen:
    word = wordvectors.choose_word(vectors, lang)
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
picture = wordvectors.Picture(vectors)
maps = [Map(here.name("before_training"), picture.before), Map(here.name("after_training"), picture.after)]
names = {kind: here.name(f"class_{kind}") for kind in CONTENT}
here.figure(draw_maps(maps, picture.words, picture.classes, names, word, here.colors), "map", here.name("map"))
before, after, chance = picture.agreement
here.say(
    "agreement", before=before, after=after, chance=chance, count=len(picture.words), kept=float(picture.kept.sum())
)
here.say("limits")

# Back to a word.
here.heading("decode")
mixed, said = st.columns([0.4, 0.6], gap="large", vertical_alignment="center")
with mixed:
    other = wordvectors.choose_word(vectors, lang, "vectors_other")
    share = wordvectors.choose_share(lang)
found, cosine = vectors.nearest(wordvectors.mixture(vectors, word, other, share))
with said:
    here.say(
        "decoded_word",
        first=here.code(word),
        second=here.code(other),
        percent=round(share * 100),
        word=here.code(found),
        cosine=cosine,
    )
here.attempt()
here.source(guess_loss)
