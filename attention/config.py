"""What the sliders choose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AttentionConfig:
    """The size of one multi-head attention layer, and the switches of its walk.

    d_model: width of every token's vector. num_heads: how many heads share that width.
    causal: a query may look only at itself and at what comes before it.
    scaled: scores are divided by √head_dim. positions: position vectors are added to the embeddings.
    seed: every random number of the layer follows from it.

    Raises ValueError where num_heads does not divide d_model, or either is below 1.
    Source: "Attention Is All You Need", sections 3.2.1, 3.2.2 and 3.5.

    >>> AttentionConfig(d_model=8, num_heads=2).head_dim
    4
    >>> AttentionConfig(d_model=8, num_heads=3)
    Traceback (most recent call last):
    ...
    ValueError: num_heads must divide d_model: 8 columns cannot be cut into 3 equal heads (8 = 3 × 2 + 2)
    """

    d_model: int
    num_heads: int
    causal: bool = False
    scaled: bool = True
    positions: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        check_heads(self.d_model, self.num_heads)

    @property
    def head_dim(self) -> int:
        """Width of one head, d_k in the paper: d_model / num_heads."""
        return self.d_model // self.num_heads


def check_heads(d_model: int, num_heads: int) -> None:
    """Raise ValueError unless d_model columns can be cut into num_heads equal heads."""
    if d_model < 1 or num_heads < 1:
        raise ValueError(f"d_model and num_heads must be at least 1, got d_model={d_model}, num_heads={num_heads}")
    if d_model % num_heads:
        width, rest = divmod(d_model, num_heads)
        raise ValueError(
            f"num_heads must divide d_model: {d_model} columns cannot be cut into {num_heads} equal heads "
            f"({d_model} = {num_heads} × {width} + {rest})"
        )
