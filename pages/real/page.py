"""A real model: every head of every layer, our own numbers beside the model's, and what the heads of one layer do."""

from attention.functional import apply_mask, attention_scores, scale_scores, softmax
from attention.pretrained import head_measures
from pages.ui.lesson import Lesson
from pages.ui.mosaic import draw_mosaic

here = Lesson("real", only="real")
model, layer, head, sentence = here.model, here.settings.layer, here.head, here.trace.sentence
config, weights = here.trace.config, model.all_weights(sentence)
here.say(
    "model",
    model=here.code(model.name),
    layer=layer,
    layers=model.num_layers,
    heads=config.num_heads,
    d_model=config.d_model,
    d_k=config.head_dim,
)
here.say("same", layer=layer, difference=model.difference(sentence, layer))

here.heading("all_heads")
names = here.name("layer"), here.name("head")
mosaic = draw_mosaic(weights, (layer, head), names, here.colors)
here.figure(mosaic, "mosaic", here.name("all_heads"), tiles=True)
here.say("mosaic", layer=layer, head=head)
here.inspect("attn_weights", has_cells=False)

here.heading("what_heads_do")
measures = head_measures(weights[layer], model.special(sentence))
here.table(
    [
        here.name(name)
        for name in ("head", "on_previous", "on_itself", "on_first", "on_special", "entropy", "rule", "rule_share")
    ],
    [
        [
            number,
            *(own.on_previous, own.on_itself, own.on_first, own.on_special, own.entropy),
            here.signed(own.offset),
            own.offset_share,
        ]
        for number, own in enumerate(measures)
    ],
)
plain = max(range(len(measures)), key=lambda number: measures[number].offset_share)
here.say(
    "baseline",
    layer=layer,
    head=plain,
    offset=here.signed(measures[plain].offset),
    share=measures[plain].offset_share,
    previous=measures[plain].on_previous,
)
here.say("caution")
here.attempt()
here.compare("attn_weights", "output", by_hand="silence")
here.source(attention_scores, scale_scores, apply_mask, softmax)
