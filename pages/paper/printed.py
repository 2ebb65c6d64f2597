"""An example with the numbers that it prints: R. Karim, Illustrated: Self-Attention (2019).

The article rounds its weights, "for readability" as its code says, and goes on with the rounded ones; it does not
divide by √d_k. Its inputs and what it prints are facts about it; all else is computed here.
"""

import torch

from attention import scaled_dot_product_attention
from attention.functional import AttentionSteps

X = torch.tensor([[1.0, 0, 1, 0], [0, 2, 0, 2], [1, 1, 1, 1]])  # (3, 4)
W_Q = torch.tensor([[1.0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 1]])  # (4, 3)
W_K = torch.tensor([[0.0, 0, 1], [1, 1, 0], [0, 1, 0], [1, 1, 0]])  # (4, 3)
W_V = torch.tensor([[0.0, 2, 0], [0, 3, 0], [1, 0, 3], [1, 1, 0]])  # (4, 3)
WEIGHTS = torch.tensor([[0.0, 0.5, 0.5], [0.0, 1.0, 0.0], [0.0, 0.9, 0.1]])  # as printed
OUTPUT = torch.tensor([[2.0, 7.0, 1.5], [2.0, 8.0, 0.0], [2.0, 7.8, 0.3]])  # as printed
VALUES = X @ W_V  # (3, 3)


def attended(*, is_scaled: bool) -> AttentionSteps:
    """Every step of its example, divided by √3 or not, as there."""
    return scaled_dot_product_attention(X @ W_Q, X @ W_K, VALUES, scale=None if is_scaled else 1.0)
