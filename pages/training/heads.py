"""What a learned layer shows beyond one trace: its heads on held-out sentences, and the same sentence over time."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from attention import Learned
from attention.grammar import RELATIONS
from attention.learn import HeadReport
from pages.ui.words.numbers import percent

ALIKE = 0.1  # shares that differ by less are called alike


@lru_cache(maxsize=16)
def reports(layer: Learned) -> tuple[HeadReport, ...]:
    """What each head does, measured on held-out sentences at the end of the training."""
    with torch.no_grad():
        return layer.heads()


def over_time(
    layer: Learned,
    tokens: Sequence[str],
    head: int,
    hidden: Sequence[int],
    places: Sequence[int],
    gaps: Sequence[int] = (),
) -> list[Tensor]:
    """One head's attention weights of one sentence, (seq_len, seq_len) at each of some checkpoints.

    gaps: where its writer put spaces.
    """
    with torch.no_grad():
        traces = [layer.trace(tokens, checkpoint=place, hidden_keys=hidden, gaps=gaps) for place in places]
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
        return "alone", {"accuracy": percent(accuracy)}
    without = [report.accuracy_without for report in found]
    names = list(layer.history.checkpoints[-1].accuracy_by_relation)
    looking = looks(found)  # (num_heads, relations)
    easy = torch.tensor([RELATIONS[name] == "one head" for name in names])  # the others are few, and mostly luck
    gaps = (looking.amax(dim=0) - looking.amin(dim=0)) * easy  # (relations,)
    place = int(gaps.argmax())
    name = names[place]
    shares = looking[:, place]  # (num_heads,)
    facts = {
        "accuracy": percent(accuracy),
        "needed": without.index(min(without)),
        "lowest": percent(min(without)),
        "spare": max(range(len(without)), key=lambda head: (without[head], head)),  # another one where all are equal
        "highest": percent(max(without)),
    }
    if float(gaps.max()) < ALIKE:
        return "alike", facts
    most = {"most": int(shares.argmax()), "most_share": percent(float(shares.max()))}
    least = {"least": int(shares.argmin()), "least_share": percent(float(shares.min()))}
    return "different", {**facts, **most, **least, "relation": f"relation_{name}"}
