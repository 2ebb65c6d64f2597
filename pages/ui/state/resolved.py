"""What the settings lead to, worked out once a run and handed on: tokens, sizes, and what fits them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from attention import AttentionConfig
from attention.grammar.lexicon import unlisted
from attention.pretrained import Pretrained
from pages.ui.state.settings import DECLARED, Settings, fit
from pages.ui.state.sources import SOURCES, Source, grammar
from pages.ui.state.text import Reading, swapped
from pages.ui.state.values import SWAPPED, Scope

ModelOf = Callable[[Settings], Pretrained | None]


@dataclass(frozen=True, eq=False)
class Resolved:
    """Settings that fit together, and what they lead to. reading: the sentence as it was typed."""

    settings: Settings
    source: Source
    model: Pretrained | None
    reading: Reading
    scope: Scope

    @property
    def config(self) -> AttentionConfig:
        """The size of the layer in force, and its switches."""
        return self.scope.config

    @property
    def trained(self) -> AttentionConfig:
        """The size and switches with which the layer in force was trained, where it was."""
        return self.source.trained(self.settings, self.config)

    @property
    def heads(self) -> int:
        """How many heads the layer in force has."""
        return self.scope.config.num_heads

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the pages work with: the tokens, two of them swapped where the reader asked for it."""
        return self.shown.tokens

    @cached_property
    def shown(self) -> Reading:
        """The sentence as it is read, with the reader's swap."""
        edit = self.settings.edit
        if edit is None or edit.tensor != SWAPPED:
            return self.reading
        return swapped(self.reading, edit.row, edit.column)

    @cached_property
    def unlisted(self) -> dict[str, str]:
        """The tokens that a layer which learns finds in no word list, and the kind that it takes each for."""
        return unlisted(self.language, self.tokens, self.shown.gaps) if self.source.learns else {}

    @property
    def language(self) -> str:
        """Whose grammar a layer learns for this sentence."""
        return grammar(self.reading.tokens, self.settings)

    @cached_property
    def absent(self) -> frozenset[str]:
        """The settings that decide nothing now."""
        return self.source.absent(self.settings, self.scope, self.model)

    def again(self, settings: Settings) -> "Resolved":
        """What other settings lead to, with the same model; of the same sentence what is known of it."""
        same = [(each.sentence, each.weights, each.model) for each in (settings, self.settings)]
        return resolve(settings, self.model, self.reading if same[0] == same[1] else None)

    def same_weights(self, other: "Resolved") -> str:
        """Whether it uses the same matrices as another, and if not why: a section of the words that says so."""
        if self.source != other.source:
            return "weights_kind"
        same_grammar = self.language == other.language
        return self.source.same_weights(self.settings, other.settings, same_grammar=same_grammar)

    def before(self, model_of: ModelOf) -> "Resolved | None":
        """What the changes on screen are measured against, if anything."""
        then = self.settings.before
        if then is None:
            return None
        own = (then.weights, then.model) == (self.settings.weights, self.settings.model)
        return self.again(then) if own else resolve(then, model_of(then))


def resolve(settings: Settings, model: Pretrained | None = None, reading: Reading | None = None) -> Resolved:
    """Fit the settings, and work out what they lead to. model: the real one that they name, if they name one.

    reading: the sentence as these weights read it, where that is known.
    """
    source, settings = SOURCES[settings.weights], fitting_heads(settings)
    reading = reading or source.read(settings.sentence, model)
    fitted = fit(settings, source.scope(settings, reading, model))
    return Resolved(fitted, source, model, reading, source.scope(fitted, reading, model))


def fitting_heads(settings: Settings) -> Settings:
    """The settings with the nearest number of heads that the width can be cut into."""
    count = DECLARED["num_heads"].value.fit(settings.num_heads, width_alone(settings.d_model))
    return replace(settings, num_heads=count)


def width_alone(d_model: int) -> Scope:
    """Bounds for what depends on the width alone."""
    return Scope(d_model, 1, 1, AttentionConfig(d_model, 1), 0, 0, can_swap=False, can_embed=False)
