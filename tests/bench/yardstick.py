"""The yardstick: the same tensors, one px.imshow per tensor and head, the way a first version would do it.

?page=scores&heads=all    heads=one: only the first head, as many heatmaps as our page shows
"""

import plotly.express as px
import streamlit as st
from torch import Tensor

from attention import AttentionConfig, functional, measures, trace_sentence

st.set_page_config(layout="wide")
with st.sidebar:
    sentence = st.text_input("Sentence", "the animal did not cross the street because it was too tired")
    d_model = st.select_slider("d_model", [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512], 8)
    num_heads = st.select_slider("num_heads", [n for n in range(1, 17) if d_model % n == 0], 2)

trace = trace_sentence(sentence, AttentionConfig(d_model, num_heads))
layer, weights = trace.attention, trace.weights
heads = range(num_heads if st.query_params.get("heads", "all") == "all" else 1)


def each(name: str) -> list[Tensor]:
    """One picture per head."""
    return [getattr(layer, name)[head] for head in heads]


joined = [functional.merge_heads(getattr(layer, role)) for role in "qkv"]
cut = [functional.split_heads(getattr(weights, f"w_{role}"), num_heads)[head] for role in "qkv" for head in heads]
exps = [functional.exponentials(masked) for masked in each("masked_scores")]
shows = {
    "overview": [
        trace.x, *cut, *each("q"), *each("k"), *each("v"), *each("scores"), *each("scaled_scores"),
        *each("attn_weights"), *each("head_outputs"), layer.joined, layer.output,
    ],
    "embedding": [trace.ids[:, None], trace.one_hot, trace.embedding_table, trace.embeddings, trace.positions, trace.x],
    "projections": [
        trace.x, weights.w_q, weights.w_k, weights.w_v, weights.b_q[None], weights.b_k[None], weights.b_v[None],
        *joined,
    ],
    "scores": [*each("q"), *each("k"), *each("scores")],
    "scaling": [*each("scores"), *each("scaled_scores")],
    "softmax": [
        *each("scaled_scores"), *each("masked_scores"), *exps, *map(measures.row_sums, exps), *each("attn_weights"),
    ],
    "weighted_sum": [
        *each("attn_weights"), *each("v"), *each("head_outputs"),
        *(measures.contributions(a[0], v) for a, v in zip(each("attn_weights"), each("v"), strict=True)),
    ],
    "heads": [
        *joined, *each("q"), *each("k"), *each("v"), *layer.attn_weights, layer.joined, weights.w_o, weights.b_o[None],
        layer.output,
    ],
}  # fmt: skip
for i, tensor in enumerate(shows[st.query_params.get("page", "scores")]):
    st.plotly_chart(px.imshow(tensor.numpy(), text_auto=".2f", color_continuous_scale="PuOr"), key=f"figure {i}")
