"""The questions: every right answer is right by another way of computing it, and every answer is spoken to."""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import combinations, pairwise, permutations, product
from pathlib import Path
from random import Random

import pytest
import torch
from torch.testing import assert_close
from visiting import learned

from attention import (
    AttentionConfig,
    Edit,
    SentenceTrace,
    apply_edit,
    pretrained,
    tokenize,
    trace_by_hand,
    trace_sentence,
)
from attention.explain import Cell, explain_cell
from pages import OVERVIEW, WALK
from pages.ui.figures.panels import token_labels
from pages.ui.quiz.question import Question, Target, Token, Verdict, Words, grade
from pages.ui.quiz.questions import questions
from pages.ui.state.examples import EXAMPLES
from pages.ui.state.settings import D_MODELS, head_counts
from pages.ui.words import prose

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_pretrained import tiny

pytestmark = pytest.mark.xdist_group("pretrained")  # one process makes them all, once, and has transformers
ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Case:
    sentence: str
    config: AttentionConfig
    head: int = 0
    query: int = 0
    hidden: tuple[int, ...] = ()
    edits: tuple[Edit, ...] = ()

    @cached_property
    def trace(self) -> SentenceTrace:
        return traced(self.sentence, self.config, self.hidden, self.edits)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return token_labels(self.trace.tokens)

    def with_config(self, **changes) -> SentenceTrace:
        return traced(self.sentence, replace(self.config, **changes), self.hidden, self.edits)

    def own(self, tensor: str) -> torch.Tensor:
        return getattr(self.trace.attention, tensor)[self.head]


@cache
def traced(sentence, config, hidden, edits) -> SentenceTrace:
    with torch.no_grad():
        trace = trace_sentence(sentence, config, hidden_keys=hidden)
        for edit in edits:
            trace = apply_edit(trace, edit)
    return trace


@cache
def asked(case: Case, page: str) -> tuple[Question, ...]:
    return questions(page, case.trace, head=case.head, query=case.query)


SENTENCES = (
    *(example.sentence for examples in EXAMPLES.values() for example in examples),
    "hello",
    "我",
    "a b",
    "the the",
    "the the the the",
    "to be or not to be",
    "猫 追 猫 猫 跑",
    "`a` [[key]] $x$ <b> 👍🏽 \ud800 it's 3.14",
    " ".join(f"w{i}" for i in range(64)),
    " ".join("abcab"[i % 5] for i in range(64)),
)


def random_case(number: int) -> Case:
    """Any legal settings; every third case with one number set by hand."""
    random = Random(number)
    sentence = SENTENCES[number % len(SENTENCES)]
    length = len(tokenize(sentence))
    d_model = random.choice((4, 4, 8, 8, 12, 24, 64, 512) if number % 7 else D_MODELS)
    num_heads = random.choice(head_counts(d_model))
    switches = [random.random() < chance for chance in (0.4, 0.7, 0.7)]
    config = AttentionConfig(d_model, num_heads, *switches, seed=random.randrange(1000))
    head, query = random.randrange(num_heads), random.randrange(length)
    hidden = random.choice(((), (), (0,), tuple(range(length)), tuple(range(0, length, 2))))
    edits: tuple[Edit, ...] = ()
    if number % 3 == 0:
        tensor = random.choice(("embeddings", "scores", "attn_weights", "head_outputs"))
        row, column = random.randrange(length), random.randrange(d_model if tensor == "embeddings" else length)
        of = None if tensor == "embeddings" else head
        edits = (Edit(tensor, row, column, of, random.choice((-1000.0, -3.0, 0.0, 0.4, 7.0))),)
        if tensor == "head_outputs":
            edits = (Edit(tensor, 0, 0, head, 0.0),)
    return Case(sentence, config, head, query, hidden, edits)


def corners() -> list[Case]:
    """One token, one column a head, everything hidden, shapes that are all alike, one number by hand everywhere."""
    found = []
    for sentence in ("hello", "a b", "the the the", "a b c d", "我 喜欢 猫 因为 猫 很 可爱"):
        length = len(tokenize(sentence))
        wide = [(512, 1), (512, 16)] if length == 3 else []
        for d_model, num_heads in ((4, 1), (4, 4), (8, 1), (8, 2), *wide):
            for causal, scaled, positions in ((False, True, True), (True, False, False)):
                config = AttentionConfig(d_model, num_heads, causal, scaled, positions)
                found += [Case(sentence, config, query=length - 1, hidden=h) for h in ((), tuple(range(length)))]
        config = AttentionConfig(8, 2)
        for tensor, of in (("embeddings", None), ("scores", 0), ("attn_weights", 0)):
            found.append(Case(sentence, config, edits=(Edit(tensor, length - 1, min(length, 8) - 1, of, 0.4),)))
    return found


CASES = [*(random_case(number) for number in range(5 * len(SENTENCES))), *corners()]


@cache
def all_asked() -> list[tuple[Case, str, Question]]:
    return [(case, page, question) for case in CASES for page in WALK for question in asked(case, page)]


def seen_by(case: Case, question: Question) -> Case:
    """The case with the number set by hand that a question speaks of, where it speaks of one."""
    return replace(case, edits=(*case.edits, question.edit)) if question.edit else case


def those(*names: str) -> list[tuple[Case, str, Question]]:
    """All questions of these names; more than a few of each, or the test proves nothing."""
    found = [
        (seen_by(case, question), page, question) for case, page, question in all_asked() if question.name in names
    ]
    assert {one[2].name for one in found} == {*names}
    assert min(Counter(one[2].name for one in found).values()) >= 5
    return found


# How an answer comes from a page.


def right_choice(question: Question):
    (choice,) = [choice for choice in question.choices if choice.right]
    return choice


def label_of(choice) -> str:
    return choice.label.section if isinstance(choice.label, Words) else choice.label


def at(fact: object) -> int:
    assert isinstance(fact, Token)
    return fact.position


def filled(case: Case, page: str, lang: str, section: str, facts) -> str:
    """A section as the reader sees it. An error where a fact is missing or a token is outside the sentence."""
    shown = {
        name: prose.code(case.labels[fact.position]) if isinstance(fact, Token) else fact
        for name, fact in facts.items()
    }
    return prose.fill(prose.sections(page, lang)[section], {}, {**prose.of_weights("random", lang), **shown})


def shown_label(case: Case, page: str, lang: str, label) -> str:
    if isinstance(label, Words):
        return filled(case, page, lang, label.section, {})
    return case.labels[label.position] if isinstance(label, Token) else label


def cells(case: Case, page: str) -> list[Cell]:
    """What a reader may click: all cells of small tensors, corners of large ones."""
    trace = case.trace
    per_head = ("q", "k", "v", "scores", "scaled_scores", "masked_scores", "attn_weights", "head_outputs")
    sizes = {name: getattr(trace.attention, name).shape[1:] for name in per_head}
    sizes |= {"x": trace.x.shape, "joined": trace.x.shape, "output": trace.x.shape}
    sizes |= dict.fromkeys(("w_q", "w_k", "w_v", "w_o"), trace.weights.w_q.shape)
    sizes |= dict.fromkeys(("b_q", "b_k", "b_v", "b_o"), (1, trace.config.d_model))
    found = []
    for name, (rows, columns) in sizes.items():
        for head in {0, trace.config.num_heads - 1, case.head} if name in per_head else {None}:
            for row in {*range(min(rows, 3)), rows - 1}:
                found += [Cell(name, row, column, head) for column in {*range(min(columns, 3)), columns - 1}]
    return found


def answers(case: Case, page: str, question: Question) -> list[int | float | Cell]:
    """Right and wrong ones."""
    if question.kind == "choice":
        return list(range(len(question.choices)))
    if question.kind == "number":
        slips = [slip for _, slip in question.slips if not isinstance(slip, Target)]
        return [question.number, *slips, question.number + 1234.5, -0.5, 3]
    if question.kind == "rank":
        return [*permutations(range(len(question.items)))]
    if question.kind == "draw":
        percent = [tuple(100 * share for share in truth) for truth in (question.truth, *(m for _, m in question.slips))]
        return [*percent, (100, 0, 0, 0), (0, 100, 0, 0), (0, 0, 0, 0)]
    return [question.look, *cells(case, page)]


def verdicts(case: Case, page: str, question: Question) -> list[Verdict]:
    """One for every section that speaks to an answer."""
    said = [grade(question, answer) for answer in answers(case, page, question)]
    return [*{verdict.section if question.kind != "choice" else i: verdict for i, verdict in enumerate(said)}.values()]


@cache
def told() -> list[tuple[Case, str, Question, list[Verdict]]]:
    """All questions with all that is said about their answers."""
    return [(case, page, question, verdicts(case, page, question)) for case, page, question in all_asked()]


# The rules that all questions keep.


def test_every_page_asks_one_to_five_questions_in_every_setting():
    counts = {(page, len(asked(case, page))) for case in CASES for page in WALK if not case.edits}
    assert {count for _, count in counts} == {1, 2, 3, 4, 5}


def test_every_step_asks_at_least_three_questions_about_any_example_at_usual_sizes():
    few = []
    for example, (d_model, heads), causal in product(SENTENCES[:6], ((8, 2), (32, 2), (128, 8)), (False, True)):
        case = Case(example, AttentionConfig(d_model, heads, causal=causal), query=1)
        few += [(example, d_model, causal, page) for page in WALK if len(asked(case, page)) < 3]
    assert few == []


def test_no_page_asks_the_same_twice():
    for case in CASES:
        for page in WALK:
            names = [question.name for question in asked(case, page)]
            assert len({*names}) == len(names)


@pytest.mark.parametrize("sentence", ["", "  \n ", "\ud800"])
def test_a_sentence_without_tokens_is_not_asked_about(sentence):
    config = AttentionConfig(8, 2)
    assert questions(OVERVIEW, trace_sentence(sentence, config), head=0, query=0) == ()
    assert [questions(page, trace_sentence(sentence, config), head=0, query=0) for page in WALK] == [()] * len(WALK)


def test_a_question_is_what_its_kind_says():
    for _, _, question in all_asked():
        assert bool(question.choices) == (question.kind == "choice")
        assert bool(question.target) == (question.kind == "cell")
        assert bool(question.items) == bool(question.truth) == (question.kind in ("rank", "draw"))
        if question.kind == "number":
            assert math.isfinite(question.number)
            assert question.tolerance >= 0


def test_two_to_four_choices_that_look_different_and_one_is_right():
    for case, page, question in all_asked():
        if question.kind == "choice":
            assert 2 <= len(question.choices) <= 4
            assert [choice.right for choice in question.choices].count(True) == 1
            for lang in LANGUAGES:
                labels = [shown_label(case, page, lang, choice.label) for choice in question.choices]
                assert len({*labels}) == len(labels), (question.name, labels)


def test_the_right_choice_stands_in_every_place():
    places = {}
    for _, _, question in all_asked():
        if question.kind == "choice":
            places.setdefault(question.name, set()).add([choice.right for choice in question.choices].index(True))
    assert all({0, 1} <= found for found in places.values()), places


def test_every_text_is_there_in_both_languages_with_all_its_facts():
    for case, page, question, said in told():
        for lang in LANGUAGES:
            texts = [filled(case, page, lang, f"ask_{question.name}", question.facts)]
            texts += [filled(case, page, lang, verdict.section, verdict.facts) for verdict in said]
            for text in texts:
                without = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
                assert not re.search(r"\[\[|\]\]|\b(nan|inf|None|True|False|Token|tensor)\b", without), text


def test_what_is_said_of_an_answer_belongs_to_its_question():
    for _, _, question, said in told():
        start = question.name.removesuffix("_on")
        for verdict in said:
            assert verdict.section.startswith(f"{start}_")
            if question.kind != "choice":
                assert verdict.right == (verdict.section == f"{question.name}_right")
            elif verdict.section not in ("entropy_width", "entropy_level"):
                assert verdict.right == verdict.section.startswith(f"{start}_right")


def test_every_token_in_what_is_said_is_one_of_the_sentence():
    for case, page, question in all_asked():
        length = len(case.trace.tokens)
        for answer in answers(case, page, question):
            said = grade(question, answer).facts.values()
            assert all(fact.position < length for fact in said if isinstance(fact, Token))


def question_sections(page: str) -> set[str]:
    """All that begin with the name of a question."""
    sections = {*prose.sections(page, "en")}
    asks = {name for name in sections if name.startswith("ask_")}
    return asks | {name for name in sections for ask in asks if name.startswith(f"{ask.removeprefix('ask_')}_")}


@pytest.mark.parametrize("page", WALK)
def test_every_section_for_questions_is_used_by_one(page):
    used = set()
    for _, of, question, said in told():
        if of == page:
            used |= {f"ask_{question.name}", *(verdict.section for verdict in said)}
            used |= {choice.label.section for choice in question.choices if isinstance(choice.label, Words)}
    by_hand = trace_by_hand("the dog saw the cat", AttentionConfig(8, 2))
    case = OtherCase("", by_hand.config, walk=by_hand)
    for question in questions(page, by_hand, head=0, query=1):
        used |= {verdict.section for verdict in verdicts(case, page, question)}
    assert question_sections(page) == used


def test_labels_that_are_no_sections_hold_no_word_of_any_language():
    texts = {c.label for _, _, question in all_asked() for c in question.choices if isinstance(c.label, str)}
    assert texts
    assert [text for text in texts if re.search(r"[^\W\d_]", text)] == []


def test_texts_in_facts_hold_no_word_of_any_language():
    texts = [fact for _, _, question in all_asked() for fact in question.facts.values() if isinstance(fact, str)]
    assert texts
    assert [text for text in texts if re.search(r"[^\W\d_]", re.sub(r"\de-\d", "", text)) or "--" in text] == []


def test_the_answer_is_not_told_by_the_question_or_by_the_row_that_the_page_follows():
    for case, _, question in all_asked():
        if len(case.trace.tokens) > 1 and question.name not in ("same_word", "previous", "whose", "silence"):
            for name in ("query", "token"):
                assert question.facts.get(name) != Token(case.query), question.name


def test_the_cell_to_look_at_is_one_that_there_is():
    for case, _, question in all_asked():
        look = question.look
        explain_cell(case.trace, look.tensor, look.row, look.column, look.head)


def test_the_same_settings_ask_the_same():
    for case in CASES[:30]:
        trace = traced.__wrapped__(case.sentence, case.config, case.hidden, case.edits)
        for page in WALK:
            assert questions(page, trace, head=case.head, query=case.query) == asked(case, page)


def test_the_same_link_asks_the_same_in_another_process():
    case = Case("to be or not to be", AttentionConfig(8, 2, causal=True, seed=5), head=1, query=2)
    code = (
        "from attention import AttentionConfig, trace_sentence\n"
        "from pages import WALK\n"
        "from pages.ui.quiz.questions import questions\n"
        f"trace = trace_sentence({case.sentence!r}, AttentionConfig(8, 2, causal=True, seed=5))\n"
        "print([questions(page, trace, head=1, query=2) for page in WALK])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert run.stdout.strip() == repr([asked(case, page) for page in WALK])


def test_another_row_to_follow_changes_only_the_questions_that_were_about_it():
    case = Case(EXAMPLES["en"][0].sentence, AttentionConfig(8, 2))
    for page in WALK:
        rows = [asked(replace(case, query=query), page) for query in range(len(case.trace.tokens))]
        assert Counter(map(repr, rows)).most_common(1)[0][1] >= len(rows) - 6, page


SIMILAR = (
    "the dog saw the cat",
    "the cat saw the dog",
    "the pig saw the cow",
    "a dog saw a big cat",
    "我 喜欢 猫 和 猫",
    "我 讨厌 狗 和 狗",
    "to be or not to be",
)


@pytest.mark.parametrize("page", WALK)
def test_other_sentences_and_seeds_bring_other_questions(page):
    def asked_text(case: Case) -> tuple[str, ...]:
        """What is asked, and what is said about every answer."""
        texts = [(f"ask_{q.name}", q.facts) for q in asked(case, page)]
        texts += [(v.section, v.facts) for q in asked(case, page) for v in verdicts(case, page, q)]
        return tuple(filled(case, page, "en", section, facts) for section, facts in texts)

    config = AttentionConfig(24, 4)
    texts = [asked_text(Case(sentence, config)) for sentence in SIMILAR]
    assert len({*texts}) >= (len(SIMILAR) if page != "heads" else 4)
    assert len({asked_text(Case(SIMILAR[0], replace(config, seed=seed))) for seed in range(8)}) >= 4


def test_which_cell_a_question_is_about_follows_from_the_words():
    config, letters = AttentionConfig(24, 4), "abcdefgh"
    cases = [Case(" ".join(letters[turn:] + letters[:turn]), config) for turn in range(len(letters))]
    for name in ("strip", "made_from", "mirror", "order", "whose"):
        all_asked = [question for case in cases for page in WALK for question in asked(case, page)]
        assert len({question.look for question in all_asked if question.name == name}) >= 4, name


@pytest.mark.parametrize(
    "name", ["dot", "top", "mirror", "double", "favourite", "most", "entropy", "strip", "made_from"]
)
def test_a_question_is_not_always_about_the_same_rows(name):
    rows = {question.look.row for case, _, question in those(name) if len(case.trace.tokens) > 4}
    assert len(rows) >= 4


# Every right answer by another way of computing it.


def test_where_equal_words_are_equal():
    for case, _, question in those("same_word"):
        trace, first, second = case.trace, at(question.facts["first"]), at(question.facts["second"])
        assert first < second
        assert trace.tokens[first] == trace.tokens[second]
        assert torch.equal(trace.embeddings[first], trace.embeddings[second])
        equal = torch.equal(trace.x[first], trace.x[second])
        assert equal != case.config.positions
        assert label_of(right_choice(question)) == ("same_word_both" if equal else "same_word_embeddings")
        assert question.facts["gap"] == pytest.approx(float((trace.x[first] - trace.x[second]).abs().max()))


def test_the_page_speaks_of_one_pair_of_equal_words_and_the_question_of_another_where_there_is_one():
    case = Case("to be or not to be", AttentionConfig(8, 2), query=2)
    question = asked(case, "embedding")[0]
    assert (question.facts["first"], question.facts["second"]) == (Token(1), Token(5))


def test_words_all_different_are_not_asked_about():
    assert names("embedding", Case("a b c", AttentionConfig(8, 2))) == ["strip", "picked", "one_hot_shape", "moved"]


def same_row(case: Case, row: int, others: torch.Tensor) -> torch.Tensor:
    """Which of other rows (..., d_model) are that row of X."""
    return (others.double() - case.trace.x[row].double()).abs().amax(dim=-1) < 1e-4


def test_a_row_of_x_gives_away_its_word_and_where_positions_are_added_its_place():
    rights = set()
    for case, _, question in those("strip"):
        row, trace, d_model = at(question.facts["token"]), case.trace, case.config.d_model
        column = torch.arange(d_model)
        angles = torch.arange(len(trace.tokens))[:, None] / 10000 ** ((column - column % 2) / d_model)
        waves = torch.where(column % 2 == 0, angles.sin(), angles.cos()) * case.config.positions
        found = same_row(case, row, trace.embedding_table[:, None] + waves[None])  # (words, places)
        words, places = found.any(dim=1).nonzero().flatten().tolist(), found.any(dim=0).nonzero().flatten().tolist()
        assert words == [trace.vocabulary.index(trace.tokens[row])]
        right = label_of(right_choice(question))
        assert right == ("strip_both" if places == [row] else "strip_word")
        assert right == "strip_both" or places == [*range(len(trace.tokens))]
        assert question.facts["sums"] == found.numel()
        rights.add(right)
    assert rights == {"strip_both", "strip_word"}


def test_a_word_that_moves_keeps_its_embedding_and_gets_another_position():
    rights = set()
    for case, _, question in those("moved"):
        row, d_model = at(question.facts["token"]), case.config.d_model
        angles = [[place / 10000 ** (i / d_model) for i in range(0, d_model, 2)] for place in (row, row + 1)]
        (sin, cos), (next_sin, next_cos) = ([list(map(f, line)) for f in (math.sin, math.cos)] for line in angles)
        moves = [abs(a - b) for a, b in zip(sin + cos, next_sin + next_cos, strict=True)]
        gap = max(moves) * case.config.positions
        assert question.facts["gap"] == pytest.approx(gap, abs=1e-4)
        assert label_of(right_choice(question)) == ("moved_x" if gap else "moved_nothing")
        rights.add(label_of(right_choice(question)))
    assert rights == {"moved_x", "moved_nothing"}


def test_equal_words_that_stand_for_two_things_are_not_taken_for_equal_rows():
    trace = Case("the the dog", AttentionConfig(8, 2)).trace
    other = replace(trace, embeddings=trace.embeddings + torch.eye(3, 8))  # as with a word of two kinds
    assert "same_word" in [q.name for q in questions("embedding", trace, head=0, query=2)]
    assert "same_word" not in [q.name for q in questions("embedding", other, head=0, query=2)]


def test_an_embedding_depends_on_one_row_of_the_table():
    for case, _, question in those("picked"):
        row, table = at(question.facts["token"]), case.trace.embedding_table.double().requires_grad_()
        (case.trace.one_hot[row].double() @ table).sum().backward()
        assert question.number == int((table.grad != 0).sum())
        assert question.facts["all"] == table.numel()


def test_shapes_are_those_of_the_tensors():
    for case, page, question in those("one_hot_shape", "shape"):
        trace, attention = case.trace, case.trace.attention
        if question.name == "one_hot_shape":
            shape = trace.one_hot.shape
        elif page == "projections":
            shape = (trace.x @ trace.weights.w_q).shape
        else:
            shape = attention.head_outputs[case.head].shape
        assert right_choice(question).label == f"{shape[0]} × {shape[1]}"


def test_what_is_said_of_a_wrong_shape_is_the_shape_of_that_thing():
    sizes = {
        "one_hot_shape_turned": lambda t: t.one_hot.T,
        "one_hot_shape_embedding": lambda t: t.embeddings,
        "one_hot_shape_table": lambda t: t.embedding_table,
        "projections.shape_head": lambda t: t.attention.q[0],
        "projections.shape_matrix": lambda t: t.weights.w_q,
        "projections.shape_turned": lambda t: t.x.T,
        "projections.shape_three": lambda t: torch.cat([t.x] * 3, dim=1),
        "weighted_sum.shape_joined": lambda t: t.attention.joined,
        "weighted_sum.shape_weights": lambda t: t.attention.attn_weights[0],
        "weighted_sum.shape_turned": lambda t: t.attention.v[0].T,
        "weighted_sum.shape_one": lambda t: t.attention.v[0][:1],
    }
    seen = set()
    for case, page, question in those("one_hot_shape", "shape"):
        for choice in question.choices:
            if not choice.right:
                name = choice.reason if question.name == "one_hot_shape" else f"{page}.{choice.reason}"
                rows, columns = sizes[name](case.trace).shape
                assert choice.label == f"{rows} × {columns}"
                seen.add(name)
    assert seen == sizes.keys()


def test_another_word_changes_the_rows_of_q_that_the_answer_says():
    for case, _, question in those("changed_row"):
        row, tokens = at(question.facts["token"]), [*case.trace.tokens]
        other = " ".join([*tokens[:row], "otherwise", *tokens[row + 1 :]])
        if case.edits or case.config.d_model > 64:
            continue
        assert tokenize(" ".join(tokens)) == tuple(tokens)
        before = trace_sentence(" ".join(tokens), case.config).attention.q
        after = trace_sentence(other, case.config).attention.q
        moved = (before - after).abs().amax(dim=(0, 2)) > 1e-3
        rows = {i for i in range(len(tokens)) if bool(moved[i])}
        meanings = {
            "changed_row_only": {row},
            "changed_row_all": {*range(len(tokens))},
            "changed_row_after": {*range(row, len(tokens))},
            "changed_row_none": set(),
        }
        offered = [meanings[label_of(choice)] for choice in question.choices]
        assert all(a != b for a, b in combinations(offered, 2))
        assert meanings[label_of(right_choice(question))] == rows


def test_the_cell_of_q_is_the_one_that_the_row_and_the_column_make():
    for case, _, question in those("made_from"):
        trace, row, column = case.trace, at(question.facts["token"]), question.facts["column"]
        w = trace.weights
        value = float(trace.x[row].double() @ w.w_q[:, column].double() + w.b_q[column])
        target = question.target
        assert (len(target.rows), len(target.columns)) == (1, 1)
        q = trace.attention.q[target.head, target.rows.start, target.columns.start]
        assert float(q) == pytest.approx(value, abs=2e-3, rel=1e-4)
        assert target.head * trace.config.head_dim + target.columns.start == column


def vector(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in text.strip("[]").split(", ")]


def test_the_dot_product_is_right_by_hand_with_the_rounded_numbers_and_with_all_decimals():
    for case, _, question in those("dot"):
        row, key = at(question.facts["query"]), at(question.facts["key"])
        assert case.config.head_dim <= 4
        exact = float(case.own("q")[row].double() @ case.own("k")[key].double())
        assert question.number == pytest.approx(exact, rel=1e-4, abs=1e-4)
        a, b = vector(question.facts["q"]), vector(question.facts["k"])
        assert_close(torch.tensor(a), case.own("q")[row], atol=0.0501, rtol=0)
        assert_close(torch.tensor(b), case.own("k")[key], atol=0.0501, rtol=0)
        by_hand = sum(m * n for m, n in zip(a, b, strict=True))
        assert question.facts["rounded"] == pytest.approx(by_hand)
        assert eval(question.facts["products"].replace("×", "*").replace("−", "-")) == pytest.approx(by_hand)
        for answer in (exact, by_hand, round(by_hand, 1), round(exact, 1), exact - 0.099):
            assert grade(question, answer).right
        assert not grade(question, exact + 1.01 * question.tolerance).right
        most = 0.1 + 0.05 * (sum(map(abs, a)) + sum(map(abs, b))) + 0.02 * len(a)
        assert question.tolerance <= most


def products(case: Case) -> torch.Tensor:
    """Dot products of the chosen head's queries and keys, and what was set by hand."""
    scores = case.own("q").double() @ case.own("k").double().T
    for edit in case.edits:
        if edit.tensor == "scores" and edit.head == case.head:
            scores[edit.row, edit.column] = edit.value
    return scores


def test_across_the_diagonal_stands_another_dot_product():
    rights = set()
    for case, _, question in those("mirror"):
        row, key, scores = at(question.facts["query"]), at(question.facts["key"]), products(case)
        score, other = float(scores[row, key]), float(scores[key, row])
        assert question.facts["score"] == pytest.approx(score, rel=1e-3, abs=1e-3)
        assert question.facts["other"] == pytest.approx(other, rel=1e-3, abs=1e-3)
        right = label_of(right_choice(question))
        assert right == ("mirror_same" if abs(score - other) < 2e-3 * max(1, abs(score)) else "mirror_other")
        assert abs(score + other) > 0.01  # or "with the other sign" were right, too
        assert question.hides(Cell("scores", key, row, case.head))
        assert not question.hides(Cell("scores", row, key, case.head))
        assert case.query not in (row, key)
        rights.add(right)
    assert rights == {"mirror_same", "mirror_other"}


def test_a_query_twice_as_long_doubles_its_scores():
    for case, _, question in those("double"):
        row, key, best = (at(question.facts[name]) for name in ("query", "key", "best"))
        if any(edit.tensor == "scores" for edit in case.edits):
            continue
        scores, longer = products(case)[row], 2 * case.own("q")[row].double() @ case.own("k").double().T
        assert label_of(right_choice(question)) == "double_double"
        assert (question.facts["score"], question.facts["doubled"]) == pytest.approx(
            (float(scores[key]), float(longer[key])), rel=1e-3, abs=1e-3
        )
        assert (question.facts["highest"], question.facts["highest_doubled"]) == pytest.approx(
            (float(scores[best]), float(longer[best])), rel=1e-3, abs=1e-3
        )
        assert float((longer - scores).max() - (longer - scores).min()) > 0.01  # no rise by the same amount
        assert float(longer[best]) == pytest.approx(float(longer.max()), rel=1e-4, abs=1e-4)


def ranked(case: Case, question: Question, values: torch.Tensor, fact: str, gap: float) -> None:
    """The right choice has the largest value, every other is at least gap below it, and the facts say so."""
    row = values.double().tolist()
    best = right_choice(question).label
    places = {choice.label: int(getattr(choice.label, "position", choice.label)) for choice in question.choices}
    largest = max(row[i] for i in range(len(row)) if math.isfinite(row[i]))
    if question.name != "most":  # its gap is not known here
        nearest = max((value for value in row if value <= largest - gap - 1e-3), default=-math.inf)
        assert nearest <= 0 or nearest - 1e-4 <= max(row[places[c.label]] for c in question.choices if not c.right)
    assert row[places[best]] == pytest.approx(largest, abs=1e-6)
    for choice in question.choices:
        value = row[places[choice.label]]
        assert choice.facts[fact] == pytest.approx(largest, rel=1e-3, abs=1e-4)
        assert choice.facts["key"] == best
        assert choice.facts["guess"] == choice.label
        if not choice.right:
            assert largest - max(value, -1e9) >= gap - 1e-6
            if math.isfinite(value):
                assert choice.facts[f"guess_{fact}"] == pytest.approx(value, rel=1e-3, abs=1e-4)
                assert prose.written(choice.facts[fact]) != prose.written(choice.facts[f"guess_{fact}"])


def test_keys_are_put_in_the_order_of_their_dot_products_and_covered():
    seen = 0
    for case, _, question in those("rank"):
        row = at(question.facts["query"])
        scores = products(case)[row]
        order = sorted(range(4), key=lambda i: -float(scores[at(question.items[i])]))
        assert grade(question, tuple(order)).section == "rank_right"
        assert not grade(question, tuple(order[::-1])).right
        named = [at(question.facts[f"key_{i}"]) for i in range(1, 5)]
        assert named == [at(question.items[i]) for i in order]
        spread = float(scores.max() - scores.min())
        assert all(a - b > 0.04 * spread for a, b in pairwise(float(scores[key]) for key in named))
        by_size = sorted(range(4), key=lambda i: -abs(float(scores[at(question.items[i])])))
        if by_size != order:
            assert grade(question, tuple(by_size)).section == "rank_size"
        assert all(question.hides(Cell("scores", row, key, case.head)) for key in range(len(case.labels)))
        assert not question.hides(Cell("scores", (row + 1) % len(case.labels), 0, case.head))
        seen += 1
    assert seen > 10


def test_the_top_of_a_row_is_its_largest_dot_product_and_can_be_clicked_while_covered():
    for case, _, question in those("top"):
        row, length, scores = at(question.facts["query"]), len(case.labels), products(case)
        best = int(scores[row].argmax())
        assert at(question.facts["key"]) == best
        assert question.facts["score"] == pytest.approx(float(scores[row, best]), rel=1e-3, abs=1e-3)
        others = torch.cat([scores[row, :best], scores[row, best + 1 :]])
        assert float(scores[row, best] - others.max()) > 0.015
        said = {
            (r, c): grade(question, Cell("scores", r, c, case.head)).section
            for r in {0, row, length - 1}
            for c in {0, row, best, length - 1}
        }
        for (r, c), section in said.items():
            end = "right" if c == best else "self" if c == row else "wrong"
            assert section == f"top_{end if r == row else 'row'}"
            assert question.hides(Cell("scores", r, c, case.head)) == (r == row)
        assert grade(question, Cell("q", row, 0, case.head)).section == "top_tensor"


def test_where_queries_are_keys_two_matrices_are_no_reason_for_another_top():
    trace, seen = trace_by_hand("the dog saw the cat", AttentionConfig(8, 2)), 0
    for query in range(5):
        for question in questions("scores", trace, head=0, query=query):
            row = at(question.facts["query"]) if question.name == "top" else 0
            if question.name == "top" and at(question.facts["key"]) != row:
                assert grade(question, Cell("scores", row, row, 0)).section == "top_same"
                assert float(trace.x[at(question.facts["key"]), :4].norm()) > float(trace.x[row, :4].norm())
                seen += 1
    assert seen


def test_a_drawn_row_is_softmax_of_the_four_scores_and_neither_flat_nor_linear():
    seen = 0
    for case, _, question in those("draw"):
        row, keys = at(question.facts["query"]), [at(item) for item in question.items]
        weights = case.own("attn_weights")[row][keys].double()
        truth = (weights / weights.sum()).tolist()
        assert question.truth == pytest.approx(truth, abs=1e-4)
        scores = case.own("masked_scores")[row][keys].double()
        assert [question.facts[f"score_{i}"] for i in range(1, 5)] == pytest.approx(scores.tolist(), abs=1e-5)
        assert grade(question, tuple(100 * share for share in truth)).section == "draw_right"
        assert grade(question, (25, 25, 25, 25)).section == "draw_flat"
        assert grade(question, (0, 0, 0, 0)).section == "draw_flat"  # nothing set: all the same
        linear = scores - scores.min()
        assert grade(question, tuple((100 * linear / linear.sum()).tolist())).section == "draw_linear"
        for tensor in ("exponentials", "attn_weights"):
            assert all(question.hides(Cell(tensor, row, key, case.head)) for key in range(len(case.labels)))
        assert question.hides(Cell("exp_sums", row, 0, case.head))
        assert not question.hides(Cell("masked_scores", row, 0, case.head))
        seen += 1
    assert seen > 10


def test_the_overview_asks_where_a_word_looks_and_covers_its_row():
    seen = 0
    for case in CASES:
        for question in asked(case, OVERVIEW):
            row = question.look.row
            weights = case.own("attn_weights")[row]
            (right,) = [choice for choice in question.choices if choice.right]
            assert float(weights[at(right.label)]) == float(weights.max())
            assert row != case.query or len(case.labels) == 1
            assert question.hides(Cell("attn_weights", row, 0, case.head))
            seen += 1
    assert seen > 20


def test_the_picture_with_the_bug_is_the_one_that_is_told():
    seen = Counter()
    for case, page, question in those("bug"):
        (place,) = [i for i, choice in enumerate(question.choices) if choice.right]
        wrong, right = (torch.tensor(question.pictures[i].values) for i in (place, 1 - place))
        rows, columns = right.shape
        if page == "scaling":
            scores = case.own("q") @ case.own("k").T
            root = math.sqrt(case.own("q").shape[1])
            assert_close(right, (scores / root)[:rows, :columns], rtol=1e-4, atol=1e-4)
            assert_close(wrong, (scores / math.sqrt(case.config.d_model))[:rows, :columns], rtol=1e-4, atol=1e-4)
            assert question.facts["score"] / question.facts["root"] == pytest.approx(question.facts["value"], rel=1e-4)
        elif page == "softmax":
            open_rows = ~case.own("masked_scores").isneginf().all(dim=1)
            open_columns = ~case.own("masked_scores").isneginf().all(dim=0)
            assert_close(right.sum(dim=1), open_rows.float(), rtol=1e-4, atol=1e-4)
            assert_close(wrong.sum(dim=0), open_columns.float(), rtol=1e-4, atol=1e-4)
        else:
            joined = torch.cat([case.trace.attention.head_outputs[h] for h in range(case.config.num_heads)], dim=1)
            assert_close(wrong, joined[:rows, :columns])
            assert_close(right, case.trace.attention.output[:rows, :columns])
        assert float((right - wrong).abs().max()) >= 0.2
        assert all(
            question.hides(Cell(target.tensor, 0, 0, case.head if target.head is not None else None))
            for target in question.covers
        )
        seen[page] += 1
    assert min(seen[page] for page in ("scaling", "softmax", "heads")) > 5


def nats(weights: torch.Tensor) -> float:
    return -sum(p * math.log(p) for p in weights.double().tolist() if p > 0)


def test_the_entropy_moves_as_the_answer_says_when_the_division_is_switched():
    for case, _, question in those("entropy", "entropy_on"):
        row, scaled = at(question.facts["query"]), case.config.scaled
        assert question.name == ("entropy" if scaled else "entropy_on")
        now = nats(case.own("attn_weights")[row])
        then = nats(case.with_config(scaled=not scaled).attention.attn_weights[case.head][row])
        assert question.facts["now"] == pytest.approx(now, abs=1e-3)
        assert question.facts["then"] == pytest.approx(then, abs=1e-3)
        right = label_of(right_choice(question))
        if abs(now - then) < 0.009:
            assert right == "entropy_unchanged"
            assert now == pytest.approx(then, abs=1e-4)
            masked = case.own("masked_scores")[row]
            masked = masked[masked.isfinite()]
            reason = right_choice(question).reason
            assert reason == ("entropy_width" if case.config.head_dim == 1 else "entropy_level")
            assert case.config.head_dim == 1 or float(masked.max() - masked.min()) < 0.001
        else:
            assert right == ("entropy_even" if then > now else "entropy_concentrated")


def test_dividing_the_queries_is_dividing_the_scores():
    for case, _, question in those("instead"):
        q, k, root = case.own("q").double(), case.own("k").double(), math.sqrt(case.config.head_dim)
        row, key, asked_for = at(question.facts["query"]), at(question.facts["key"]), (q @ k.T) / root
        ways = {"instead_queries": (q / root) @ k.T, "instead_both": (q / root) @ (k / root).T}
        ways |= dict.fromkeys(("instead_weights", "instead_values"), q @ k.T)  # softmax gets the scores as they are
        right = label_of(right_choice(question))
        for choice in question.choices:
            is_same = torch.allclose(ways[label_of(choice)], asked_for, rtol=1e-6, atol=1e-6)
            assert is_same == (label_of(choice) == right)
        assert question.facts["divided"] == pytest.approx(float(asked_for[row, key]), rel=1e-3, abs=1e-3)
        twice = ways["instead_both"][row, key]
        assert question.facts["twice"] == pytest.approx(float(twice), rel=1e-3, abs=1e-3)
        weights = asked_for.softmax(dim=1) / root
        assert question.facts["sum"] == pytest.approx(float(weights[row].sum()))


def test_dividing_never_changes_the_order():
    for case, _, question in those("order"):
        row = at(question.facts["query"])
        divided, plain = (case.with_config(scaled=on).attention.scaled_scores[case.head][row] for on in (True, False))
        assert label_of(right_choice(question)) == "order_no"
        best = at(question.facts["key"])
        assert float(plain[best]) == float(plain.max())
        assert float(divided[best]) == pytest.approx(float(divided.max()), rel=1e-5)
        assert question.facts["score"] == pytest.approx(float(plain.max()), rel=1e-5)
        assert question.facts["divided"] == pytest.approx(float(divided.max()), rel=1e-5, abs=1e-6)


def is_open(case: Case) -> torch.Tensor:
    """The masks, from the settings and not from the trace: True where query (row) may look at key (column)."""
    places = torch.arange(len(case.trace.tokens))
    hidden = torch.tensor([int(place) in case.hidden for place in places])
    before = places.unsqueeze(1) >= places.unsqueeze(0)
    return (before | torch.tensor(not case.config.causal)) & ~hidden


def shares(case: Case) -> torch.Tensor:
    """The weights of the head by torch's softmax and our own mask; a row that is closed is all 0."""
    scores = case.own("scores").double() / (math.sqrt(case.config.head_dim) if case.config.scaled else 1)
    return scores.masked_fill(~is_open(case), -math.inf).softmax(dim=-1).nan_to_num(0)


def test_the_favourite_key_has_the_largest_share():
    reasons = set()
    for case, _, question in those("favourite"):
        row = at(question.facts["query"])
        ranked(case, question, shares(case)[row], "weight", 0.05)
        scores = case.own("scaled_scores")[row]
        for choice in question.choices:
            key = at(choice.label)
            assert choice.facts["guess_score"] == float(scores[key])
            if not choice.right:
                reasons.add(choice.reason)
                assert (choice.reason == "favourite_masked") == (not is_open(case)[row, key])
                assert choice.reason != "favourite_masked" or float(scores[key]) == float(scores.max())
    assert reasons == {"favourite_wrong", "favourite_masked", "favourite_self"}


def test_a_key_that_is_closed_leaves_all_others_the_same_factor():
    for case, _, question in those("closing"):
        row, key, other = (at(question.facts[name]) for name in ("query", "key", "other"))
        scores = case.own("scores").double()[row] / (math.sqrt(case.config.head_dim) if case.config.scaled else 1)
        before = shares(case)[row]
        is_left = is_open(case)[row].index_fill(0, torch.tensor(key), False)
        after = scores.masked_fill(~is_left, -math.inf).softmax(dim=0)
        assert float(before[key]) == pytest.approx(float(before.max()))
        left = [i for i in range(len(before)) if i != key and float(before[i]) > 1e-12]
        factors = [float(after[i] / before[i]) for i in left]
        assert factors == pytest.approx([question.facts["factor"]] * len(left), rel=1e-3)
        assert label_of(right_choice(question)) == "closing_factor"
        assert question.facts["before"] == pytest.approx(float(before[other]), abs=1e-5)
        assert question.facts["after"] == pytest.approx(float(after[other]), abs=1e-4)
        gains = (after - before)[left]
        assert float(gains.max() - gains.min()) > 1e-3  # no equal parts; and more than one gains
        assert float(gains.min()) > 0


def test_a_difference_of_scores_is_a_ratio_of_weights():
    for case, _, question in those("ratio"):
        row, high, low = (at(question.facts[name]) for name in ("query", "high", "low"))
        weights = shares(case)[row]
        ratio = float(weights[high] / weights[low])
        assert math.exp(0.2) <= ratio * 1.001 <= 1.002 * math.exp(4)
        assert question.facts["factor"] == pytest.approx(ratio, rel=1e-3)
        assert question.facts["score_high"] - question.facts["score_low"] == pytest.approx(math.log(ratio), abs=1e-3)
        assert float(question.facts["weight_high"]) == pytest.approx(float(weights[high]), rel=6e-3)
        assert float(question.facts["weight_low"]) == pytest.approx(float(weights[low]), rel=6e-3)
        assert right_choice(question).label == f"×{ratio:.1f}"
        shown = [float(choice.label.removeprefix("×")) for choice in question.choices]
        assert all(abs(a - b) >= 0.1 * max(a, b) - 0.06 and a != b for a, b in combinations(shown, 2))
        delta = question.facts["delta"]
        quotient = question.facts["score_high"] / question.facts["score_low"] if question.facts["score_low"] else 0
        wrong = {"ratio_difference": delta, "ratio_linear": 1 + delta, "ratio_quotient": quotient}
        assert all(c.right or c.label == f"×{wrong[c.reason]:.1f}" for c in question.choices)


def test_what_a_row_of_weights_sums_to():
    for case, _, question in those("closed_sum", "sum"):
        row = at(question.facts["query"])
        assert question.number == pytest.approx(float(shares(case)[row].sum()), abs=1e-6)
        assert (question.name == "closed_sum") == (not bool(is_open(case)[row].any()))
        assert grade(question, question.number).right
        assert not grade(question, 1 - question.number).right


def test_the_key_that_contributes_most():
    heavier = set()
    for case, _, question in those("most"):
        row = at(question.facts["query"])
        weights = case.own("attn_weights")[row]
        lengths = torch.stack([(weights[j] * case.own("v")[j]).square().sum().sqrt() for j in range(len(weights))])
        ranked(case, question, lengths, "length", 0.02)
        for choice in question.choices:
            key, best = at(choice.label), at(choice.facts["key"])
            assert choice.facts["guess_weight"] == float(weights[key])
            if choice.reason == "most_heavy":
                assert float(weights[key]) == float(weights.max())
                assert float(case.own("v")[key].norm()) < float(case.own("v")[best].norm())
                heavier.add(case)
            else:
                assert choice.right or float(weights[key]) < float(weights.max())
    assert heavier


def test_an_output_lies_between_the_values_that_it_blends():
    for case, _, question in those("between"):
        row, column, v = at(question.facts["query"]), question.facts["column"], case.own("v").double()
        output = float(case.own("attn_weights")[row].double() @ v[:, column])
        assert question.facts["value"] == pytest.approx(output, rel=1e-3, abs=1e-3)
        assert question.facts["low"] == pytest.approx(float(v[:, column].min()), abs=1e-5)
        assert question.facts["high"] == pytest.approx(float(v[:, column].max()), abs=1e-5)
        assert question.facts["mean"] == pytest.approx(float(v[:, column].mean()), abs=1e-4)
        assert float(v[:, column].min()) - 1e-4 <= output <= float(v[:, column].max()) + 1e-4
        assert abs(output - float(v[:, column].mean())) > 0.015
        assert label_of(right_choice(question)) == "between_inside"
        assert question.hides(Cell("head_outputs", row, column, case.head))


def test_the_outputs_that_change_with_one_value():
    rights = set()
    for case, _, question in those("whose"):
        key, length = at(question.facts["key"]), len(case.trace.tokens)
        weights, other = case.own("attn_weights").double(), case.own("v").double().clone()
        other[key] += 100
        before, after = weights @ case.own("v").double(), weights @ other
        rows = {i for i in range(length) if bool(((after - before)[i].abs() > 1e-6).any())}
        meanings = {
            "whose_every": {*range(length)},
            "whose_after": {*range(key, length)},
            "whose_own": {key},
            "whose_none": set(),
        }
        offered = [meanings[label_of(choice)] for choice in question.choices]
        assert all(a != b for a, b in combinations(offered, 2))
        right = label_of(right_choice(question))
        assert meanings[right] == rows
        assert question.facts["count"] == len(rows)
        rights.add(right)
    assert {"whose_every", "whose_after", "whose_none"} <= rights


def test_the_head_that_looks_back_most():
    for case, _, question in those("previous"):
        weights = case.trace.attention.attn_weights.tolist()
        looking_back = [sum(head[i][i - 1] for i in range(1, len(head))) / (len(head) - 1) for head in weights]
        ranked(case, question, torch.tensor(looking_back), "share", 0.05)
        assert question.look.head == int(right_choice(question).label)


def test_a_silent_head_changes_the_columns_that_the_answer_says():
    rights = set()
    for case, _, question in those("silence"):
        asked_head, output = question.facts["asked"], case.trace.attention.output
        silent = apply_edit(case.trace, Edit("head_outputs", 0, 0, asked_head, 0.0)).attention.output
        moved = {c for c in range(case.config.d_model) if float((output - silent)[:, c].abs().max()) > 1e-4}
        own = {*range(question.facts["first"], question.facts["last"] + 1)}
        meanings = {"silence_all": {*range(case.config.d_model)}, "silence_own": own, "silence_none": set()}
        right = label_of(right_choice(question))
        assert meanings[right] == moved
        row, column = at(question.facts["token"]), question.facts["column"]
        assert (column in own) == (right == "silence_own")
        assert question.facts["before"] == pytest.approx(float(output[row, column]), abs=1e-5)
        assert question.facts["after"] == pytest.approx(float(silent[row, column]), abs=1e-4, rel=1e-3)
        assert len(own) == case.config.head_dim
        assert asked_head != case.head
        rights.add(right)
    assert "silence_all" in rights


def test_by_hand_a_silent_head_changes_its_own_columns_alone():
    trace = trace_by_hand("the dog saw the cat", AttentionConfig(8, 2))
    (question,) = [q for q in questions("heads", trace, head=0, query=1) if q.name == "silence"]
    silent = apply_edit(trace, Edit("head_outputs", 0, 0, question.facts["asked"], 0.0)).attention.output
    moved = (trace.attention.output - silent).abs().amax(dim=0).nonzero().flatten().tolist()
    assert moved == [*range(question.facts["first"], question.facts["last"] + 1)]
    assert label_of(right_choice(question)) == "silence_own"


def test_other_heads_hold_as_many_numbers():
    for case, _, question in those("more_heads"):
        other = question.facts["other"]
        assert other in head_counts(case.config.d_model)
        assert other != case.config.num_heads
        weights = traced("a", AttentionConfig(case.config.d_model, other), (), ())
        assert question.facts["numbers"] == weights.weights.w_q.numel() == case.trace.weights.w_q.numel()
        assert question.facts["other_d_k"] == weights.attention.q.shape[-1]
        assert question.facts["other_d_k"] * other == question.facts["d_model"] == weights.weights.w_q.shape[1]
        assert label_of(right_choice(question)) == "more_heads_same"


# A number set by hand, where no row shows the usual mistake.


def test_a_number_is_set_where_no_row_shows_the_usual_mistake_and_the_question_says_so():
    seen = Counter()
    for case, _, question in all_asked():
        if not question.edit:
            continue
        edit, name = question.edit, question.name
        row = at(question.facts["query"])
        assert case.edits == ()
        assert (edit.row, edit.head) == (row, case.head)
        assert question.set_by_hand["set_query"] == Token(row)
        assert question.set_by_hand["set_key"] == Token(edit.column)
        assert question.set_by_hand["set_value"] == edit.value
        assert question.set_by_hand["set_was"] == float(case.own(edit.tensor)[row, edit.column])
        for lang in LANGUAGES:
            assert filled(case, prose.SHARED, lang, f"set_{edit.tensor}", question.set_by_hand)
        weights = {row: case.own("attn_weights")[row] for row in range(len(case.labels)) if row != case.query}
        if name == "rank":  # in no row of many different scores is the largest number one below zero
            for scores in (case.own("scores")[i] for i in weights):
                gap, different = max(0.05 * float(scores.max() - scores.min()), 0.02), [-math.inf]
                for score in sorted(scores.tolist()):
                    different += [score] * (score - different[-1] >= gap)
                assert len(different) <= 7 or float(scores.max()) == float(scores.abs().max())
        if name == "most":  # everywhere the heaviest value is the longest one
            for shares_of in weights.values():
                lengths = shares_of * case.own("v").norm(dim=1)
                gap = max(0.05 * float(lengths.max() - lengths.min()), 0.02)
                assert float(lengths.max() - lengths[int(shares_of.argmax())]) < gap + 1e-5
            assert [choice.reason for choice in question.choices].count("most_heavy") == 1
        seen[name] += 1
    assert set(seen) == {"rank", "most", "favourite"}


# What is left out, and what is asked instead.


def names(page: str, case: Case) -> list[str]:
    return [question.name for question in asked(case, page)]


def test_vectors_too_long_to_multiply_by_hand_are_not_multiplied():
    sentence = "the dog saw the cat"
    assert names("scores", Case(sentence, AttentionConfig(8, 2))) == ["dot", "top", "rank", "mirror", "double"]
    assert names("scores", Case(sentence, AttentionConfig(16, 2))) == ["top", "rank", "mirror", "double", "count"]
    assert names("scores", Case("a big dog", AttentionConfig(16, 2)))[:2] == ["top", "mirror"]  # too few to rank


def test_equal_keys_leave_no_favourite():
    config = AttentionConfig(8, 2, positions=False)
    case = Case("the the the", config)
    assert names("softmax", case) == ["equal"]
    assert names("scores", case) == ["dot", "mirror", "count"]
    assert names("weighted_sum", case) == ["shape", "whose"]
    (entropy, *_) = asked(case, "scaling")
    assert {choice.reason for choice in entropy.choices} == {"entropy_level"}


def test_one_head_one_column_one_token_everything_hidden():
    assert names("heads", Case("a b c", AttentionConfig(8, 1))) == ["more_heads"]
    assert {c.reason for c in asked(Case("a b c", AttentionConfig(4, 4)), "scaling")[0].choices} == {"entropy_width"}
    one = Case("hello", AttentionConfig(8, 2))
    expected = [
        "picked one_hot_shape",
        "made_from shape",
        "dot count",
        "entropy instead order bug",
        "sum",
        "shape",
        "silence more_heads bug",
    ]
    assert [" ".join(names(page, one)) for page in WALK] == expected
    hidden = Case("a b c", AttentionConfig(8, 2), hidden=(0, 1, 2))
    assert names("softmax", hidden) == ["closed_sum"]
    assert names("scaling", hidden) == ["instead", "order", "bug"]
    assert names("weighted_sum", hidden) == ["shape", "whose"]


def test_a_row_set_by_hand_is_not_asked_what_follows_from_the_rows_before_it():
    equal = Case("a a b", AttentionConfig(8, 2, seed=1), query=1)
    assert names("embedding", equal) == ["same_word", "strip", "picked", "one_hot_shape", "moved"]
    edited = replace(equal, edits=(Edit("embeddings", 0, 0, None, 3.0),))
    assert names("embedding", edited) == ["strip", "picked", "one_hot_shape"]
    for case, page, question in all_asked():
        touched = {e.row for e in case.edits if e.tensor in ("scores", "attn_weights") and e.head == case.head}
        assert not question.edit or not case.edits
        if page in ("scores", "softmax", "weighted_sum") and question.name not in (
            "whose",
            "shape",
            "count",
            "between",
        ):
            told = {e.tensor for e in case.edits} & {"scores" if page == "scores" else "attn_weights"}
            assert not told or question.look.row not in touched, (page, question.name)


# Typical mistakes have reasons of their own.


@pytest.mark.parametrize("name", ["dot", "picked", "closed_sum"])
def test_a_typical_wrong_number_is_told_from_any_other(name):
    seen = Counter()
    for _, _, question in those(name):
        for end, slip in question.slips:
            verdict = grade(question, slip)
            clear = abs(slip - question.number) > question.tolerance
            assert verdict.right != clear
            assert verdict.facts["guess"] == slip
            assert verdict.facts["truth"] == question.number
            if clear and all(abs(slip - other) > question.tolerance for e, other in question.slips if e != end):
                assert verdict.section == f"{name}_{end}"
                seen[end] += 1
        far = grade(question, question.number + 5000.5)
        assert (far.right, far.section) == (False, f"{name}_wrong")
    assert {*seen} == {end for _, _, question in those(name) for end, _ in question.slips}


def mistakes(case: Case, question: Question) -> dict[str, float]:
    """The typical wrong numbers as the words about them say."""
    facts, d_k, d_model = question.facts, case.config.head_dim, case.config.d_model
    if question.name == "dot":
        return {"sign": -question.number, "scaled": question.number / math.sqrt(d_k)}
    if question.name == "picked":
        return {"all": d_model * facts["words"], "one": 1, "words": facts["words"]}
    return {"one": 1.0}


def test_the_typical_wrong_numbers_are_what_the_words_say():
    for case, _, question in those("dot", "picked", "closed_sum"):
        assert dict(question.slips) == pytest.approx(mistakes(case, question))


def test_long_sentences_leave_room_to_tell_mistakes_from_rounding():
    for case, _, question in those("dot"):
        if len(case.trace.tokens) >= 5 and case.config.head_dim > 1 and case.config.num_heads > 1:
            for end, slip in question.slips:
                assert abs(slip - question.number) > question.tolerance, (question.name, end)


def test_other_cells_than_the_one_of_q_have_reasons_of_their_own():
    for case, page, question in those("made_from"):
        row, column = at(question.facts["token"]), question.facts["column"]
        for cell in cells(case, page):
            verdict = grade(question, cell)
            if cell.tensor == "q":
                whole = cell.head * case.config.head_dim + cell.column
                expected = ("right" if whole == column else "column") if cell.row == row else "wrong"
                assert verdict.facts["guess_row"] == Token(cell.row)
            else:
                expected = "role" if cell.tensor in ("k", "v", "w_k", "w_v", "b_k", "b_v") else "tensor"
            assert verdict.section == f"made_from_{expected}"


# Every kind of weights.


@dataclass(frozen=True)
class OtherCase(Case):
    """A case whose numbers come from elsewhere. walk: its trace."""

    walk: SentenceTrace | None = field(default=None, compare=False)

    @property
    def trace(self) -> SentenceTrace:
        assert self.walk is not None
        return self.walk


def by_kinds(folder: Path) -> Iterator[tuple[str, OtherCase]]:
    """Traces of weights by hand, of a layer that learned, early and late, and of two real models; with the switches."""
    sentences = {"en": "the old king saw the princess and she smiled", "zh": "那位公主走了，因为她很累。"}
    config, layer = AttentionConfig(8, 2), learned(AttentionConfig(32, 2), "en")  # which test_real.py has, too
    for sentence, causal in product(sentences.values(), (False, True)):
        switched = replace(config, causal=causal)
        yield "hand", OtherCase(sentence, switched, walk=trace_by_hand(sentence, switched))
    for causal, step in product((False, True), (0, 10)):
        switched = replace(layer.config, causal=causal)
        hidden = (1,) if causal else ()
        walk = layer.trace(sentences["en"], checkpoint=step, switches=switched, hidden_keys=hidden)
        yield "learned", OtherCase(sentences["en"], switched, walk=walk)
    for kind in ("bert", "gpt2"):
        (folder / kind).mkdir()
        model = pretrained.load(tiny(kind, folder / kind))
        assert not isinstance(model, pretrained.Unavailable)
        for layer_number in range(model.num_layers):
            walk = model.trace("the cat saw it, and it ran", layer_number)
            yield "real", OtherCase("", walk.config, walk=walk)


def test_with_every_kind_of_weights_each_question_has_one_right_answer_and_a_reason_for_all(tmp_path):
    seen = Counter()
    for kind, first in by_kinds(tmp_path):
        for number, query in enumerate(range(0, len(first.trace.tokens), 2)):
            head = number % first.trace.config.num_heads
            case, lang = replace(first, head=head, query=query), LANGUAGES[number // 2 % 2]
            for page in WALK:
                for question in questions(page, case.trace, head=head, query=query):
                    seen[kind, page] += 1
                    said = verdicts(case, page, question)
                    filled(case, page, lang, f"ask_{question.name}", question.facts)
                    assert all(filled(case, page, lang, each.section, each.facts) for each in said)
                    if question.kind == "choice":
                        assert [choice.right for choice in question.choices].count(True) == 1
                        assert sum(grade(question, i).right for i in range(len(question.choices))) == 1
                    if question.kind == "number":
                        assert math.isfinite(question.number)
                        assert grade(question, question.number).right
                        assert not grade(question, question.number + 1234.5).right
                    if question.kind == "rank":
                        orders = permutations(range(len(question.items)))
                        assert any(grade(question, order).right for order in orders)
                    if question.kind == "draw":
                        assert grade(question, tuple(100 * share for share in question.truth)).right
    assert {kind for kind, _ in seen} == {"hand", "learned", "real"}
    assert all(seen[kind, page] for kind in ("hand", "learned", "real") for page in WALK)
