"""What a layer has learned so far, told on every page that shows it."""

from functools import lru_cache, partial
from typing import TypeGuard

import streamlit as st
import torch
from torch import Tensor

from attention import AttentionConfig, Learned
from attention.grammar.lexicon import kind_of_each
from attention.tensors import SILENCED
from pages.ui.state.examples import PRONOUNS
from pages.ui.state.resolved import Resolved
from pages.ui.state.settings import SWITCHES
from pages.ui.words import prose
from pages.ui.words.labels import label
from pages.ui.words.numbers import percent

OWN, AHEAD = 0.5, 0.15  # mean weights on the right word: what a head does, and does more than any other
MOST_JOBS, MOST_HEADS = 3, 4  # that are told
_MEANT = {"WOMAN", "MAN", "PERSON", "PEOPLE", "NAME", "NAME_F", "NAME_M", "ANIMAL", "ANIMALS"}  # by a pronoun
_MEANT |= {"THING", "THINGS", "BOX", "STUFF", "PLACE", "IDEA", "NEW"}
ENOUGH = 0.9  # a layer that gets fewer words right than this has not learned its task


def tell(here: Resolved, layer: Learned, query: str, word: str) -> None:
    """How far the training is, how well the layer does now, and what it makes of the query token.

    query, word: the followed token and what the output of it is nearest to, as facts. With a head silenced, how well
    the layer does is measured without that head; with switches that it was not trained with, with these.
    """
    settings, lang = here.settings, here.settings.lang
    now = layer.at(settings.checkpoint)
    edit, facts = settings.edit, {"step": now.step, "steps": layer.history.steps}
    measured = partial(layer.accuracy_with, here.config, checkpoint=settings.checkpoint)
    if edit and edit.tensor == SILENCED:
        accuracy, section = measured(silenced=edit.head or 0), "story_silenced"
        more: dict[str, object] = {"head": edit.head or 0, "whole": percent(measured())}
    elif switched := [name for name in SWITCHES if getattr(here.config, name) != getattr(layer.config, name)]:
        accuracy, section = measured(), "story_switched"
        names = label("between_tokens", lang).join(label(f"short_{name}", lang) for name in switched)
        more = {"switches": names, "whole": percent(now.accuracy)}
    else:
        accuracy, section, more = now.accuracy, "story", {}
    with st.container(key="story"):
        st.markdown(prose.shared(lang, section, **facts, **more, accuracy=percent(accuracy), query=query, word=word))
        if trouble := obstacle(layer, settings.checkpoint):
            st.markdown(prose.shared(lang, trouble))


def taken(here: Resolved) -> list[str]:
    """The words of the sentence that are in no list of the layer that learns, and what each is taken for."""
    lang = here.settings.lang
    return [
        label("taken_for", lang, word=prose.code(word), kind=label(f"kind_{kind.lower()}", lang))
        for word, kind in here.unlisted.items()
    ]


def unknown(here: Resolved) -> None:
    """The same in a sentence, if there are any."""
    lang = here.settings.lang
    if words := taken(here):
        with st.container(key="unknown"):
            st.caption(prose.shared(lang, "unknown", words=label("between_tokens", lang).join(words)))


@lru_cache(maxsize=8)  # each keeps its layer in memory
def jobs(layer: Learned, switches: AttentionConfig, checkpoint: int) -> tuple[tuple[tuple[str, float], ...], ...]:
    """For each head the kinds of words that are its own, the surest first: relation, mean weight on the right word.

    A head's own is what it puts at least half of its weight on, and clearly more than any other head.
    """
    with torch.no_grad():
        shares = layer.shares(switches, checkpoint=checkpoint)
    found: list[tuple[tuple[str, float], ...]] = []
    for head, own in enumerate(shares):
        others = [each for number, each in enumerate(shares) if number != head]
        theirs = {
            name: share
            for name, share in own.items()
            if share >= OWN and all(share - other[name] >= AHEAD for other in others)
        }
        found.append(tuple(sorted(theirs.items(), key=lambda job: -job[1])))
    return tuple(found)


def candidates(here: Resolved, attn_weights: Tensor) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Two heads that look most at different words, both of which the followed pronoun could mean: head and position.

    attn_weights: of the followed query, (num_heads, L). None where it is no pronoun, or the heads agree.
    """
    query, tokens = here.settings.query, here.tokens
    if tokens[query].casefold() not in PRONOUNS:
        return None
    kinds = kind_of_each(here.language, tokens, here.shown.gaps)
    meant = [
        (head, place)
        for head, place in enumerate(attn_weights.argmax(dim=-1).tolist())
        if place < query and kinds[tokens[place]] in _MEANT
    ]
    return next(((meant[0], other) for other in meant[1:] if other[1] != meant[0][1]), None)


def two_looks(here: Resolved, layer: Learned, attn_weights: Tensor) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """At a verb: a head that was to find who does it and looks most at a word before it, and one that was to find whom
    or what it is done to and looks most at a word after it: head and position of each.

    attn_weights: of the followed query, (num_heads, L). None where it is no verb, nobody asked the heads to, or they
    look elsewhere.
    """
    query, tokens = here.settings.query, here.tokens
    if not layer.is_divided or kind_of_each(here.language, tokens, here.shown.gaps)[tokens[query]] != "VERB":
        return None
    places = list(enumerate(attn_weights.argmax(dim=-1).tolist()))
    before = next((each for each in places[0::2] if each[1] < query), None)
    after = next((each for each in places[1::2] if each[1] > query), None)
    return (before, after) if before and after else None


def has_learned(layer: object) -> TypeGuard[Learned]:
    """Whether it is a layer whose training has ended."""
    return isinstance(layer, Learned) and not layer.is_learning


def job_of(here: Resolved, layer: object) -> str:
    """In a few words what the chosen head does, measured on held-out sentences."""
    settings, lang = here.settings, here.settings.lang
    if not has_learned(layer):
        return label("job_later", lang)
    own = jobs(layer, here.config, settings.checkpoint)[settings.head]
    return label("job_mostly", lang, job=_told(own[0], lang)) if own else label("job_none", lang)


def jobs_told(here: Resolved, layer: Learned) -> str:
    """The same of all heads that have something of their own; "" where none has."""
    lang, found = here.settings.lang, jobs(layer, here.config, here.settings.checkpoint)
    between = label("between_tokens", lang)
    return "\n".join(
        f"- {label('head_n', lang, number=head)}: {between.join(_told(job, lang) for job in own[:MOST_JOBS])}"
        for head, own in enumerate(found[:MOST_HEADS])
        if own
    )


def _told(job: tuple[str, float], lang: str) -> str:
    return f"{label(f'job_{job[0]}', lang)} {percent(job[1])} %"


def obstacle(layer: Learned, checkpoint: int) -> str:
    """Why a layer gets many words wrong at the end of its training: the section that says so; "" where it does not."""
    history, config = layer.history.checkpoints, layer.config
    if layer.is_learning or checkpoint < len(history) - 1 or history[-1].accuracy >= ENOUGH:
        return ""
    if config.causal:
        return "unlearned_causal"
    if not config.positions:
        return "unlearned_positions"
    return "unlearned_narrow" if config.d_model < 16 else "unlearned"
