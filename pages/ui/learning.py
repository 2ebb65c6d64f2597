"""What a learned layer shows beyond one trace: its heads on held-out sentences, and the same sentence over time."""

from collections.abc import Mapping, Sequence

import streamlit as st
import torch
from torch import Tensor

from attention import AttentionConfig, Learned
from attention.grammar import RELATIONS
from attention.learn import HeadReport

ALIKE = 0.1  # shares that differ by less are called alike
ENOUGH = 0.95  # a layer that gets fewer words right than this has not learned its task


@st.cache_resource(max_entries=16, show_spinner=False)
def _reports(config: AttentionConfig, language: str, _layer: Learned) -> tuple[HeadReport, ...]:
    with torch.no_grad():
        return _layer.heads()


def reports(layer: Learned) -> tuple[HeadReport, ...]:
    """What each head does, measured on held-out sentences at the end of the training."""
    return _reports(layer.config, layer.language, layer)


def over_time(layer: Learned, sentence: str, head: int, hidden: Sequence[int], places: Sequence[int]) -> list[Tensor]:
    """One head's attention weights of one sentence, (seq_len, seq_len) at each of some checkpoints."""
    with torch.no_grad():
        traces = [layer.trace(sentence, checkpoint=place, hidden_keys=hidden) for place in places]
    return [trace.attention.attn_weights[head] for trace in traces]


def looks(found: Sequence[HeadReport]) -> Tensor:
    """The share of words whose largest weight is on their referent: (num_heads, relations)."""
    return torch.tensor([list(report.on_referent_by_relation.values()) for report in found])


def right(layer: Learned, found: Sequence[HeadReport]) -> Tensor:
    """The share of words that the whole layer gets right, then without each head: (1 + num_heads, relations)."""
    whole = layer.history.checkpoints[-1].accuracy_by_relation
    return torch.tensor([list(shares.values()) for shares in (whole, *(r.accuracy_without_by_relation for r in found))])


def division_of_labour(layer: Learned, found: Sequence[HeadReport]) -> tuple[str, Mapping[str, object]]:
    """Whether the heads do different things: the name of a section that says so, and its facts."""
    accuracy = layer.history.checkpoints[-1].accuracy
    if len(found) == 1:
        return "alone", {"accuracy": accuracy}
    without = [report.accuracy_without for report in found]
    names = list(layer.history.checkpoints[-1].accuracy_by_relation)
    looking = looks(found)  # (num_heads, relations)
    easy = torch.tensor([RELATIONS[name] == "one head" for name in names])  # the others are few, and mostly luck
    gaps = (looking.amax(dim=0) - looking.amin(dim=0)) * easy  # (relations,)
    place = int(gaps.argmax())
    name = names[place]
    shares = looking[:, place]  # (num_heads,)
    facts = {
        "accuracy": accuracy,
        "needed": without.index(min(without)),
        "lowest": min(without),
        "spare": max(range(len(without)), key=lambda head: (without[head], head)),  # another one where all are equal
        "highest": max(without),
        "relation": name,
        "most": int(shares.argmax()),
        "most_share": float(shares.max()),
        "least": int(shares.argmin()),
        "least_share": float(shares.min()),
    }
    return "alike" if float(gaps.max()) < ALIKE else "different", facts


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
