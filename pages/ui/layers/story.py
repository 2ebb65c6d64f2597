"""What a layer has learned so far, told on every page that shows it."""

from collections.abc import Sequence

import streamlit as st

from attention import Learned
from attention.tensors import SILENCED
from pages.ui.state.resolved import Resolved
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.numbers import percent

ENOUGH = 0.95  # a layer that gets fewer words right than this has not learned its task


def tell(here: Resolved, layer: Learned, query: str, word: str) -> None:
    """How far the training is, how well the layer does now, and what it makes of the query token.

    query, word: the followed token and what the output of it is nearest to, as facts. With a head silenced, how well
    the layer does is measured without that head.
    """
    settings, lang = here.settings, here.settings.lang
    now = layer.history.checkpoints[settings.checkpoint]
    edit, facts = settings.edit, {"step": now.step, "steps": layer.history.checkpoints[-1].step}
    if edit and edit.tensor == SILENCED:
        accuracy, section = layer.accuracy_without(edit.head or 0, checkpoint=settings.checkpoint), "story_silenced"
        silenced: dict[str, object] = {"head": edit.head or 0, "whole": percent(now.accuracy)}
    else:
        accuracy, section, silenced = now.accuracy, "story", {}
    with st.container(key="story"):
        st.markdown(
            prose.shared(lang, section, **facts, **silenced, accuracy=percent(accuracy), query=query, word=word)
        )
        if trouble := obstacle(layer, settings.checkpoint):
            st.markdown(prose.shared(lang, trouble))


def unknown(layer: Learned, tokens: Sequence[str], lang: str) -> None:
    """The words of the sentence that the layer has not learned, if there are any, and what each is taken for."""
    if kinds := layer.unknown(tokens):
        taken = [
            label("taken_for", lang, word=prose.code(word), kind=label(f"kind_{kind.lower()}", lang))
            for word, kind in kinds.items()
        ]
        with st.container(key="unknown"):
            st.caption(prose.shared(lang, "unknown", words=label("between_tokens", lang).join(taken)))


def obstacle(layer: Learned, checkpoint: int) -> str:
    """Why a layer gets many words wrong at the end of its training: the section that says so; "" where it does not."""
    history, config = layer.history.checkpoints, layer.config
    if checkpoint < len(history) - 1 or history[-1].accuracy >= ENOUGH:
        return ""
    if config.causal:
        return "unlearned_causal"
    if not config.positions:
        return "unlearned_positions"
    return "unlearned_narrow" if config.d_model < 16 else "unlearned"
