"""What the step embedding asks."""

import math

from attention import Cell, measures
from pages.ui.quiz.making import Here, Maker, shape, words
from pages.ui.quiz.question import Question, Token

SAME, VISIBLE_GAP = 1e-4, 1e-3  # how near two rows of numbers are the same, and how far they are clearly not


def _same_word(here: Here) -> Question | None:
    """Of two tokens that are the same word, and are read as the same kind of word."""
    trace, edited = here.trace, here.edited("embeddings")
    pairs = [(i, j) for j in range(here.length) for i in range(j) if trace.tokens[i] == trace.tokens[j]]
    pairs = [(i, j) for i, j in pairs if bool((trace.embeddings[i] == trace.embeddings[j]).all())]
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
    return words(here, "same_word", facts, Cell("x", second, 0), reasons, "embeddings" if gap else "both")


def _strip(here: Here) -> Question | None:
    """What one row of X gives away: it is compared with every sum of a word of the table and a position."""
    trace = here.trace
    if trace.x_given or here.length == 1:
        return None
    for row in here.rows("strip", "embeddings"):
        sums = trace.embedding_table[:, None] + trace.positions[None]  # (vocab_size, seq_len, d_model)
        gaps = (sums - trace.x[row]).abs().amax(dim=-1)  # (vocab_size, seq_len)
        is_same, others = gaps < SAME, gaps[gaps >= SAME]
        is_word, is_place = (is_same.any(dim=dim) for dim in (1, 0))  # (vocab_size), (seq_len)
        off = float(others.min()) if len(others) else math.inf
        is_known = bool(is_word[int(trace.ids[row])]) and int(is_word.sum()) == 1 and off >= VISIBLE_GAP
        if not is_known or int(is_place.sum()) not in (1, here.length):
            continue
        has_place = int(is_place.sum()) == 1
        reasons = {"both": "right", "word": "place", "neither": "mixed"}
        if not has_place:  # no position was added
            reasons = {"both": "no_place", "word": "right_off", "neither": "table"}
        facts = here.facts(token=Token(row), sums=gaps.numel(), gap=off)
        return words(here, "strip", facts, Cell("x", row, 0), reasons, "both" if has_place else "word")
    return None


def _moved(here: Here) -> Question | None:
    """What changes with a word that moves by one place."""
    trace = here.trace
    rows = [row for row in here.rows("moved", "embeddings") if row + 1 < here.length]
    if trace.x_given or not rows:
        return None
    row = rows[0]
    gap = float((trace.positions[row + 1] - trace.positions[row]).abs().max())
    reasons = {"x": "right", "embedding": "table", "nothing": "place"}
    if not gap:
        reasons = {"x": "off", "embedding": "table_off", "nothing": "right_off"}
    facts = here.facts(token=Token(row), gap=gap)
    return words(here, "moved", facts, Cell("x", row, 0), reasons, "x" if gap else "nothing")


def _picked(here: Here) -> Question:
    """How many numbers of the table one token's embedding comes from."""
    count, d_model = len(here.trace.vocabulary), here.trace.config.d_model
    row, *_ = here.rows("picked")
    facts = here.facts(token=Token(row), all=count * d_model)
    look, slips = Cell("embeddings", row, 0), (("all", count * d_model), ("one", 1), ("words", count))
    return Question("picked", "number", facts, look, number=d_model, slips=slips)


def _one_hot_shape(here: Here) -> Question | None:
    tokens, words, d_model = here.length, len(here.trace.vocabulary), here.trace.config.d_model
    row, *_ = here.rows("one_hot_shape")
    wrong = {"turned": (words, tokens), "embedding": (tokens, d_model), "table": (words, d_model)}
    return shape(here, "one_hot_shape", Cell("one_hot", row, int(here.trace.ids[row])), (tokens, words), **wrong)


MAKERS: tuple[Maker, ...] = (
    _same_word,
    _strip,
    _picked,
    _one_hot_shape,
    _moved,
)
