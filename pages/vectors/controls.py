"""The word vectors' own controls, and the training behind them, whose result all visitors share."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import streamlit as st
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from attention.vectors import (
    CONTENT,
    METHODS,
    Vectors,
    chance_agreement,
    class_agreement,
    learn_vectors,
    principal_plane,
    word_class,
)
from pages.ui.layers.jobs import Job, Results, wait_for
from pages.ui.layers.progress import TRAININGS, watch_steps
from pages.ui.state.settings import Settings
from pages.ui.state.visit import control, current
from pages.ui.words.labels import label

# The words that a visit begins with.
FIRST: Mapping[str, tuple[str, str]] = {"en": ("dog", "kitchen"), "zh": ("猫", "校")}
_vectors: Results[Vectors] = Results(TRAININGS, 16)


def _train(method: str, language: str, seed: int, job: Job[Vectors]) -> Vectors:
    return learn_vectors(method, language=language, seed=seed, on_step=job.tell)


def trained(settings: Settings, language: str) -> Vectors:
    """The word vectors of the chosen method. The first time they learn now, and show how far they are."""
    slot, own = st.empty(), (settings.method, language, settings.seed)

    def watch(job: Job[Vectors]) -> None:
        watch_steps(job, slot, settings.lang)
        slot.empty()

    return wait_for(lambda: _vectors.job(own, partial(_train, *own), current().id), watch).outcome()


def choose_method(lang: str) -> None:
    """CBOW or skip-gram."""
    st.segmented_control(
        label("vectors_method", lang),
        METHODS,
        format_func=lambda method: {"cbow": "CBOW", "skip-gram": "skip-gram"}[method],
        required=True,
        **control("method", lang),
    )


Which = Literal["word", "other"]


def choose_word(vectors: Vectors, settings: Settings, name: Which = "word") -> str:
    """One of the words that carry meaning of their own, the most frequent ones first."""
    words, chosen = content(vectors), getattr(settings, name)
    word = str(chosen if chosen in words else FIRST[vectors.language][name == "other"])
    shown = control(name, (settings.lang, words), word)
    st.selectbox(label(f"vectors_{name}", settings.lang), words, width=170, **shown)
    return word


def choose_share(lang: str) -> None:
    """How much of the second word is mixed in, in percent."""
    st.slider(label("vectors_share", lang), 0, 100, format="%d %%", **control("mix", lang))


def content(vectors: Vectors) -> tuple[str, ...]:
    """The words that are more than grammar, the most frequent ones first."""
    often = sorted(zip(vectors.words, vectors.counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
    return tuple(word for word, _ in often if word_class(word, vectors.language) in CONTENT)


class Picture:
    """What a page shows of some word vectors: the content words with their classes, before and after."""

    def __init__(self, vectors: Vectors) -> None:
        self.words = content(vectors)
        self.classes = [word_class(word, vectors.language) for word in self.words]
        rows = [vectors.words.index(word) for word in self.words]
        self._tables = vectors.before[rows], vectors.after[rows]  # (words, dim) each
        (self.before, _), (self.after, self.kept) = (principal_plane(table) for table in self._tables)

    @property
    def agreement(self) -> tuple[float, float, float]:
        """The share of words whose nearest word is of their own class: before, after, by chance."""
        before, after = (class_agreement(table, self.classes) for table in self._tables)
        return before, after, chance_agreement(self.classes)


def mixture(vectors: Vectors, first: str, second: str, share: float) -> Tensor:
    """A vector between those of two words: (dim,)."""
    return vectors.vector(first) * (1 - share) + vectors.vector(second) * share


def along(vectors: Vectors, first: str, second: str, shares: Sequence[int]) -> dict[str, list[float]]:
    """The cosines of mixtures, by the percentage of the second word, with each word that is nearest to one of them."""
    mixtures = torch.stack([mixture(vectors, first, second, share / 100) for share in shares])  # (shares, dim)
    cosines = cosine_similarity(mixtures[:, None], vectors.after[None], dim=-1)  # (shares, words)
    nearest = [vectors.words[place] for place in cosines.argmax(dim=-1).tolist()]
    return {word: cosines[:, vectors.words.index(word)].tolist() for word in dict.fromkeys((first, second, *nearest))}
