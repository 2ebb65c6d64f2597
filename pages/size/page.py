"""How big must it be? The same training for many sizes, with and without the scaling, as heatmaps."""

from pages.ui import sizes
from pages.ui.figures import Axis, Board, Closed, Panel, Scale
from pages.ui.lesson import Page
from pages.ui.working import work_through

here = Page("size", only="learned")
config, language = here.settings.config, here.settings.grammar
here.say("task")
widths = Axis("d_model", tuple(map(str, sizes.WIDTHS)))
heads = Axis("num_heads", tuple(map(str, sizes.HEADS)))
scaled, unscaled = (sizes.table(config, language, scaled=scaled) for scaled in (True, False))
here.show(
    Board(
        [
            [
                Panel(
                    found,
                    here.name(name),
                    widths,
                    heads,
                    Scale(weight=True, name=here.name("accuracy")),
                    closed=Closed(sizes.impossible(), here.name("not_possible")),
                    show_shape=False,
                )
                for found, name in ((scaled, "with_scaling"), (unscaled, "without_scaling"))
            ]
        ],
        [1, 1],
        [190],
        gap=0.14,
    ),
    "grid",
)
here.caption("axes")
todo, total = sizes.missing(config, language), len(sizes.sizes(config))
work_through("sizes", here.lang, todo, total, lambda size: sizes.training(size, language), sizes.described)
smallest = sizes.smallest(scaled)
if smallest is not None:
    here.say("enough", d_model=smallest)
elif not bool(scaled.isnan().all()):
    here.say("none_enough")
both = ~(scaled.isnan() | unscaled.isnan())
if bool(both.any()):
    with_it, without_it = float(scaled[both].mean()), float(unscaled[both].mean())
    section = "scaling_same" if abs(with_it - without_it) < sizes.ALIKE else "scaling_differs"
    here.say(section, with_it=with_it, without_it=without_it, sizes=int(both.sum()))
here.attempt()
