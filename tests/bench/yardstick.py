"""The yardstick: the same tensors with one px.imshow each, the way a first version would do it."""

import plotly.express as px
import streamlit as st

from attention import AttentionConfig, functional, measures, trace_sentence

st.set_page_config(layout="wide")
with st.sidebar:
    sentence = st.text_input("Sentence", "the animal did not cross the street because it was too tired")
    d_model = st.select_slider("d_model", [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512], 8)
    num_heads = st.select_slider("num_heads", [n for n in range(1, 17) if d_model % n == 0], 2)

trace = trace_sentence(sentence, AttentionConfig(d_model, num_heads))
layer, weights = trace.attention, trace.weights
joined = {role: functional.merge_heads(getattr(layer, role)) for role in "qkv"}
cut = {role: functional.split_heads(getattr(weights, f"w_{role}"), num_heads)[0] for role in "qkv"}
shows = {
    "overview": [
        trace.x, *cut.values(), layer.q[0], layer.k[0], layer.v[0], layer.scores[0], layer.scaled_scores[0],
        layer.attn_weights[0], layer.head_outputs[0], layer.joined, layer.output,
    ],
    "embedding": [trace.ids[:, None], trace.one_hot, trace.embedding_table, trace.embeddings, trace.positions, trace.x],
    "projections": [
        trace.x, weights.w_q, weights.w_k, weights.w_v, weights.b_q[None], weights.b_k[None], weights.b_v[None],
        *joined.values(),
    ],
    "scores": [layer.q[0], layer.k[0].T, layer.scores[0]],
    "scaling": [layer.scores[0], layer.scaled_scores[0]],
    "softmax": [
        layer.scaled_scores[0], layer.masked_scores[0], functional.exponentials(layer.masked_scores[0]),
        measures.row_sums(functional.exponentials(layer.masked_scores[0])), layer.attn_weights[0],
    ],
    "weighted_sum": [
        layer.attn_weights[0], layer.v[0], layer.head_outputs[0],
        measures.contributions(layer.attn_weights[0, 0], layer.v[0]),
    ],
    "heads": [
        *joined.values(), layer.q[0], layer.k[0], layer.v[0], *layer.attn_weights, layer.joined, weights.w_o,
        weights.b_o[None], layer.output,
    ],
}  # fmt: skip
for i, tensor in enumerate(shows[st.query_params.get("page", "scores")]):
    st.plotly_chart(px.imshow(tensor.numpy(), text_auto=".2f", color_continuous_scale="PuOr"), key=f"figure {i}")
