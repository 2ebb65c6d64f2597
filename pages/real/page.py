"""A real model: every head of every layer, our own numbers beside the model's, and what the heads of one layer do."""

from functools import partial

from attention.functional import apply_mask, attention_scores, scale_scores, softmax
from attention.pretrained import head_measures
from pages.real.mosaic import draw_mosaic
from pages.ui.lab import LayerLab, asked
from pages.ui.words.numbers import percent, signed

EXPERIMENTS = ("mosaic", "heads")
here = LayerLab("real", by_hand="silence")
model, layer, head, sentence = here.model, here.settings.layer, here.head, here.now.reading.sentence
config, weights = here.now.config, model.all_weights(sentence)


def mosaic() -> None:
    here.asks(asked("line", "key", "query", "layer"))
    names = here.name("layer"), here.name("head")
    picture = draw_mosaic(weights, (layer, head), names, here.colors)
    here.place(partial(here.figure, picture, "mosaic", here.name("all_heads"), picks=("layer", "head")))
    sizes = {"layers": model.num_layers, "heads": config.num_heads, "d_model": config.d_model, "d_k": config.head_dim}

    def notice() -> None:
        here.say("model", model=here.code(model.name), layer=layer, **sizes)
        here.say("same", layer=layer, difference=model.difference(sentence, layer))
        here.say("mosaic", layer=layer, head=head)

    here.tells(notice, attention_scores, scale_scores, apply_mask, softmax)


def of_the_heads() -> None:
    here.asks(asked("subject", "rule", "name", "weight"))
    measures = head_measures(weights[layer], model.special(sentence))
    columns = ("head", "on_previous", "on_itself", "on_first", "on_special", "entropy", "rule", "rule_share")
    lines = [
        [
            number,
            own.on_previous,
            own.on_itself,
            own.on_first,
            own.on_special,
            own.entropy,
            signed(own.offset),
            own.offset_share,
        ]
        for number, own in enumerate(measures)
    ]
    here.place(partial(here.table, [here.name(name) for name in columns], lines))
    plain = max(range(len(measures)), key=lambda number: measures[number].offset_share)
    rule = measures[plain]
    facts = {"offset": signed(rule.offset), "share": percent(rule.offset_share), "previous": percent(rule.on_previous)}

    def notice() -> None:
        here.say("baseline", layer=layer, head=plain, **facts)
        here.say("caution")
        here.attempt()

    here.tells(notice, head_measures)


{"mosaic": mosaic, "heads": of_the_heads}[here.choose(*EXPERIMENTS)]()
here.back()
