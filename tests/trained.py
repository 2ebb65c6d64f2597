"""What was learned once in a process serves all tests that ask for it: the same arguments give the same numbers.

That they do is tested in test_learn.py and test_vectors.py of the core.
"""

from collections.abc import Callable

from attention import AttentionConfig, Learned, learn
from attention.vectors import Vectors, learn_vectors

_layers: dict[tuple[AttentionConfig, str, bool], Learned] = {}
_vectors: dict[tuple[str, str, int], Vectors] = {}


def layer(
    config: AttentionConfig, language: str = "en", *, divided: bool = True, **told: Callable[..., None]
) -> Learned:
    """A trained layer. told: what listens to its training, where this is the first one to ask for it."""
    key = (config, language, divided)
    if key not in _layers:
        _layers[key] = learn(config, language=language, divided=divided, **told)
    return _layers[key]


def vectors(method: str, language: str = "en", seed: int = 0, on_step: Callable[..., None] | None = None) -> Vectors:
    """Word vectors; on_step as for a layer."""
    key = (method, language, seed)
    if key not in _vectors:
        _vectors[key] = learn_vectors(method, language=language, seed=seed, on_step=on_step)
    return _vectors[key]
