"""Word vectors: learned from nothing but which words stand near each other; neighbours, a map, and back to words."""

import math
from functools import partial

from attention.vectors import CONTENT, guess_loss
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.lab import Lab, asked, typed
from pages.ui.lesson import Say
from pages.ui.words.numbers import percent
from pages.vectors import controls
from pages.vectors.wordmap import Map, draw_maps

EXPERIMENTS = ("game", "near", "map", "mix")
here = Lab()
settings = here.settings
chosen = here.choose(*EXPERIMENTS)
with here.row:
    controls.choose_method(here.lang)
vectors = controls.trained(settings, here.now.language)


def word(name: controls.Which = "word") -> str:
    """The word that the reader chose beside the tabs."""
    with here.row:
        return controls.choose_word(vectors, settings, name)


def game() -> None:
    count = len(vectors.words)
    here.asks(typed("blind", math.log(count), 0.15, words=count))
    steps = range(1, len(vectors.losses) + 1)
    lines = [Line(here.name("loss"), steps, vectors.losses)]
    loss = Chart(here.name("loss"), here.name("axis_step"), lines, height=380)
    here.place(draw_curves(loss, here.colors), here.name("loss"))

    def notice() -> None:
        here.say("idea")
        here.say(settings.method)
        here.say("loss", words=count, start=vectors.losses[0], end=vectors.losses[-1])

    here.tells(notice, guess_loss)


def near() -> None:
    here.asks(asked("opposite", "near", "far", "right"))
    own = word()
    found = {trained: vectors.neighbours(own, 5, trained=trained) for trained in (False, True)}
    names = [here.name("before_training"), here.name("cosine"), here.name("after_training"), here.name("cosine")]
    rows = [[*was, *now] for was, now in zip(found[False], found[True], strict=True)]
    here.place(partial(here.table, names, rows))

    def notice() -> None:
        here.say("neighbours", word=here.code(own))
        here.say("limits")

    here.tells(notice, guess_loss)


def both_maps() -> None:
    here.asks(asked("classes", "mostly", "chance", "other"))
    picture, own = controls.Picture(vectors), word()
    maps = [Map(here.name("before_training"), picture.before), Map(here.name("after_training"), picture.after)]
    names = {kind: here.name(f"class_{kind}") for kind in CONTENT}
    drawn = draw_maps(maps, picture.words, picture.classes, names, own, here.colors)
    here.place(drawn, here.name("map"))
    before, after, chance = picture.agreement
    shares = {"before": before, "after": after, "chance": chance, "kept": float(picture.kept.sum())}
    facts = {name: percent(share) for name, share in shares.items()}
    here.tells(partial(here.say, "agreement", count=len(picture.words), **facts), guess_loss)


def mix() -> None:
    here.asks(asked("meanings", "one", "two", "many"))
    first, second = word(), word("other")
    found, cosine = vectors.nearest(controls.mixture(vectors, first, second, settings.mix / 100))
    shares = range(0, 101, 5)
    lines = [
        Line(name, shares, cosines, hue=number)
        for number, (name, cosines) in enumerate(controls.along(vectors, first, second, shares).items())
    ]
    chart = Chart(here.name("cosine"), here.text("axis_mix"), lines, marked=settings.mix, height=340, signed=True)
    here.place(draw_curves(chart, here.colors), here.text("axis_mix"), under=partial(controls.choose_share, here.lang))
    facts = {"first": here.code(first), "second": here.code(second), "word": here.code(found)}

    def notice() -> None:
        here.say("decoded_word", **facts, percent=settings.mix, cosine=cosine)
        here.attempt()

    here.tells(notice, controls.mixture)


DRAWN: dict[str, Say] = {"game": game, "near": near, "map": both_maps, "mix": mix}
DRAWN[chosen]()
here.back()
