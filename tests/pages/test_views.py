"""Views: what a panel says that it shows is what it shows, of its own trace and of another one to compare with."""

import pytest
import torch

from attention import AttentionConfig, trace_sentence
from attention.tensors import TENSORS, matrix
from pages.ui.figures.views import View


def traced(sentence, seed):
    with torch.no_grad():
        return trace_sentence(sentence, AttentionConfig(12, 3, seed=seed))


TRACE = traced("the dog saw the cat", 2)
ATTENTION = TRACE.attention


def test_a_panel_of_a_tensor_shows_it_upright_or_turned():
    assert torch.equal(View("k", 1).of(TRACE, 0), ATTENTION.k[1])
    assert torch.equal(View("k", 1, transposed=True).of(TRACE, 0), ATTENTION.k[1].T)
    assert torch.equal(View("x").of(TRACE, 0), TRACE.x)
    for name, known in TENSORS.items():
        head = 2 if known.per_head else None
        assert torch.equal(View(name, head, transposed=True).of(TRACE, 3), matrix(TRACE, name, head, 3).T), name


@pytest.mark.parametrize("head", [0, 1, 2])
def test_a_panel_of_one_head_s_columns_of_a_matrix_shows_those(head):
    shown = View("w_q", first=4 * head, width=4).of(TRACE, 0)
    assert torch.equal(shown, TRACE.weights.w_q[:, 4 * head : 4 * head + 4])


def test_a_panel_of_all_heads_shows_them_side_by_side():
    assert torch.equal(View("v", head_dim=4).of(TRACE, 0), torch.cat(list(ATTENTION.v), dim=1))


def test_a_panel_of_a_query_s_contributions_shows_that_query_s():
    for query in range(5):
        expected = ATTENTION.attn_weights[1, query][:, None] * ATTENTION.v[1]
        torch.testing.assert_close(View("contributions", 1).of(TRACE, query), expected)


def test_the_same_of_another_trace_is_what_a_panel_would_show_of_that_one():
    other = traced("the cat saw the dog", 5)
    for view in (
        View("x"),
        View("scores", 2),
        View("k", 0, transposed=True),
        View("w_q", first=8, width=4),
        View("v", head_dim=4),
    ):
        now = view.of(TRACE, 1)
        then = view.same_of(other, 1, tuple(now.shape))
        assert then is not None
        assert torch.equal(then, view.of(other, 1))
        assert not torch.equal(then, now)


@pytest.mark.parametrize(
    ("view", "query", "shape"),
    [
        (View("contributions", 0), 5, (5, 4)),
        (View("scores", 3), 0, (5, 5)),
        (View("x"), 0, (5, 8)),
        (View("x"), 0, (6, 12)),
        (View("k", 0, transposed=True), 0, (5, 4)),
        (View("w_q", first=8, width=6), 0, (12, 6)),
        (View("w_q", first=12, width=4), 0, (12, 4)),
        (View("w_q", first=0, width=4), 0, (8, 4)),
        (View("output"), 0, (5, 4)),
        (View("embedding_table"), 0, (5, 12)),
        (View("v", head_dim=4), 0, (5, 8)),
    ],
)
def test_a_panel_of_another_shape_shows_nothing_of_this_trace(view, query, shape):
    assert view.same_of(TRACE, query, shape) is None


def test_what_belongs_to_no_query_is_shown_whatever_the_query():
    assert torch.equal(View("x").same_of(TRACE, 11, (5, 12)), TRACE.x)
    assert torch.equal(View("scores", 2).same_of(TRACE, 11, (5, 5)), ATTENTION.scores[2])
