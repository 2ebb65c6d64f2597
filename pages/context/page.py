"""Context: one word in two sentences, the same embedding and two outputs, and the cells that made the difference."""

from attention.functional import weighted_sum
from attention.measures import peak
from pages.context import words
from pages.context.panels import pair, row
from pages.ui.figures.curves import Chart, Line, draw_curves
from pages.ui.figures.panels import Axis, Board, token_labels
from pages.ui.lab import LayerLab, asked
from pages.ui.state.sources import SOURCES
from pages.ui.words.numbers import percent

EXPERIMENTS = ("word", "layers")

here = LayerLab()
chosen = here.choose(*EXPERIMENTS)
is_real = SOURCES[here.settings.weights].is_loaded
here.typing("second", here.text("second_real" if is_real else "second"))
text = here.settings.second or here.text("second_real" if is_real else "second")
other = here.also(text) or here.trace
at = words.shared(here.trace, other, here.query)


def of_word(place: tuple[int, int]) -> None:
    here.asks(asked("same", "embedding", "both", "neither"), asked("cause", "weights", "matrices", "chance"))
    head, first, second = here.head, here.trace, other
    names = (here.text("in_first"), here.text("in_second"))

    both = Axis(here.text("axis_sentence"), names)
    same = pair(here, first.embeddings[place[0]], second.embeddings[place[1]], here.name("tensor_embeddings"), both)
    rows = [
        row(
            here,
            trace.attention.attn_weights[head, where],
            here.text("row_of", sentence=name),
            Axis(here.text("axis_sentence"), (name,)),
            Axis(here.name("axis_key"), token_labels(trace.tokens)),
        )
        for trace, where, name in zip((first, second), place, names, strict=True)
    ]
    outputs = first.attention.output[place[0]], second.attention.output[place[1]]
    out = pair(here, *outputs, here.name("tensor_output"), both)
    panels = [same.without("columns"), *rows, here.veil(out).without("columns")]
    here.place(Board([[panel] for panel in panels], [1], [40, 24, 24, 40]))
    found = words.apart(first, second, place)
    best = [
        peak(trace.attention.attn_weights[head, where]) for trace, where in zip((first, second), place, strict=True)
    ]
    facts = {"word": here.code(first.tokens[place[0]]), "embedding": found.embedding, "output": found.output}
    facts |= {"cosine": found.cosine, "head": head}
    for name, trace, most in zip(("first", "second"), (first, second), best, strict=True):
        facts |= {name: here.code(token_labels(trace.tokens)[most.column]), f"{name}_weight": percent(most.value)}

    def notice() -> None:
        here.say("notice_word", **facts)
        if not (is_real or found.embedding):
            here.say("same_entry")
        elif here.says and not first.edits:
            here.say("other_kind")
        if here.says:
            said = here.also_says(text, second)
            here.say("says", first=here.code(here.says[place[0]]), second=here.code(said[place[1]]))

    here.tells(notice, weighted_sum)


def layers(place: tuple[int, int]) -> None:
    if not is_real:
        here.asks()
        here.place(lambda: here.say("take_real"))
        here.tells(lambda: here.say("notice_layers_none"))
        return
    here.asks(asked("deeper", "apart", "closer", "constant"))
    cosines = words.through_layers(here.model, here.now.reading.sentence, text, place)
    line = Line("", range(len(cosines)), cosines, dots=True)
    chart = Chart(here.text("chart_layers"), here.name("layer"), [line], height=380, signed=True)
    here.place(draw_curves(chart, here.colors), here.text("chart_layers"))
    word = here.code(here.trace.tokens[place[0]])
    here.tells(lambda: here.say("notice_layers", word=word, first=cosines[0], last=cosines[-1]), words.through_layers)


if at is None:
    here.asks()
    here.place(lambda: here.say("none_shared"))
    here.tells(lambda: here.say("notice_none"))
else:
    {"word": of_word, "layers": layers}[chosen](at)
here.back()
