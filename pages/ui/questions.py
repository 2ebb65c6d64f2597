"""Questions to answer before the page tells: made from the trace in force, every right answer read off it.

Nothing here knows a language: what is asked, offered and said about an answer are sections of the page's text.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random
from typing import Literal, TypeVar

from torch import Tensor

from attention import SentenceTrace, measures
from attention.explain import Cell
from attention.functional import softmax
from pages.ui.settings import head_counts

MOST_QUESTIONS, MOST_CHOICES = 3, 4
# How far a wrong choice must be from the right one: a weight; and any other number, as a part of the row's spread, but
# never less than two decimals show.
WEIGHT_GAP, SPREAD_GAP, SHOWN_GAP = 0.05, 0.05, 0.02


@dataclass(frozen=True)
class Token:
    """A fact or a choice that is shown as that token's label, such as `3 street`."""

    position: int


@dataclass(frozen=True)
class Words:
    """A choice whose label is a section of the page's text."""

    section: str


@dataclass(frozen=True)
class Target:
    """Cells of a tensor, addressed as in Cell; head None: of any head, or of a tensor without heads."""

    tensor: str
    rows: range
    columns: range
    head: int | None = None


Facts = Mapping[str, object]
Answer = float | Target


@dataclass(frozen=True)
class Choice:
    """One answer of several. label is a text only where it is the same in all languages, such as "12 × 4"."""

    label: Token | Words | str
    right: bool
    reason: str
    facts: Facts


@dataclass(frozen=True)
class Question:
    """Asked by the section "ask_<name>". look: the cell to look at afterwards.

    slips: typical wrong answers, each under the end of the name of the section that speaks to it.
    """

    name: str
    kind: Literal["choice", "number", "cell"]
    facts: Facts
    look: Cell
    choices: tuple[Choice, ...] = ()
    number: float = 0.0
    tolerance: float = 0.0
    target: Target | None = None
    slips: tuple[tuple[str, Answer], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and the section that says why, with its facts."""

    right: bool
    section: str
    facts: Facts


def questions(page: str, trace: SentenceTrace, *, head: int, query: int) -> tuple[Question, ...]:
    """One to three questions for a step of the walk, about other rows than the query's wherever there are others.

    None for a page that asks nothing and for a sentence without tokens. The same trace, head and query give the same
    questions. What would leave a doubt (near ties, nothing to choose from) is not asked.
    """
    here = _Here(trace, head, query)
    made = [make(here) for make in _MAKERS.get(page, ())] if trace.tokens else []
    return tuple(question for question in made if question)[:MOST_QUESTIONS]


def grade(question: Question, answer: int | float | Cell) -> Verdict:
    """Judge an answer: the index of a choice, a number, or a cell."""
    if question.kind == "choice" and isinstance(answer, int):
        choice = question.choices[answer]
        return Verdict(choice.right, choice.reason, choice.facts)
    expected: Answer = question.target or question.number
    right = _fits(answer, expected, question.tolerance)
    wrong = [end for end, slip in question.slips if _fits(answer, slip, question.tolerance)]
    if isinstance(answer, Cell) and isinstance(expected, Target) and answer.tensor != expected.tensor:
        wrong.append("tensor")
    end = "right" if right else [*wrong, "wrong"][0]
    return Verdict(right, f"{question.name}_{end}", {**question.facts, **_guess(question, answer)})


def _fits(answer: float | Cell, expected: Answer, tolerance: float) -> bool:
    if isinstance(answer, Cell) and isinstance(expected, Target):
        is_there = answer.row in expected.rows and answer.column in expected.columns
        return is_there and answer.tensor == expected.tensor and expected.head in (None, answer.head)
    if isinstance(answer, Cell) or isinstance(expected, Target):
        return False
    return abs(answer - expected) <= tolerance + 1e-9


def _guess(question: Question, answer: float | Cell) -> Facts:
    """The answer as facts, next to the right number or, in the tensor that was asked about, as a place."""
    if not isinstance(answer, Cell):
        whole = not question.tolerance and float(answer).is_integer()
        return {"guess": int(answer) if whole else float(answer), "truth": question.number}
    if question.target is None or answer.tensor != question.target.tensor:
        return {}
    column = Token(answer.column) if answer.tensor in ("scores", "attn_weights") else answer.column
    return {"guess_row": Token(answer.row), "guess_column": column}


_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _Here:
    """The trace as a page shows it: one head, and the row that its captions speak of."""

    trace: SentenceTrace
    head: int
    query: int

    @property
    def length(self) -> int:
        return len(self.trace.tokens)

    def own(self, tensor: str) -> Tensor:
        """The chosen head's rows and columns."""
        matrix: Tensor = getattr(self.trace.attention, tensor)[self.head]
        return matrix

    def facts(self, **own: object) -> dict[str, object]:
        """A question's own facts, and how large everything is."""
        config = self.trace.config
        sizes = {"d_model": config.d_model, "heads": config.num_heads, "d_k": config.head_dim, "head": self.head}
        return {"tokens": self.length, "words": len(self.trace.vocabulary), **sizes, **own}

    def shuffled(self, name: str, items: Iterable[_Item], most: int | None = None) -> list[_Item]:
        """The items, or some of them, in an order that follows from the sentence, the settings and the name alone."""
        trace, config = self.trace, self.trace.config
        seed = f"{config.d_model} {config.num_heads} {self.head} {config.seed} {name} {trace.sentence}"
        kept = list(items)
        return Random(seed.encode("utf-8", "surrogatepass")).sample(kept, min(len(kept), most or len(kept)))

    def edited(self, tensor: str) -> set[int]:
        """The rows in which the reader has set a number by hand."""
        return {e.row for e in self.trace.edits if e.tensor == tensor and e.head in (None, self.head)}

    def rows(self, name: str, untouched: str = "") -> list[int]:
        """The rows to ask about: not the query's, where there is another, and none that was edited in that tensor."""
        told = {self.query} if self.length > 1 else set()
        return [row for row in self.shuffled(name, range(self.length)) if row not in told | self.edited(untouched)]

    def places(self, name: str, columns: int, untouched: str = "") -> list[tuple[int, int]]:
        """A few columns of each row to ask about."""
        rows = self.rows(name, untouched)
        return [(row, column) for row in rows for column in self.shuffled(f"{name} {row}", range(columns), 4)]


_Maker = Callable[[_Here], Question | None]


# Ways to ask that several pages use.


def _words(
    here: _Here, name: str, facts: Facts, look: Cell, reasons: Mapping[str, str], right: str, of: str = ""
) -> Question:
    """Choose among texts: reasons maps each label to what is said about it, both without the name in front."""
    start = of or name
    labels = here.shuffled(name, reasons)
    choices = [
        Choice(Words(f"{start}_{label}"), label == right, f"{start}_{reasons[label]}", facts) for label in labels
    ]
    return Question(name, "choice", facts, look, tuple(choices))


def _shape(here: _Here, name: str, look: Cell, right: tuple[int, int], **wrong: tuple[int, int]) -> Question | None:
    """Choose a shape; of equal ones only the first is offered. wrong: shapes by what is said about them."""
    reasons = {right: "right"}
    for reason, shape in wrong.items():
        reasons.setdefault(shape, reason)
    facts = here.facts()
    choices = [
        Choice(f"{shape[0]} × {shape[1]}", shape == right, f"{name}_{reasons[shape]}", facts)
        for shape in here.shuffled(name, list(reasons)[:MOST_CHOICES])
    ]
    return Question(name, "choice", facts, look, tuple(choices)) if len(choices) > 1 else None


def _which(
    here: _Here,
    look: Cell,
    name: str,
    keys: Sequence[int],
    gap: float,
    special: Mapping[int, str],
    label: Callable[[int], Token | str] = Token,
    **values: Sequence[float],
) -> Question | None:
    """Choose the key with the largest of the first values; what is less than gap below it is not offered.

    look: a cell of the row that is asked about. special: keys to offer first, and what is said about them; then comes
    the largest of the others, then chance.
    """
    ranking = next(iter(values.values()))
    best = max(keys, key=ranking.__getitem__, default=0)
    rivals = [key for key in here.shuffled(f"{name} rivals", keys) if ranking[best] - ranking[key] >= gap]
    nearest = max(rivals, key=ranking.__getitem__, default=best)
    rivals = sorted(rivals, key=lambda key: (key not in special, key != nearest))[: MOST_CHOICES - 1]
    truth: dict[str, object] = {"query": Token(look.row), "key": label(best)}
    truth |= {fact: column[best] for fact, column in values.items()}
    choices = []
    for key in here.shuffled(f"{name} order", [best, *rivals]):
        reason = "right" if key == best else special.get(key, "wrong")
        guess = {f"guess_{fact}": column[key] for fact, column in values.items()}
        facts = here.facts(**truth, **guess, guess=label(key))
        choices.append(Choice(label(key), key == best, f"{name}_{reason}", facts))
    return Question(name, "choice", here.facts(**truth), look, tuple(choices)) if rivals else None


def _clear(values: Sequence[float]) -> float:
    """How far apart two of these numbers must be to be told apart."""
    return max(SPREAD_GAP * (max(values) - min(values)), SHOWN_GAP)


def _cell(here: _Here, tensor: str) -> Question:
    """Click one number between a query and a key: two different tokens and an open cell, where there are such."""
    values, keys = here.own(tensor).tolist(), here.shuffled(f"cell {tensor} key", range(here.length))
    places = [(row, key) for row in here.rows(f"cell {tensor}") for key in keys if key != row] or [(0, 0)]
    row, column = max(places, key=lambda at: bool(values[at[0]][at[1]]))
    rows, columns = range(row, row + 1), range(column, column + 1)
    turned, same_row = Target(tensor, columns, rows, here.head), Target(tensor, rows, range(here.length), here.head)
    facts, look = here.facts(query=Token(row), key=Token(column)), Cell(tensor, row, column, here.head)
    target, slips = Target(tensor, rows, columns, here.head), (("turned", turned), ("column", same_row))
    return Question("cell", "cell", facts, look, target=target, slips=slips)


def _by_row(name: str, ask: Callable[[_Here, int], Question | None], untouched: str = "") -> _Maker:
    """Ask about the first row that allows it."""
    return lambda here: next(filter(None, (ask(here, row) for row in here.rows(name, untouched))), None)


# Embedding.


def _same_word(here: _Here) -> Question | None:
    trace, edited = here.trace, here.edited("embeddings")
    pairs = [(i, j) for j in range(here.length) for i in range(j) if trace.tokens[i] == trace.tokens[j]]
    pairs = here.shuffled("same_word", (pair for pair in pairs if edited.isdisjoint(pair)))
    if not pairs or trace.x_given:  # X is then more than embedding plus position
        return None
    told = measures.first_repeat(trace.tokens)
    first, second = min(pairs, key=lambda pair: pair == told or here.query in pair)
    gap = float((trace.x[first] - trace.x[second]).abs().max())
    facts = here.facts(first=Token(first), second=Token(second), gap=gap)
    reasons = {"both": "right_off", "embeddings": "off", "neither": "table"}
    if gap:
        reasons |= {"both": "positions", "embeddings": "right"}
    return _words(here, "same_word", facts, Cell("x", second, 0), reasons, "embeddings" if gap else "both")


def _add(here: _Here) -> Question | None:
    trace = here.trace
    if trace.x_given:
        return None
    embeddings, positions, x = (tensor.tolist() for tensor in (trace.embeddings, trace.positions, trace.x))
    # Two numbers so far from 0 that leaving one out shows.
    places = here.places("add", len(x[0]))
    row, column = max(places, key=lambda at: min(abs(embeddings[at[0]][at[1]]), abs(positions[at[0]][at[1]]), 0.1))
    embedding, position = embeddings[row][column], positions[row][column]
    facts = here.facts(token=Token(row), column=column, embedding=embedding, position=position)
    slips = (("embedding", embedding), ("position", position))
    return Question("add", "number", facts, Cell("x", row, column), number=x[row][column], tolerance=0.02, slips=slips)


def _one_hot_shape(here: _Here) -> Question | None:
    tokens, words, d_model = here.length, len(here.trace.vocabulary), here.trace.config.d_model
    row, *_ = here.rows("one_hot_shape")
    wrong = {"turned": (words, tokens), "embedding": (tokens, d_model), "table": (words, d_model)}
    return _shape(here, "one_hot_shape", Cell("one_hot", row, int(here.trace.ids[row])), (tokens, words), **wrong)


# Projections.


def _changed_row(here: _Here) -> Question | None:
    row, *_ = here.rows("changed_row")
    reasons = {"only": "right", "all": "shared", "none": "unchanged"}
    if 0 < row < here.length - 1:  # else "this row and those after it" were all rows, or this one alone
        reasons["after"] = "order"
    facts, look = here.facts(token=Token(row)), Cell("q", row, 0, here.head)
    return _words(here, "changed_row", facts, look, reasons, "only") if here.length > 1 else None


def _made_from(here: _Here) -> Question:
    d_model = here.trace.config.d_model
    row, column = here.places("made_from", d_model)[0]
    head, place = divmod(column, here.trace.config.head_dim)
    rows, anywhere = range(row, row + 1), range(max(here.length, d_model))
    others = [("role", Target(name, anywhere, anywhere)) for name in ("k", "v", "w_k", "w_v", "b_k", "b_v")]
    slips = (("column", Target("q", rows, anywhere)), *others)
    facts, target = here.facts(token=Token(row), column=column), Target("q", rows, range(place, place + 1), head)
    return Question("made_from", "cell", facts, Cell("q", row, place, head), target=target, slips=slips)


def _qkv_shape(here: _Here) -> Question | None:
    tokens, d_model, d_k = here.length, here.trace.config.d_model, here.trace.config.head_dim
    wrong = {"head": (tokens, d_k), "matrix": (d_model, d_model), "turned": (d_model, tokens)}
    wrong["three"] = (tokens, 3 * d_model)  # never the same as the right one
    return _shape(here, "shape", Cell("q", here.rows("shape")[0], 0, here.head), (tokens, d_model), **wrong)


# Scores.


def _dot(here: _Here) -> Question | None:
    """By hand, where the vectors are short enough."""
    d_k, places = here.trace.config.head_dim, here.places("dot", here.length, "scores")
    if d_k > 4 or not places:
        return None
    q, k, scores = (here.own(name).tolist() for name in ("q", "k", "scores"))

    def rounding(place: tuple[int, int]) -> float:
        """How far vectors rounded to one decimal, and a result rounded like them, can lead astray."""
        numbers: list[float] = [*q[place[0]], *k[place[1]]]
        return max(0.1, 0.05 + sum(0.05 * abs(number) + 0.00125 for number in numbers))

    # A score so large that no typical mistake passes for rounding.
    row, key = max(places, key=lambda at: min(abs(scores[at[0]][at[1]]) / rounding(at), 7.0))
    score, tolerance = scores[row][key], rounding((row, key))
    a, b = ([round(n, 1) + 0.0 for n in vector] for vector in (q[row], k[key]))
    vectors = {"q": f"[{', '.join(map(_short, a))}]", "k": f"[{', '.join(map(_short, b))}]"}
    products = " + ".join(f"({_short(m)}) × ({_short(n)})" for m, n in zip(a, b, strict=True))
    rounded = math.fsum(m * n for m, n in zip(a, b, strict=True))
    facts = here.facts(query=Token(row), key=Token(key), products=products, rounded=rounded, **vectors)
    look, slips = Cell("scores", row, key, here.head), (("sign", -score), ("scaled", score / math.sqrt(d_k)))
    return Question("dot", "number", facts, look, number=score, tolerance=tolerance, slips=slips)


def _short(number: float) -> str:
    return f"{number:.1f}".replace("-", "−")


def _sign(here: _Here) -> Question | None:
    """From the angle, where the vectors are too long to multiply by hand."""
    q, k, scores = (here.own(name) for name in ("q", "k", "scores"))
    for row, key in here.places("sign", here.length, "scores") if here.trace.config.head_dim > 4 else ():
        cosine = measures.cosine(q[row], k[key])
        if abs(cosine) >= 0.2:
            facts = here.facts(query=Token(row), key=Token(key), cosine=cosine, score=float(scores[row, key]))
            right, other = ("positive", "negative") if cosine > 0 else ("negative", "positive")
            reasons = {right: "right", other: "wrong", "unknown": "lengths"}
            return _words(here, "sign", facts, Cell("scores", row, key, here.head), reasons, right)
    return None


def _best(here: _Here, row: int) -> Question | None:
    scores = here.own("scores")[row].tolist()
    look = Cell("scores", row, scores.index(max(scores)), here.head)
    return _which(here, look, "best", range(here.length), _clear(scores), {row: "self"}, score=scores)


# Scaling.


def _entropy(here: _Here) -> Question | None:
    """In a row whose weights the switch changes; where there is none, in one that it cannot change."""
    scaled, root = here.trace.config.scaled, math.sqrt(here.trace.config.head_dim)
    masked = here.own("masked_scores")
    switched = softmax(masked * root if scaled else masked / root)
    now, then = (measures.entropy(weights).tolist() for weights in (here.own("attn_weights"), switched))
    spreads = {}
    for row in here.rows("entropy", "attn_weights"):
        scores = [score for score in masked[row].tolist() if score > -math.inf]
        if scores:
            spreads[row] = max(scores) - min(scores)
    moving = [row for row in spreads if abs(now[row] - then[row]) >= 0.01]
    still = [row for row, spread in spreads.items() if root == 1 or spread < 0.001]
    right, other = ("concentrated", "even") if scaled else ("even", "concentrated")
    reasons = {right: "right", other: "opposite", "unchanged": "gaps"}
    if not moving:
        right, reasons = "unchanged", dict.fromkeys(reasons, "width" if root == 1 else "level")
    if not moving and not still:
        return None
    row, *_ = moving or still
    name, look = "entropy" if scaled else "entropy_on", Cell("scaled_scores", row, 0, here.head)
    facts = here.facts(query=Token(row), now=now[row], then=then[row])
    return _words(here, name, facts, look, reasons, right, of="entropy")


def _divide(here: _Here) -> Question:
    d_model, d_k = here.trace.config.d_model, here.trace.config.head_dim
    scores, root = here.own("scores").tolist(), math.sqrt(d_k)
    # A score so large that no typical mistake passes for rounding.
    row, key = max(here.places("divide", here.length), key=lambda at: min(abs(scores[at[0]][at[1]]) / root, 1.0))
    score, look = scores[row][key], Cell("scaled_scores", row, key, here.head)
    facts = here.facts(query=Token(row), key=Token(key), score=score, root=root)
    number, slips = score / root, (("width", score / d_k), ("model", score / math.sqrt(d_model)))
    return Question("divide", "number", facts, look, number=number, tolerance=0.02 + 0.01 * abs(number), slips=slips)


def _order(here: _Here) -> Question:
    row, *_ = here.rows("order")
    best, root = measures.peak(here.own("scores")[row]), math.sqrt(here.trace.config.head_dim)
    facts = here.facts(query=Token(row), key=Token(best.column), score=best.value, divided=best.value / root)
    look = Cell("scaled_scores", row, best.column, here.head)
    return _words(here, "order", facts, look, {"no": "right", "yes": "wrong", "negative": "sign"}, "no")


# Softmax.


def _favourite(here: _Here, row: int) -> Question | None:
    names = ("scaled_scores", "masked_scores", "attn_weights")
    scores, masked, weights = (here.own(name)[row].tolist() for name in names)
    keys, top = [key for key in range(here.length) if masked[key] > -math.inf], scores.index(max(scores))
    lead = scores[top] - max((scores[key] for key in keys), default=math.inf)
    removed = {top: "masked"} if top not in keys and lead >= _clear(scores) else {}
    look = Cell("attn_weights", row, weights.index(max(weights)), here.head)
    return _which(here, look, "favourite", [*keys, *removed], WEIGHT_GAP, removed, weight=weights, score=scores)


def _ratio(here: _Here, row: int) -> Question | None:
    scores, weights = (here.own(name)[row].tolist() for name in ("masked_scores", "attn_weights"))
    keys = [key for key in here.shuffled("ratio", range(here.length)) if weights[key] >= 0.0001]
    for high, low in permutations(keys, 2):
        delta = scores[high] - scores[low]
        if 0.2 <= delta <= 4:
            break
    else:
        return None
    facts = here.facts(query=Token(row), high=Token(high), low=Token(low), delta=delta)
    facts |= {"score_high": scores[high], "score_low": scores[low], "factor": math.exp(delta)}
    facts |= {"weight_high": f"{weights[high]:.3g}", "weight_low": f"{weights[low]:.3g}"}
    quotient = scores[high] / scores[low] if scores[low] > 0 else 0.0
    factors = {math.exp(delta): "right"}
    for factor, reason in ((quotient, "quotient"), (delta, "difference"), (1 + delta, "linear")):
        if 0 < factor < 100 and all(abs(factor - other) > 0.1 * max(factor, other, 1) for other in factors):
            factors[factor] = reason
    order = here.shuffled("ratio order", factors)
    choices = [Choice(f"×{f:.1f}", factors[f] == "right", f"ratio_{factors[f]}", facts) for f in order]
    return Question("ratio", "choice", facts, Cell("attn_weights", row, high, here.head), tuple(choices))


def _sum_or_cell(here: _Here) -> Question:
    """What a row sums to, where every cell of it is closed or it has only one; else a cell to find."""
    count = measures.open_keys(here.own("masked_scores")).tolist()
    for row in here.rows("sum", "attn_weights"):
        facts, look = here.facts(query=Token(row)), Cell("attn_weights", row, row, here.head)
        if not count[row]:
            return Question("closed_sum", "number", facts, look, number=0.0, tolerance=0.01, slips=(("one", 1.0),))
        if here.length == 1:
            return Question("sum", "number", facts, look, number=1.0, tolerance=0.01)
    return _cell(here, "attn_weights")


# Weighted sum.


def _most(here: _Here, row: int) -> Question | None:
    shares = here.own("attn_weights")[row]
    lengths, weights = measures.contributions(shares, here.own("v")).norm(dim=-1).tolist(), shares.tolist()
    keys = [key for key in range(here.length) if weights[key]]
    gap = _clear([lengths[key] for key in keys] or [0.0])
    heavy = {key: "heavy" for key in keys if weights[key] == max(weights)}
    look = Cell("attn_weights", row, lengths.index(max(lengths)), here.head)
    return _which(here, look, "most", keys, gap, heavy, length=lengths, weight=weights)


def _output_shape(here: _Here) -> Question | None:
    tokens, d_model, d_k = here.length, here.trace.config.d_model, here.trace.config.head_dim
    wrong = {"joined": (tokens, d_model), "weights": (tokens, tokens), "turned": (d_k, tokens), "one": (1, d_k)}
    return _shape(here, "shape", Cell("head_outputs", here.rows("shape")[0], 0, here.head), (tokens, d_k), **wrong)


def _whose(here: _Here) -> Question | None:
    """Whose outputs one value reaches. A weight so small that nothing visible would change leaves a doubt."""
    everyone = range(here.length)
    for key in here.rows("whose") if here.length > 1 else ():
        weights = [abs(weight) for weight in here.own("attn_weights")[:, key].tolist()]
        reached = tuple(query for query in everyone if weights[query])
        groups = {"every": tuple(everyone), "own": (key,), "after": tuple(everyone[key:]), "none": ()}
        labels = {group: label for label, group in reversed(groups.items())}  # of two equal groups the first counts
        if reached in labels and all(weights[query] > 1e-6 for query in reached):
            right, facts = labels[reached], here.facts(key=Token(key), count=len(reached))
            reasons = {label: "only" if label == "own" else "wrong" for label in labels.values()} | {right: "right"}
            return _words(here, "whose", facts, Cell("v", key, 0, here.head), reasons, right)
    return None


# Heads.


def _previous(here: _Here) -> Question | None:
    if here.length == 1:
        return None
    shares = measures.previous_share(here.trace.attention.attn_weights).tolist()
    look = Cell("attn_weights", 1, 0, shares.index(max(shares)))
    return _which(here, look, "previous", range(len(shares)), WEIGHT_GAP, {}, str, share=shares)


def _columns(here: _Here) -> Question | None:
    heads, d_k, rows = here.trace.config.num_heads, here.trace.config.head_dim, range(here.length)
    asked, *_ = here.shuffled("columns", (head for head in range(heads) if head != here.head or heads == 1))
    columns = range(asked * d_k, (asked + 1) * d_k)
    facts, look = here.facts(asked=asked, first=columns[0], last=columns[-1]), Cell("joined", 0, columns[0])
    slips = (("output", Target("output", rows, range(heads * d_k))),)
    question = Question("columns", "cell", facts, look, target=Target("joined", rows, columns), slips=slips)
    return question if heads > 1 else None


def _width(here: _Here) -> Question:
    d_model, heads = here.trace.config.d_model, here.trace.config.num_heads
    counts = here.shuffled("width", (count for count in head_counts(d_model) if count != heads))
    other = min(counts, key=lambda count: d_model // count in (d_model, count))  # where no typical mistake is right
    slips = (("all", d_model), ("count", other), ("now", d_model // heads))
    facts, look = here.facts(other=other), Cell("q", here.rows("width")[0], 0, here.head)
    return Question("width", "number", facts, look, number=d_model // other, slips=slips)


_MAKERS: Mapping[str, tuple[_Maker, ...]] = {
    "embedding": (_same_word, _add, _one_hot_shape),
    "projections": (_changed_row, _made_from, _qkv_shape),
    "scores": (_dot, _sign, lambda here: _cell(here, "scores"), _by_row("best", _best)),
    "scaling": (_entropy, _divide, _order),
    "softmax": (
        _by_row("favourite", _favourite, "attn_weights"),
        _by_row("ratio", _ratio, "attn_weights"),
        _sum_or_cell,
    ),
    "weighted_sum": (_by_row("most", _most, "attn_weights"), _output_shape, _whose),
    "heads": (_previous, _columns, _width),
}
