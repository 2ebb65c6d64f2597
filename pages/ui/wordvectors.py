"""The word vectors' own controls, and the training behind them, whose result all visitors share."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st
from torch import Tensor

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
from pages.ui.background import Job, Workshop, finished
from pages.ui.labels import label
from pages.ui.working import watch_steps

# The words that a visit begins with.
FIRST: Mapping[str, tuple[str, str]] = {"en": ("dog", "kitchen"), "zh": ("猫", "校")}
_vectors: Workshop[Vectors] = Workshop(most=16)


def _train(method: str, language: str, seed: int, job: Job[Vectors]) -> Vectors:
    return learn_vectors(method, language=language, seed=seed, on_step=job.tell)


def trained(method: str, language: str, seed: int, lang: str) -> Vectors:
    """The word vectors of that method. The first time they learn now, and show how far they are."""
    place = st.empty()

    def begin() -> Job[Vectors]:
        return _vectors.job((method, language, seed), partial(_train, method, language, seed))

    def watch(job: Job[Vectors]) -> None:
        watch_steps(job, place, lang)
        place.empty()

    return finished(begin, watch).outcome()


def choose_method(lang: str) -> str:
    """CBOW or skip-gram."""
    st.session_state.setdefault("vectors_method", METHODS[0])
    return str(
        st.segmented_control(
            label("vectors_method", lang),
            METHODS,
            format_func=lambda method: {"cbow": "CBOW", "skip-gram": "skip-gram"}[method],
            key="vectors_method",
            required=True,
        )
    )


def choose_word(vectors: Vectors, lang: str, name: str = "vectors_word") -> str:
    """One of the words that carry meaning of their own, the most frequent ones first."""
    key = f"{name}_{vectors.language}"
    st.session_state.setdefault(key, FIRST[vectors.language][name != "vectors_word"])
    return str(st.selectbox(label(name, lang), content(vectors), key=key))


def choose_share(lang: str) -> float:
    """How much of the second word is mixed in, from 0 to 1."""
    st.session_state.setdefault("vectors_share", 50)
    return int(st.slider(label("vectors_share", lang), 0, 100, key="vectors_share", format="%d %%")) / 100


def content(vectors: Vectors) -> Sequence[str]:
    """The words that are more than grammar, the most frequent ones first."""
    often = sorted(zip(vectors.words, vectors.counts, strict=True), key=lambda pair: (-pair[1], pair[0]))
    return [word for word, _ in often if word_class(word, vectors.language) in CONTENT]


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
