"""The questions of every step: made from the trace in force, every right answer read off it."""

from collections.abc import Mapping

from attention import SentenceTrace
from pages.ui.quiz import embedding, heads, overview, projections, scaling, scores, softmax, weighted_sum
from pages.ui.quiz.making import Here, Maker
from pages.ui.quiz.question import Question

MOST_QUESTIONS = 5
_MAKERS: Mapping[str, tuple[Maker, ...]] = {
    module.__name__.rpartition(".")[2]: module.MAKERS
    for module in (overview, embedding, projections, scores, scaling, softmax, weighted_sum, heads)
}


def questions(page: str, trace: SentenceTrace, *, head: int, query: int) -> tuple[Question, ...]:
    """One to five questions for a step of the walk, one for the overview.

    They are about other rows than the query's wherever there are others. None for a page that asks nothing and for a
    sentence without tokens. The same trace, head and query give the same questions. What would leave a doubt (near
    ties, nothing to choose from) is not asked.
    """
    here = Here(trace, head, query)
    made = [make(here) for make in _MAKERS.get(page, ())] if trace.tokens else []
    return tuple(question for question in made if question)[:MOST_QUESTIONS]
