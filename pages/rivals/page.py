"""Other scores: five ways to compare a query with a key, side by side, and a layer trained with each."""

from attention.functional import attention_scores
from attention.measures import entropy
from attention.variants import additive_scores, bilinear_scores, cosine_scores
from pages.rivals import scorers
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Board, heatmap_height
from pages.ui.lab import Lab, LayerLab, asked, open_lab
from pages.ui.layers.progress import work_through
from pages.ui.words.numbers import percent

EXPERIMENTS = ("beside", "training")
SOURCES = (attention_scores, bilinear_scores, additive_scores, cosine_scores)


def beside(here: LayerLab) -> None:
    here.asks(asked("bounded", "cosine", "dot", "additive"), asked("params", "additive_most", "dot_most", "none_more"))
    found = scorers.side_by_side(here.trace, here.head, here.settings.seed)
    panels = [here.weights(weights, here.text(f"score_{name}")) for name, weights in found.items()]
    panels = [panel if number in (0, 3) else panel.without("rows") for number, panel in enumerate(panels)]
    shown = [here.veil(panel) for panel in panels]
    height = heatmap_height(len(here.labels), most=118)
    here.place(Board([shown[:3], [*shown[3:], None]], [1, 1, 1], [height, height], gap=0.03))
    width = here.now.config.head_dim

    def notice() -> None:
        here.say("notice_beside", query=here.token(here.query))
        names = [here.text(name) for name in ("scorer", "formula", "parameters", "spread")]
        spreads = {name: float(entropy(weights)[here.query]) for name, weights in found.items()}
        rows = [
            [here.text(f"score_{name}"), here.text(f"formula_{name}"), f"{scorers.parameters(name, width):,}", spread]
            for name, spread in spreads.items()
        ]
        here.table(names, rows)

    here.tells(notice, *SOURCES)


def training(here: Lab) -> None:
    seed, language = here.settings.seed, here.now.language
    here.asks(asked("race", "close", "additive_wins", "dot_fails"), asked("why", "product", "better", "older"))
    todo = [name for name in scorers.SCORERS if scorers.trained(name, language, seed) is None]
    done = [(name, result) for name in scorers.SCORERS if (result := scorers.trained(name, language, seed))]
    lines = [
        Line(here.text(f"score_{name}"), range(1, scorers.STEPS + 1), result.losses, hue=scorers.SCORERS.index(name))
        for name, result in done
    ]
    chart = Chart(here.text("chart_training"), here.name("axis_step"), lines, height=330)

    def under() -> None:
        work_through(
            "rivals",
            here.lang,
            todo,
            len(scorers.SCORERS),
            lambda name: scorers.training(name, language, seed),
            lambda name: here.text(f"score_{name}"),
        )

    here.place(draw_curves(chart, here.colors), here.text("chart_training"), under=under, is_empty=not done)

    def notice() -> None:
        here.say("notice_training")
        if done:
            rows = [[here.text(f"score_{name}"), f"{percent(result.accuracy)} %"] for name, result in done]
            here.table([here.text("scorer"), here.name("accuracy")], rows)

    here.tells(notice, scorers.score)


here = open_lab(*EXPERIMENTS)
if isinstance(here, LayerLab):
    beside(here)
else:
    training(here)
here.back()
