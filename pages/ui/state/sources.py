"""The kinds of weights, one small class each: what of the settings counts, how a sentence is read, and its trace.

Nothing here waits or draws: a layer that must be trained or loaded first is handed in (see layers/ready.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from attention import AttentionConfig, Learned, SentenceTrace, trace_by_hand, trace_sentence
from attention.learn import can_divide
from attention.pretrained import Pretrained
from pages.ui.state import text
from pages.ui.state.settings import MAX_CHARACTERS, MAX_TOKENS, SWITCHES, Settings, Weights
from pages.ui.state.text import Reading
from pages.ui.state.values import Scope

Layer = Learned | Pretrained | None
_ANY_MODEL = AttentionConfig(d_model=8192, num_heads=64)  # as wide as any model that the pages can show
_MOST_LAYERS = 99


class Source(ABC):
    """Where a layer's numbers come from. model: the real one in force, None for the other kinds."""

    kind: Weights
    ignored: frozenset[str] = frozenset()  # settings that decide nothing with these weights
    is_drawn = False  # whether another seed is another layer worth asking for
    learns = False  # whether it has to be trained first, and tells words by its output
    is_loaded = False  # whether a real model has to be loaded first
    can_swap = True  # whether tokens are words that can change places
    can_embed = True  # whether an embedding can be set by hand

    def read(self, sentence: str, model: Pretrained | None) -> Reading:
        """The sentence as this layer cuts it into tokens."""
        return text.read(sentence)

    def config(self, settings: Settings, model: Pretrained | None) -> AttentionConfig:
        """The size of the layer, and its switches."""
        names = ("d_model", "num_heads", "causal", "scaled", "positions", "seed")
        return AttentionConfig(**{name: getattr(settings, name) for name in names})

    def trained(self, settings: Settings, config: AttentionConfig) -> AttentionConfig:
        """The size and switches with which the layer was trained, where it was."""
        return config

    def scope(self, settings: Settings, reading: Reading, model: Pretrained | None) -> Scope:
        """What bounds the settings: settings.num_heads has to divide settings.d_model."""
        config = self.config(settings, model)
        sizes = len(reading.tokens), reading.vocab_size
        return Scope(settings.d_model, config.num_heads, _MOST_LAYERS, config, *sizes, self.can_swap, self.can_embed)

    def absent(self, settings: Settings, scope: Scope, model: Pretrained | None) -> frozenset[str]:
        """The settings that decide nothing now, so that a control for them would do nothing."""
        return self.ignored | ({"query"} if not scope.seq_len else set())

    @abstractmethod
    def same_weights(self, a: Settings, b: Settings, *, same_grammar: bool) -> str:
        """Whether two settings with these weights use the same matrices, and if not why: a section of the words.

        same_grammar: whether a layer learns the same language for both sentences.
        """

    def key(self, settings: Settings, reading: Reading, config: AttentionConfig) -> Hashable:
        """What the trace depends on, save for a change by hand: equal keys have equal traces."""
        return self.kind, reading.tokens, config, settings.hidden

    @abstractmethod
    def trace(self, settings: Settings, reading: Reading, config: AttentionConfig, layer: Layer) -> SentenceTrace:
        """Every number of the walk. layer: what was learned or loaded for it."""


class _Drawn(Source):
    """Numbers that follow from the seed alone."""

    ignored = frozenset({"checkpoint", "model", "layer", "retrained", "divided"})

    def same_weights(self, a: Settings, b: Settings, *, same_grammar: bool) -> str:
        if a.d_model != b.d_model:
            return "weights_width"
        if a.seed != b.seed:
            return "weights_seed"
        return "weights_cut" if a.num_heads != b.num_heads else "weights_same"


class RandomWeights(_Drawn):
    """Random numbers, not trained."""

    kind = "random"
    is_drawn = True

    def trace(self, settings: Settings, reading: Reading, config: AttentionConfig, layer: Layer) -> SentenceTrace:
        return trace_sentence(reading.tokens, config, hidden_keys=settings.hidden)


class HandWeights(_Drawn):
    """Identity matrices, and words of −1, 0 and 1."""

    kind = "hand"

    def trace(self, settings: Settings, reading: Reading, config: AttentionConfig, layer: Layer) -> SentenceTrace:
        return trace_by_hand(reading.tokens, config, hidden_keys=settings.hidden)


class LearnedWeights(Source):
    """A layer trained on a small grammar, at one moment of its training."""

    kind = "learned"
    ignored = frozenset({"model", "layer"})
    is_drawn = learns = True

    def trained(self, settings: Settings, config: AttentionConfig) -> AttentionConfig:
        return config if settings.retrained else self._usual(config)

    def _usual(self, config: AttentionConfig) -> AttentionConfig:
        """The same size, with the switches of a first visit."""
        return replace(config, **{name: getattr(Settings, name) for name in SWITCHES})

    def absent(self, settings: Settings, scope: Scope, model: Pretrained | None) -> frozenset[str]:
        is_usual = scope.config == self._usual(scope.config)
        alone = set[str]() if can_divide(self.trained(settings, scope.config)) else {"divided"}
        return super().absent(settings, scope, model) | ({"retrained"} if is_usual else set()) | alone

    def same_weights(self, a: Settings, b: Settings, *, same_grammar: bool) -> str:
        trained = [(self.trained(each, self.config(each, None)), each.divided) for each in (a, b)]
        if trained[0] != trained[1] or not same_grammar:
            return "weights_learned"
        return "weights_checkpoint" if a.checkpoint != b.checkpoint else "weights_same"

    def key(self, settings: Settings, reading: Reading, config: AttentionConfig) -> Hashable:
        language = grammar(reading.tokens, settings)
        trained = self.trained(settings, config), settings.divided
        return super().key(settings, reading, config), reading.gaps, language, settings.checkpoint, trained

    def trace(self, settings: Settings, reading: Reading, config: AttentionConfig, layer: Layer) -> SentenceTrace:
        assert isinstance(layer, Learned)
        place = settings.checkpoint
        return layer.trace(
            reading.tokens, checkpoint=place, hidden_keys=settings.hidden, switches=config, gaps=reading.gaps
        )


class RealWeights(Source):
    """One layer of a BERT or GPT-2, which brings its own sizes, tokens and positions."""

    kind = "real"
    ignored = frozenset({"checkpoint", "retrained", "divided", "d_model", "num_heads", "positions", "seed"})
    is_loaded = True
    can_swap = can_embed = False

    def read(self, sentence: str, model: Pretrained | None) -> Reading:
        kept = sentence[:MAX_CHARACTERS]
        if not text.read(kept).tokens:  # BERT would see two special tokens, and nothing between them
            return Reading(kept, (), 0)
        if model is None:
            return Reading(kept, ("",) * MAX_TOKENS, MAX_TOKENS)
        return Reading(kept, model.tokenize(kept), len(set(model.ids(kept))), model.left_out(kept))

    def config(self, settings: Settings, model: Pretrained | None) -> AttentionConfig:
        config = model.config(min(settings.layer, model.num_layers - 1)) if model else _ANY_MODEL
        return replace(config, causal=config.causal or settings.causal, scaled=settings.scaled)

    def scope(self, settings: Settings, reading: Reading, model: Pretrained | None) -> Scope:
        found = super().scope(settings, reading, model)
        return replace(found, num_layers=model.num_layers) if model else found

    def absent(self, settings: Settings, scope: Scope, model: Pretrained | None) -> frozenset[str]:
        fixed = {"causal"} if model is None or model.causal else set[str]()
        alone = {"layer"} if model is None or model.num_layers == 1 else set[str]()
        return super().absent(settings, scope, model) | fixed | alone

    def same_weights(self, a: Settings, b: Settings, *, same_grammar: bool) -> str:
        return "weights_kind" if a.model != b.model else "weights_layer" if a.layer != b.layer else "weights_same"

    def key(self, settings: Settings, reading: Reading, config: AttentionConfig) -> Hashable:
        return super().key(settings, reading, config), reading.sentence, settings.model, settings.layer

    def trace(self, settings: Settings, reading: Reading, config: AttentionConfig, layer: Layer) -> SentenceTrace:
        assert isinstance(layer, Pretrained)
        switches = {"scaled": config.scaled, "causal": config.causal}
        return layer.trace(reading.sentence, settings.layer, hidden_keys=settings.hidden, **switches)


SOURCES: Mapping[Weights, Source] = {
    source.kind: source for source in (LearnedWeights(), RandomWeights(), HandWeights(), RealWeights())
}


def grammar(tokens: Sequence[str], settings: Settings) -> str:
    """Whose grammar a layer learns: Chinese where at least half of the sentence is, English otherwise."""
    chinese = sum("\u4e00" <= token[:1] <= "\u9fff" for token in tokens)
    return ("zh" if 2 * chinese >= len(tokens) else "en") if tokens else settings.lang
