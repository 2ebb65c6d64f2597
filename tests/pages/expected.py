"""What a page ought to say and show, computed from attention.trace_sentence and the settings of an address."""

import math
import re
from collections.abc import Callable
from functools import cache, partial
from itertools import combinations

import numpy as np
import torch
from visiting import (
    RULES,
    Case,
    Page,
    code_spans,
    heatmaps,
    held_out,
    is_percent,
    is_rounded,
    numbers,
    of_the_quiz,
    token,
)

from attention.grammar import RELATIONS
from pages.ui.words.labels import label
from pages.ui.words.prose import sections


def leading(values: torch.Tensor) -> list[int]:
    """The places of the largest value, and of those that the order of additions could have made the largest."""
    best = values.double().max()
    return torch.nonzero(values.double() >= best - 1e-5 * best.abs()).flatten().tolist()


def largest(case: Case, values: torch.Tensor) -> Callable[[str], bool]:
    """The fact names the tokens with the largest value: the first, those that share it, and how many more there are."""
    best = [case.labels[position] for position in leading(values)]

    def is_named(fact: str) -> bool:
        rest, named = code_spans(fact)
        more = [int(count) for count in re.findall(r"\d+", rest)]
        return named == best[:3] and more == [len(best) - 3] * (len(best) > 3)

    return is_named


def expected_facts(slug: str, case: Case) -> dict[str, object]:
    """What each fact of a page must be: an int exactly, a float rounded, or a condition.

    A fact that means something else in one section is named section.fact.
    """
    trace, attention = case.trace, case.trace.attention
    size, d_model, heads, d_k = len(case.tokens), case.config.d_model, case.config.num_heads, case.config.head_dim
    head, query = case.head, case.query
    scores, weights, v = attention.scores[head], attention.attn_weights[head], attention.v[head]
    row = weights[query]
    facts: dict[str, object] = {"query": token(case, query), "head": head, "heads": heads, "d_k": d_k}
    facts |= {"d_model": d_model, "tokens": size, "words": len(case.words), "root": math.sqrt(d_k)}
    shared = sections("ui", case.lang)
    facts |= {name: shared[f"{name}_{case.weights}"] for name in ("caution", "parameter")}
    if slug in ("overview", "softmax", "weighted_sum"):
        facts |= {"key": largest(case, row), "weight": float(row.max())}
    if slug == "embedding":
        facts["id"] = case.words.index(case.tokens[query])
        pairs = combinations(trace.embedding_table.double().numpy(), 2)
        apart = [float(np.sqrt(((a - b) ** 2).sum())) for a, b in pairs]
        if apart:
            facts |= {"nearest": min(apart), "farthest": max(apart)}
        if case.repeat:
            facts |= {"first": token(case, case.repeat[0]), "second": token(case, case.repeat[1])}
    if slug == "projections":
        facts["learned"] = 3 * d_model * (d_model + 1)
    if slug == "scores":
        best = int(scores[query].argmax())
        q, k = attention.q[head][query].double(), attention.k[head][best].double()
        lengths = {"query_length": float((q @ q).sqrt()), "key_length": float((k @ k).sqrt())}
        facts |= lengths | {"cosine": float(q @ k) / (lengths["query_length"] * lengths["key_length"])}
        facts |= {"key": largest(case, scores[query]), "score": float(scores[query].max()), "count": size * size}
    if slug == "scaling":
        exact = scores.double().numpy()
        facts |= {"before": float(exact.var()), "after": float((exact / math.sqrt(d_k)).var())}
        for name, r in (("raw", exact[query]), ("calm", exact[query] / math.sqrt(d_k))):
            facts[name] = float((np.exp(r - r.max()) / np.exp(r - r.max()).sum()).max())
    if slug == "softmax":
        open_keys = int((~case.closed[query]).sum())
        exact = attention.scaled_scores[head][query][~case.closed[query]].double()
        shares = [share for share in row.double().tolist() if share > 0]
        columns = weights.sum(dim=0)
        facts |= {"answer.key": largest(case, columns), "answer.sum": float(columns.max())}
        facts |= {"closed": int(case.closed.sum()), "cells": size * size, "open": open_keys}
        facts["empty"] = int(case.closed.all(dim=1).sum())
        if open_keys:
            facts |= {"sum": float((exact - exact.max()).exp().sum()), "total": 1.0}
            facts |= {"entropy": -sum(share * math.log(share) for share in shares), "possible": math.log(open_keys)}
    if slug == "weighted_sum":
        lengths = (row.double().unsqueeze(1) * v.double()).norm(dim=1)
        heavy, long = int(row.argmax()), int(lengths.argmax())
        facts |= {"length": float(lengths[long]), "other": float(lengths[heavy]), "share": float(row[long])}
        facts["longest"] = largest(case, lengths)
    if slug == "heads":
        if case.weights == "learned":
            now = case.learned.history.checkpoints[case.checkpoint]
            own = {word.casefold() for word in case.trace.vocabulary}
            others = [i for i, word in enumerate(case.learned.vocabulary) if word not in own]
            words = [*case.trace.vocabulary, *(case.learned.vocabulary[i] for i in others)]
            table = torch.cat([case.trace.embedding_table, now.embedding[others]])
            nearest = [[words[i] for i in leading(table @ row)] for row in attention.output]
            pairs = [{f"`{case.labels[i]}` → `{word}`" for word in said} for i, said in enumerate(nearest)]
            between = {"en": "; ", "zh": "；"}[case.lang]
            facts["words"] = lambda fact: all(
                told in pair for told, pair in zip(fact.split(between), pairs, strict=True)
            )
            facts["jobs"] = partial(are_jobs, case)
            if pair := two_candidates(case):
                (one, first), (other, second) = pair
                facts |= {"one": one, "other": other, "first": token(case, first), "second": token(case, second)}
            if pair := who_and_whom(case):
                (one, first), (other, second) = pair
                shares = [float(attention.attn_weights[head, query, place]) for head, place in pair]
                told = {"one": one, "other": other, "first": token(case, first), "second": token(case, second)}
                told |= {"first_share": partial(is_percent, share=shares[0])}
                told |= {"second_share": partial(is_percent, share=shares[1])}
                facts |= {f"two_looks.{name}": fact for name, fact in told.items()}
            facts["word"] = lambda fact: fact in [f"`{word}`" for word in nearest[query]]
        facts["heads_one.key"] = largest(case, attention.attn_weights[0, query])
        facts["different"] = len({int(r.argmax()) for r in attention.attn_weights[:, query]})
        facts["difference"] = lambda fact: 0 <= float(fact.replace("−", "-")) < 1e-5
    return facts


# What a page must state, so that no edit of its words takes the numbers away.
STATED = {
    "overview": {"weight", "key", "head", "heads"},
    "embedding": {"tokens", "words", "id", "d_model"},
    "projections": {"learned", "d_model", "tokens"},
    "scores": {"score", "key", "query_length", "key_length", "cosine"},
    "scaling": {"d_k", "root", "before", "after", "raw", "calm"},
    "softmax": {"weight", "key", "sum", "total", "entropy", "possible", "open"},
    "weighted_sum": {"weight", "key", "length"},
    "heads": {"d_model", "heads", "d_k", "different", "difference"},
}


def stated_by(slug: str, case: Case) -> set[str]:
    """What the page must state at these sizes."""
    if slug == "scaling" and case.config.head_dim == 1:
        return {"before", "d_k"}
    if slug == "heads" and case.config.num_heads == 1:
        return STATED["heads"] - {"different"} | {"key"}
    return STATED[slug]


@cache
def own_jobs(case: Case) -> dict[tuple[int, str], float]:
    """(head, relation) → the mean weight on the referent in held-out sentences, where it is a half or more, and 0.15
    more than that of any other head; of what one head can do, and not of words that refer to themselves. And the same
    of verbs between their subject and their object, on the object.
    """
    now = case.learned.history.checkpoints[case.checkpoint]
    batch, _, trace = held_out(case.learned, now, case.config)
    ways = {
        relation: (batch.real & (batch.relations == i), batch.referents)
        for i, (relation, takes) in enumerate(RELATIONS.items())
        if takes == "one head" and relation != "itself"
    }
    places = torch.arange(batch.ids.shape[1])
    ways["object"] = batch.real & (batch.referents < places) & (places < batch.objects), batch.objects
    found = {}
    for relation, (own, meant) in ways.items():
        if own.any():
            shares = [
                float(head.gather(-1, meant.unsqueeze(-1)).squeeze(-1)[own].mean())
                for head in trace.attn_weights.transpose(0, 1)
            ]
            best = shares.index(max(shares))
            rest = [share for head, share in enumerate(shares) if head != best]
            if shares[best] >= 0.5 and shares[best] - max(rest, default=0) >= 0.15:
                found[best, relation] = shares[best]
    return found


def are_jobs(case: Case, told: str) -> bool:
    """Whether a list of what the heads do is right: of the first four heads, and three of each at most."""
    own = own_jobs(case)
    for line in told.splitlines():
        ((head, line),) = [
            (number, line.removeprefix(start))
            for number in range(case.config.num_heads)
            if line.startswith(start := f"- {label('head_n', case.lang, number=number)}: ")
        ]
        jobs = line.split(label("between_tokens", case.lang))
        if len(jobs) != min(3, sum(number == head for number, _ in own)):
            return False
        for job in jobs:
            name, share = job.removesuffix(" %").rsplit(" ", 1)
            ((relation),) = [each for number, each in own if number == head and label(f"job_{each}", case.lang) == name]
            if not is_percent(share, own[head, relation]):
                return False
    return len(told.splitlines()) == len({head for head, _ in own if head < 4})


# Words of the tests' sentences that a pronoun can stand for, by what they end with.
NOUNS = {"king", "princess", "queen", "book", "man", "Anna", "animal", "street", "hat", "cup", "dog", "cat"}
NOUNS |= {"ball", "mouse", "王", "主", "狗", "物", "路", "芳", "球"}


def two_candidates(case: Case) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The first two heads whose largest weights are on different nouns before the pronoun: head and position."""
    pronouns = ["it", "he", "she", "they", "him", "her", "them", "its", "his", "their", "它", "他", "她"]
    if case.weights != "learned" or case.tokens[case.query] not in pronouns:
        return None
    found: list[tuple[int, int]] = []
    for head, weights in enumerate(case.trace.attention.attn_weights):
        place = int(weights[case.query].argmax())
        if place < case.query and case.tokens[place] in NOUNS and place not in [at for _, at in found]:
            found.append((head, place))
    return (found[0], found[1]) if len(found) > 1 else None


VERBS = {"saw", "found", "lost", "smiled", "seemed", "chased", "sat", "kicked", "cross", "broke", "sees"}


def who_and_whom(case: Case) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """At a verb: the first even head that looks most at a word before it, and the first odd one at a word after it."""
    if case.weights != "learned" or case.tokens[case.query] not in VERBS or not case.learned.is_divided:
        return None
    places = [int(weights[case.query].argmax()) for weights in case.trace.attention.attn_weights]
    before = [(head, place) for head, place in enumerate(places) if head % 2 == 0 and place < case.query]
    after = [(head, place) for head, place in enumerate(places) if head % 2 == 1 and place > case.query]
    return (before[0], after[0]) if before and after else None


def expected_sections(slug: str, case: Case) -> set[str]:
    """Every section that belongs to the page itself, but for those whose condition does not hold."""
    weights = case.trace.attention.attn_weights[case.head][case.query]
    lengths = weights * case.trace.attention.v[case.head].norm(dim=1)
    heaviest_is_longest = float(lengths[weights.argmax()]) == float(lengths.max())
    masked, is_open, on = bool(case.closed.any()), not case.is_closed, case.config.positions
    by_rule = not case.is_edited(RULES.get(slug, ""), case.query)
    words_as_they_are = not case.is_edited("embeddings")
    is_edited, several, wide = bool(case.trace.edits), case.config.num_heads > 1, case.config.head_dim > 1
    asked = case.learned.config if case.weights == "learned" else case.config
    is_asked = asked.positions and not asked.causal and case.asked.get("divided") != "0"
    conditions = {
        "decoded": case.weights == "learned",
        "gist": is_open,
        "gist_closed": not is_open,
        "distances": len(case.words) > 1,
        "positions": on or slug == "overview",
        "positions_off": not on,
        "repeat": on and case.repeat is not None and words_as_they_are,
        "repeat_off": not on and case.repeat is not None and words_as_they_are,
        "heads": (is_open and several) or slug == "overview",
        "apart": slug == "heads" and bool(two_candidates(case)),
        "two_looks": slug == "heads" and bool(who_and_whom(case)),
        "heads_one": is_open and not several,
        "split": several,
        "split_one": not several,
        "differ": several and (case.weights != "learned" or is_asked),
        "differ_free": several and case.weights == "learned" and not is_asked,
        "jobs": several and case.weights == "learned" and bool(own_jobs(case)),
        "jobs_none": several and case.weights == "learned" and not own_jobs(case),
        "heads_closed": not is_open,
        "check": case.config.scaled and not is_edited,
        "check_unscaled": not case.config.scaled and not is_edited,
        "check_edited": is_edited,
        "masks_later": masked,
        "notice": {"scaling": case.config.scaled and wide, "softmax": is_open}.get(slug, True),
        "notice_off": not case.config.scaled and wide,
        "notice_one": not wide,
        "notice_closed": not is_open,
        "notice_same": is_open and heaviest_is_longest,
        "notice_other": is_open and not heaviest_is_longest,
        "mask": masked,
        "mask_rows": bool(case.closed.all(dim=1).any()),
        "mask_none": not masked,
    }
    if not by_rule:
        conditions |= {name: False for name in conditions if name.startswith("notice")} | {"notice": False}
    told = set(sections(slug, case.lang)) - {"title"} - of_the_quiz(slug)
    kinds = {name: name.rpartition("_")[::2] for name in told if name.endswith(("_learned", "_hand", "_real"))}
    own = {base: name for name, (base, kind) in kinds.items() if kind == case.weights}
    return {own.get(name, name) for name in told - set(kinds) if conditions.get(name, True)}


def expected_charts(slug: str, case: Case) -> list[list[tuple[str, np.ndarray]]]:
    """Every chart of the page, and on it every matrix in reading order with its English name. NaN = closed."""
    trace, attention, learned = case.trace, case.trace.attention, case.trace.weights
    head, heads, d_k = case.head, case.config.num_heads, case.config.head_dim
    mine = slice(head * d_k, (head + 1) * d_k)
    q, k, v = (torch.cat(list(tensor), dim=1) for tensor in (attention.q, attention.k, attention.v))
    scores, scaled = attention.scores[head], attention.scaled_scores[head]
    row = attention.attn_weights[head][case.query]

    def seen(values: torch.Tensor) -> torch.Tensor:
        return values.masked_fill(case.closed, torch.nan)

    masked, weights = seen(scaled), seen(attention.attn_weights[head])
    exps = torch.where(case.closed, 0, scaled.where(~case.closed, torch.tensor(-torch.inf)))
    exps = seen((exps - exps.masked_fill(case.closed, -torch.inf).amax(dim=1, keepdim=True)).exp())
    charts: dict[str, list[list[tuple[str, torch.Tensor]]]] = {
        "overview": [
            [
                ("W<sub>Q</sub>", learned.w_q[:, mine]),
                (f"Q<sub>{head}</sub>", attention.q[head]),
                ("scores", scores),
                ("scaled", scaled),
                ("masked", masked),
                ("output", attention.output),
                ("X", trace.x),
                ("W<sub>K</sub>", learned.w_k[:, mine]),
                (f"K<sub>{head}</sub>", attention.k[head]),
                ("weights", weights),
                ("W<sub>O</sub>", learned.w_o),
                ("W<sub>V</sub>", learned.w_v[:, mine]),
                (f"V<sub>{head}</sub>", attention.v[head]),
                (f"head {head} out", attention.head_outputs[head]),
                ("joined", attention.joined),
            ]
        ],
        "embedding": [
            [
                ("E", trace.embedding_table),
                ("id", torch.tensor([[case.words.index(t)] for t in case.tokens])),
                ("one-hot", torch.tensor([[float(t == word) for word in case.words] for t in case.tokens])),
                ("embeddings", trace.embeddings),
                ("positions", trace.positions),
                ("X", trace.x),
            ],
        ],
        "projections": [
            [
                ("W<sub>Q</sub>", learned.w_q),
                ("W<sub>K</sub>", learned.w_k),
                ("W<sub>V</sub>", learned.w_v),
                ("b<sub>Q</sub>", learned.b_q[None]),
                ("b<sub>K</sub>", learned.b_k[None]),
                ("b<sub>V</sub>", learned.b_v[None]),
                ("X", trace.x),
                ("Q", q),
                ("K", k),
                ("V", v),
            ]
        ],
        "scores": [[(f"K<sub>{head}</sub>ᵀ", k[:, mine].T), (f"Q<sub>{head}</sub>", q[:, mine]), ("scores", scores)]],
        "scaling": [[("scores", scores), ("scaled scores", scaled)]],
        "softmax": [
            [
                ("scaled scores", scaled),
                ("masked scores", masked),
                ("exp(M − max)", exps),
                ("Σ", exps.nansum(dim=1, keepdim=True)),
                ("weights", weights),
            ]
        ],
        "weighted_sum": [
            [
                (f"V<sub>{head}</sub>", attention.v[head]),
                ("weight × V", row.unsqueeze(1) * attention.v[head]),
                ("weights", weights),
                ("head output", attention.head_outputs[head]),
            ]
        ],
        "heads": [
            [(f"head {h}", seen(attention.attn_weights[h])) for h in range(heads)],
            [
                ("W<sub>O</sub>", learned.w_o),
                ("b<sub>O</sub>", learned.b_o[None]),
                ("joined heads", attention.joined),
                ("output", attention.output),
            ],
            [
                ("Q", q),
                ("K", k),
                ("V", v),
                (f"Q<sub>{head}</sub>", q[:, mine]),
                (f"K<sub>{head}</sub>", k[:, mine]),
                (f"V<sub>{head}</sub>", v[:, mine]),
            ],
        ],
    }
    return [[(name, tensor.float().numpy()) for name, tensor in chart] for chart in charts[slug]]


def assert_charts_show(page: Page, case: Case) -> None:
    expected = expected_charts(page.slug, case)
    assert len(page.charts) == len(expected)
    for chart, tensors in zip(page.charts, expected, strict=True):
        traces = heatmaps(chart)
        for trace, (name, tensor) in zip(traces, tensors, strict=True):
            if page.lang == "en":  # the bare name, or the name and its symbol
                assert name in trace["name"].split(" · ")
            np.testing.assert_allclose(numbers(trace["z"]), tensor, rtol=1e-5, atol=1e-6, err_msg=name)


def assert_facts(page: Page, case: Case) -> None:
    expected = expected_facts(page.slug, case)
    stated = set()
    for section, shown in page.said.items():
        for name, text in shown.items():
            fact = expected.get(f"{section}.{name}", expected.get(name))
            assert fact is not None, f"{section} states {name}, and this test does not know what it should be"
            stated.add(name)
            where = f"{section}: {name} is shown as {text}, expected {fact}"
            if callable(fact):
                assert fact(text), where
            elif isinstance(fact, float):
                assert is_rounded(text, fact), where
            else:
                assert text == str(fact), where
    if not case.is_closed and not case.trace.edits:
        assert stated_by(page.slug, case) <= stated
