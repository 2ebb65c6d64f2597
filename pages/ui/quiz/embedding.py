"""What the step embedding asks."""

from attention import Cell, measures
from pages.ui.quiz.making import Here, Maker, shape, words
from pages.ui.quiz.question import Question, Token


def _same_word(here: Here) -> Question | None:
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
    return words(here, "same_word", facts, Cell("x", second, 0), reasons, "embeddings" if gap else "both")


def _add(here: Here) -> Question | None:
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


def _one_hot_shape(here: Here) -> Question | None:
    tokens, words, d_model = here.length, len(here.trace.vocabulary), here.trace.config.d_model
    row, *_ = here.rows("one_hot_shape")
    wrong = {"turned": (words, tokens), "embedding": (tokens, d_model), "table": (words, d_model)}
    return shape(here, "one_hot_shape", Cell("one_hot", row, int(here.trace.ids[row])), (tokens, words), **wrong)


MAKERS: tuple[Maker, ...] = (
    _same_word,
    _add,
    _one_hot_shape,
)
