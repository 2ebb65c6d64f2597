"""Where attention is used: in each use the shapes of Q, K and V, and which mask."""

from functools import partial

from attention import tokenize
from pages.ui.figures.panels import Axis, Board, Outline, Panel, Scale
from pages.ui.lab import Lab, asked
from pages.ui.state.settings import IMAGES
from pages.uses import pictures

EXPERIMENTS = ("translation", "summary", "picture", "speech", "shop")
QUESTIONS = {
    "translation": asked("square", "no", "yes", "padded"),
    "summary": asked("mask", "causal", "none", "window"),
    "picture": asked("token", "patch", "pixel", "whole"),
    "speech": asked("many", "keys", "queries", "both"),
    "shop": asked("items", "next", "all", "words"),
}
here = Lab()
chosen = here.choose(*EXPERIMENTS)
if chosen == "picture":
    here.option("image", IMAGES)
here.asks(QUESTIONS[chosen])
tokens, others = max(1, len(here.now.tokens)), len(tokenize(here.text("other_sentence")))
found = pictures.uses(chosen, tokens, others)


def shapes() -> None:
    names = [here.text(f"column_{name}") for name in ("part", "from", "q", "kv", "weights", "mask")]
    rows = [
        [
            here.text(f"part_{use.part}"),
            here.text(use.source),
            f"{use.queries} × d_k",
            f"{use.keys} × d_k",
            f"{use.queries} × {use.keys}",
            here.text(use.mask),
        ]
        for use in found
    ]
    here.table(names, rows)
    here.say(f"about_{chosen}")


def picture() -> Board:
    drawn = pictures.image(here.settings.image)
    rows = pictures.patches(drawn)
    weights = pictures.looks(rows)
    shade, shares = (
        Scale(weight=True, name=here.text("grey")),
        Scale(weight=True, name=here.name("tensor_attn_weights")),
    )
    place = len(rows) // 2
    follow = (Outline("q", rows=(place, place + 1)),)
    pixels, patch = Axis(here.text("pixels")), Axis(here.text("patch_axis"))
    panels = [
        Panel(drawn, here.text("the_picture"), pixels, pixels, shade),
        Panel(rows, here.text("its_patches"), patch, Axis(here.text("pixels")), shade, outlines=follow),
        here.veil(Panel(weights, here.text("who_looks"), patch, patch, shares, outlines=follow)),
    ]
    return Board([panels], [1, 0.8, 1.2], [330], gap=0.06)


here.place(picture() if chosen == "picture" else shapes)
here.tells(partial(here.say, f"notice_{chosen}"), pictures.patches if chosen == "picture" else pictures.uses)
here.back()
