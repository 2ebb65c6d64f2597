"""How big must it be? The same training for many sizes, with and without the scaling, as heatmaps."""

from attention.learn import logits
from pages.size import sizes
from pages.ui.figures.panels import Axis, Board, Closed, Panel, Scale
from pages.ui.lab import Lab, asked
from pages.ui.layers.progress import work_through
from pages.ui.words.numbers import percent

here = Lab("learned")
here.choose("grid")
here.asks(asked("count", "same", "more", "fewer"), asked("narrow", "one", "four", "sixteen"))
config, language = here.now.config, here.now.language
widths = Axis("d_model", tuple(map(str, sizes.WIDTHS)))
heads = Axis("num_heads", tuple(map(str, sizes.HEADS)))
scaled, unscaled = (sizes.table(config, language, scaled=scaled) for scaled in (True, False))
shares = Scale(weight=True, name=here.name("accuracy"))
impossible = Closed(sizes.impossible(), here.name("not_possible"))
panels = [
    Panel(found, here.name(name), widths, heads, shares, closed=impossible, show_shape=False)
    for found, name in ((scaled, "with_scaling"), (unscaled, "without_scaling"))
]
todo, total = sizes.missing(config, language), len(sizes.sizes(config))


def work() -> None:
    work_through("sizes", here.lang, todo, total, lambda size: sizes.training(size, language), sizes.described)


def notice() -> None:
    here.say("task")
    here.caption("axes")
    smallest = sizes.smallest(scaled)
    if smallest is not None:
        here.say("enough", d_model=smallest)
    elif not bool(scaled.isnan().all()):
        here.say("none_enough")
    if both := sizes.compared(scaled, unscaled):
        here.say(both.section, with_it=percent(both.with_it), without_it=percent(both.without_it), sizes=both.both)
    here.attempt()


here.place(Board([list(map(here.veil, panels))], [1, 1], [190], gap=0.14), under=work)
here.tells(notice, sizes.table, logits)
here.back()
