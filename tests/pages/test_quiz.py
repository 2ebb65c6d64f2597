"""The quiz as a visitor sees it: the generator's questions, one at a time, and a verdict on every kind of answer.

What is asked and what is right is tested in test_questions.py; here it is taken from the generator.
"""

import json
import re
from dataclasses import dataclass

import pytest
from each import each
from visiting import LANGUAGES, WALKED, Case, Page, Visit, code_spans, enter, go, look, start

from attention import Cell
from pages import OVERVIEW, WALK
from pages.ui.quiz.question import Question, Target, Token, Words, grade
from pages.ui.quiz.questions import questions
from pages.ui.state.values import address_of
from pages.ui.words.labels import label
from pages.ui.words.prose import SHARED, code, fill, of_weights, sections

ON_EVERY_STEP = each("slug", WALK)
SETTINGS = {
    "a first visit": {},
    "wide": {"d_model": "64", "num_heads": "4", "head": "3", "causal": "1", "query": "2"},
    "hidden": {
        "sentence": "我 喜欢 猫 因为 猫 很 可爱",
        "hidden": "0-1",
        "query": "0",
        "scaled": "0",
        "positions": "0",
    },
    "one letter": {"sentence": "a", "num_heads": "1"},
}


# What ought to be there, and what is.


def asked(slug: str, case: Case) -> tuple[Question, ...]:
    return questions(slug, case.trace, head=case.head, query=case.query)


def filled(case: Case, slug: str, section: str, facts: dict) -> str:
    shown = {name: code(case.labels[f.position]) if isinstance(f, Token) else f for name, f in facts.items()}
    return fill(sections(slug, case.lang)[section], {}, {**of_weights(case.weights, case.lang), **shown})


def choices_of(case: Case, slug: str, question: Question) -> list[str]:
    text = sections(slug, case.lang)
    return [
        code(case.labels[c.label.position])
        if isinstance(c.label, Token)
        else text[c.label.section]
        if isinstance(c.label, Words)
        else c.label
        for c in question.choices
    ]


@dataclass(frozen=True)
class Shown:
    """The quiz on a page: what is asked, and what is said of the answer."""

    question: str
    right: list[str]
    wrong: list[str]


def quiz_on(page: Page) -> Shown:
    (text,) = page.of("markdown", box="quiz")
    return Shown(text, page.of("success", box="quiz"), page.of("warning", box="quiz"))


def widget(at: Visit, kind: str):
    """The one widget by which the question is answered."""
    found = {
        "choice": [w for w in at.radio if (w.key or "").startswith("quiz_")],
        "number": [w for w in at.number_input if (w.key or "").startswith("quiz_")],
        "cell": [w for w in at.button if (w.key or "").startswith("quiz_") and w.key.endswith("_click")],
        "rank": [w for w in at.multiselect if (w.key or "").startswith("quiz_")],
        "draw": [w for w in at.button if (w.key or "").startswith("quiz_") and w.key.endswith("_done")],
    }
    assert [name for name, widgets in found.items() if widgets] == [kind]
    (one,) = found[kind]
    return one


def button(at: Visit, end: str):
    (found,) = [w for w in at.button if (w.key or "").startswith("quiz_") and w.key.endswith(end)]
    return found


def on(at: Visit, number: int) -> Visit:
    """Go on to the question of that number."""
    for _ in range(number):
        at.button(key="question_after").click()
        at.run()
    return at


def answers(case: Case, question: Question) -> dict[bool, object]:
    """A right and a wrong answer of the question's kind."""
    if question.kind == "choice":
        return {right: next(i for i, c in enumerate(question.choices) if c.right == right) for right in (True, False)}
    if question.kind == "number":
        return {True: question.number, False: question.number + 3 + 10 * question.tolerance}
    if question.kind == "rank":
        order = tuple(sorted(range(len(question.items)), key=lambda i: -question.truth[i]))
        return {True: order, False: order[::-1]}
    if question.kind == "draw":
        (flat,) = [share for name, share in question.slips if name == "flat"]
        return {True: tuple(5 * round(20 * share) for share in question.truth), False: tuple(25 for _ in flat)}
    target = question.target
    head = target.head if target.head is not None else None
    right = Cell(target.tensor, target.rows[0], target.columns[0], head)
    return {True: right, False: Cell("ids", 0, 0)}


def give(at: Visit, question: Question, answer: object, way: str = "click") -> Visit:
    if question.kind == "choice":
        widget(at, "choice").set_value(answer)
        return at.run()
    if question.kind == "number":
        widget(at, "number").set_value(float(answer))
        return at.run()
    if question.kind == "rank":
        widget(at, "rank").set_value(list(answer))
        return at.run()
    if question.kind == "draw":
        sliders = sorted((w for w in at.slider if (w.key or "").startswith("quiz_")), key=lambda w: w.key)
        for slider, value in zip(sliders, answer, strict=True):
            slider.set_value(value)
        widget(at, "draw").click()
        return at.run()
    if way == "click" or question.covers:  # what is covered cannot be chosen, it can only be clicked
        button(at, "_click").click()
        at.run()
        return at.ask({"cell": address_of(answer)})
    at.ask({"cell": address_of(answer), "way": "source"})
    button(at, "_chosen").click()
    return at.run()


def assert_asks(page: Page, slug: str, case: Case, number: int) -> Question:
    expected = asked(slug, case)
    question = expected[number]
    heading = label("question_of", case.lang, number=number + 1, count=len(expected))
    shown = quiz_on(page)
    asks = [filled(case, slug, f"ask_{question.name}", question.facts)]
    if question.edit:
        asks.insert(0, filled(case, SHARED, f"set_{question.edit.tensor}", question.set_by_hand))
    assert shown.question == f"**{heading}** · " + "\n\n".join(asks)
    one = widget(page.at, question.kind)
    if question.kind == "choice":
        assert list(one.options) == choices_of(case, slug, question)
    keys = {button.key for button in page.at.button}
    assert ("question_before" in keys) == (number > 0)
    assert ("question_after" in keys) == (number + 1 < len(expected))
    return question


def assert_judged(page: Page, slug: str, case: Case, question: Question, answer: object) -> None:
    verdict = grade(question, answer)
    said = label("right" if verdict.right else "wrong", case.lang)
    text = f"**{said}** {filled(case, slug, verdict.section, verdict.facts)}"
    shown = quiz_on(page)
    assert (shown.right, shown.wrong) == (([text], []) if verdict.right else ([], [text]))
    (look_at,) = [body for body in page.html("quiz") if "class='look'><" in body or "data-cell" in body]
    if question.edit:
        place = address_of(Cell(question.edit.tensor, question.edit.row, question.edit.column, question.edit.head))
        assert re.search(rf"edit={re.escape(place)}%3A[^&']+[^>]*data-act='set_by_hand'", look_at)
    else:
        assert f"data-cell='{address_of(question.look)}'" in look_at


# Asking and judging.


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("slug", WALK)
def test_every_question_of_a_step_is_asked_and_every_kind_of_answer_judged(slug, setting):
    lang = LANGUAGES[(WALK.index(slug) + list(SETTINGS).index(setting)) % 2]
    case = Case.of(lang, **SETTINGS[setting])
    at = enter(slug, lang=lang, **SETTINGS[setting]).at
    for number in range(len(asked(slug, case))):
        page = look(at, slug, lang)
        question = assert_asks(page, slug, case, number)
        assert (quiz_on(page).right, quiz_on(page).wrong) == ([], [])
        assert not any("data-cell" in body for body in page.html("quiz"))
        assert_nothing_gives_it_away(at, question)
        for is_right in (False, True) if setting == "a first visit" else (number % 2 == 0,):
            answer = answers(case, question)[is_right]
            give(at, question, answer, "button" if is_right else "click")
            assert_judged(look(at, slug, lang), slug, case, question, answer)
            assert grade(question, answer).right == is_right
        if number + 1 < len(asked(slug, case)):
            on(at, 1)


def assert_nothing_gives_it_away(at: Visit, question: Question) -> None:
    """Before any answer."""
    one = widget(at, question.kind)
    if question.kind in ("choice", "number"):
        assert one.value is None
    elif question.kind == "rank":
        assert one.value == []
    elif question.kind == "draw":
        assert {slider.value for slider in at.slider if (slider.key or "").startswith("quiz_")} == {25}
    else:
        assert address_of(question.look) not in one.label
        assert f"[{question.look.row}, {question.look.column}]" not in one.label


def test_the_overview_asks_one_question():
    case = Case.of("en")
    question = assert_asks(look(enter(OVERVIEW).at, OVERVIEW), OVERVIEW, case, 0)
    assert (question.name, len(asked(OVERVIEW, case))) == ("looks", 1)


@each("slug", ["projections", "scores", "softmax"])  # which ask for answers of every kind
def test_one_can_go_on_and_back_and_answers_stay(slug):
    case = Case.of("en")
    expected = asked(slug, case)
    at = enter(slug).at
    assert slug != "scores" or {question.kind for question in expected} >= {"choice", "number", "cell", "rank"}
    given = {}
    for number, question in enumerate(expected):
        on(at, int(number > 0))
        given[number] = answers(case, question)[number % 2 == 0]
        give(at, question, given[number])
    for number in reversed(range(len(expected))):
        page = look(at, slug)
        question = assert_asks(page, slug, case, number)
        assert_judged(page, slug, case, question, given[number])
        if question.kind in ("choice", "number"):
            assert widget(at, question.kind).value == pytest.approx(given[number])
        if question.kind == "rank":
            assert widget(at, "rank").value == list(given[number])
        if number:
            at.button(key="question_before").click()
            at.run()


def test_a_question_and_its_answer_are_there_again_after_a_walk_and_in_another_language():
    typed = "the dog saw the cat because it was late"  # which another language leaves alone
    at, case = enter("scaling", sentence=typed).at, Case.of("en", sentence=typed)
    question = asked("scaling", case)[0]
    assert question.kind == "choice"
    wrong = answers(case, question)[False]
    give(at, question, wrong)
    go(at, "heads")
    assert quiz_on(look(at, "heads")).wrong == []
    page = go(at, "scaling")
    assert_judged(page, "scaling", case, question, wrong)
    assert widget(at, "choice").value == wrong
    at.speak("zh")
    page, chinese = look(at.run(), "scaling", "zh"), Case.of("zh", sentence=typed, query=str(case.query))
    assert_judged(page, "scaling", chinese, question, wrong)


def test_other_numbers_are_another_question_and_the_old_answer_comes_back_with_the_old_numbers():
    at, case = enter("scores").at, Case.of("en")
    question = asked("scores", case)[0]
    right = answers(case, question)[True]
    give(at, question, right)
    at.selectbox(key="query").set_value(3)
    at.run()
    other = Case.of("en", query="3", seed="0")
    page = look(at, "scores")
    now = assert_asks(page, "scores", other, 0)
    if now != question:
        assert (quiz_on(page).right, quiz_on(page).wrong) == ([], [])
    at.selectbox(key="query").set_value(8)
    assert_judged(look(at.run(), "scores"), "scores", case, question, right)


def test_another_sentence_is_another_question_though_it_has_the_same_name():
    at, case, sentence = enter("scores").at, Case.of("en"), "one two three four"
    question = asked("scores", case)[0]
    give(at, question, answers(case, question)[True])
    at.text_area(key="sentence").set_value(sentence)
    page = look(at.run(), "scores")
    now = assert_asks(page, "scores", Case.of("en", sentence=sentence, query=at.query_params["query"]), 0)
    assert (now.name, now == question) == (question.name, False)
    assert (quiz_on(page).right, quiz_on(page).wrong) == ([], [])


# Cells.


def cell_question(slug: str, **address: str) -> tuple[Visit, Case, Question]:
    """A visit at the first question of a page that asks for a click."""
    case = Case.of("en", **address)
    expected = asked(slug, case)
    number = next(i for i, question in enumerate(expected) if question.kind == "cell")
    return on(enter(slug, **address).at, number), case, expected[number]


CELLS = [("scores", {}), ("projections", {})]


@pytest.mark.parametrize(("slug", "address"), CELLS)
def test_a_click_on_a_figure_answers(slug, address):
    """Once the reader has said so: the row that is followed stays, and so does the question."""
    at, case, question = cell_question(slug, **address)
    right = answers(case, question)[True]
    button(at, "_click").click()
    at.run()
    at.ask({"cell": address_of(right)})
    page = look(at, slug)
    assert_judged(page, slug, case, question, right)
    assert f"[{right.row}, {right.column}]" in page.html()[0]
    assert at.query_params["query"] == str(case.query)


@pytest.mark.parametrize(("slug", "address"), CELLS[:2])
def test_a_click_out_of_curiosity_is_never_judged(slug, address):
    """Not before the reader chose to answer by a click, nor after he thought better of it, nor twice."""
    at, case, question = cell_question(slug, **address)
    right, wrong = answers(case, question)[True], Cell("b_k", 0, 0)  # which is in no row that could be followed
    for look_around in (0, 2):
        for _ in range(look_around):
            button(at, "_click").click()
            at.run()
        at.ask({"cell": address_of(wrong)})
        assert (quiz_on(look(at, slug)).right, quiz_on(look(at, slug)).wrong) == ([], [])
    button(at, "_click").click()
    at.run()
    at.ask({"cell": address_of(right)})
    at.ask({"cell": address_of(wrong)})
    assert quiz_on(look(at, slug)).right != []


@pytest.mark.parametrize(("slug", "address"), CELLS[1:])
def test_a_factor_a_step_or_a_choice_is_no_answer_until_it_is_given(slug, address):
    at, case, question = cell_question(slug, **address)
    target = question.target
    at.ask({"cell": address_of(answers(case, question)[True]), "way": "source"})
    at.ask({"step": [1, 0]})
    at.selectbox(key="ask_row").set_value(target.rows[0])
    at.run()
    assert (quiz_on(look(at, slug)).right, quiz_on(look(at, slug)).wrong) == ([], [])
    at.selectbox(key="ask_tensor").set_value(target.tensor)
    at.run()
    at.selectbox(key="ask_row").set_value(target.rows[0])
    at.run()
    at.selectbox(key="ask_column").set_value(target.columns[0])
    at.run()
    button(at, "_chosen").click()
    page = look(at.run(), slug)
    assert_judged(page, slug, case, question, Cell(target.tensor, target.rows[0], target.columns[0], target.head))
    assert quiz_on(page).right


def test_a_click_is_an_answer_only_where_one_is_awaited():
    at, case, question = cell_question("scores")
    at.button(key="question_before").click()
    at.run()
    at.ask({"cell": address_of(answers(case, question)[True])})
    assert (quiz_on(look(at, "scores")).right, quiz_on(look(at, "scores")).wrong) == ([], [])
    on(at, 1)
    go(at, "weighted_sum")
    at.ask({"cell": address_of(answers(case, question)[True])})
    page = on(go(at, "scores").at, 0)
    assert (quiz_on(look(page, "scores")).right, quiz_on(look(page, "scores")).wrong) == ([], [])
    at.toggle(key="questions").set_value(False)
    at.run()
    at.ask({"cell": address_of(answers(case, question)[True])})
    at.toggle(key="questions").set_value(True)
    page = look(at.run(), "scores")
    assert (quiz_on(page).right, quiz_on(page).wrong) == ([], [])


def test_a_click_on_what_is_not_there_is_no_answer():
    at, _, _ = cell_question("scores")
    for cell in ("scores.99.0.0", "attn_weights.0.99.0", "scores.0.0", "x.0.0.0", "", "q.999999.0.0", "scores.0.0.7"):
        at.ask({"cell": cell})
        page = look(at, "scores")
        assert (quiz_on(page).right, quiz_on(page).wrong) == ([], []), cell
    look(at.run(), "scores")


# What a question covers stays covered until it is answered, whatever the reader looks at meanwhile.


def covers_of(at: Visit) -> list[dict]:
    return json.loads(at._pointer.json)["covers"]


def covered(question: Question) -> list[dict]:
    return [
        {
            "kind": "cover",
            "tensor": target.tensor,
            "head": target.head,
            "rows": [target.rows.start, target.rows.stop],
            "columns": [target.columns.start, target.columns.stop],
        }
        for target in question.covers
    ]


@pytest.mark.parametrize("slug", ["scores", "scaling", "softmax", "weighted_sum"])
def test_a_question_that_was_read_covers_its_numbers_on_every_face_until_it_is_answered(slug):
    case = Case.of("en", causal="1")
    at = enter(slug, causal="1", one_face=True).at
    assert covers_of(at) == []  # nobody has read a question yet
    at.turn("turn")
    number = next(i for i, question in enumerate(asked(slug, case)) if question.covers)
    on(at, number)
    question = asked(slug, case)[number]
    hidden = question.covers[0]
    secret = Cell(hidden.tensor, hidden.rows[0], hidden.columns[0], hidden.head)
    for face in ("notice", "number", "code", "compare", "turn") if slug == "softmax" else ("number", "turn"):
        at.turn(face)
        assert covers_of(at) == covered(question) != []
        at.ask({"cell": address_of(secret)})
        assert at.query_params["cell"] != address_of(secret)  # nor is it explained
    give(at, question, answers(case, question)[False], "button")
    assert covers_of(at) == []
    at.turn("notice")
    assert covers_of(at) == []
    at.ask({"cell": address_of(secret)})
    assert at.query_params["cell"] == address_of(secret)


def test_a_link_to_a_covered_number_and_what_is_made_of_it_are_not_explained_before_the_answer():
    case = Case.of("en")
    number, question = next((i, q) for i, q in enumerate(asked("softmax", case)) if q.covers)
    row = question.covers[0].rows[0]
    for cell in (Cell("attn_weights", row, 0, 0), Cell("head_outputs", row, 0, 0)):
        at = on(enter("softmax", one_face=True, face="turn", cell=address_of(cell)).at, number)
        at.turn("number")
        assert at.latex == []
        assert list(look(at, "softmax").of("markdown", box="inspector")) == [sections(SHARED, "en")["covered"]]


def test_a_and_b_are_not_shown_while_a_question_covers_what_stands_in_them():
    at = enter("softmax", one_face=True, face="turn", pin="causal=1").at
    at.turn("compare")
    page = look(at, "softmax")
    assert sections("ui", "en")["covered"] in page.of("markdown", box="compare") + page.of("markdown")
    assert page.charts_in("compare") == []


def test_the_next_question_uncovers_what_the_last_one_covered():
    case = Case.of("en")
    at = enter("scores", one_face=True, face="turn").at
    first, second = asked("scores", case)[:2]
    assert covers_of(at) == covered(first)
    on(at, 1)
    assert covers_of(at) == covered(second)


def set_by_hand() -> tuple[str, Case, int, Question]:
    """A question about a number that is set by hand for it."""
    for sentence in ("the dog saw the cat", "my own words are few", "one two three four five"):
        for seed in range(9):
            case = Case.of("en", sentence=sentence, seed=str(seed), query="1")
            for slug in ("scores", "softmax", "weighted_sum"):
                for number, question in enumerate(asked(slug, case)):
                    if question.edit:
                        return slug, case, number, question
    raise AssertionError("no such question")


def test_a_number_that_a_question_is_about_can_be_set_and_looked_at_after_the_answer():
    slug, case, number, question = set_by_hand()
    at = on(enter(slug, **case.asked, one_face=True, face="turn").at, number)
    at.ask({"act": "set_by_hand"})
    assert at.query_params["edit"] == ""  # not before the answer
    give(at, question, answers(case, question)[False], "button")
    assert at.query_params["edit"] == ""
    at.ask({"act": "set_by_hand"})
    edit = question.edit
    place = address_of(Cell(edit.tensor, edit.row, edit.column, edit.head))
    assert at.query_params["edit"].startswith(f"{place}:")
    assert float(at.query_params["edit"].rpartition(":")[2]) == edit.value
    assert (at.query_params["cell"], at.query_params["face"]) == (address_of(question.look), "number")
    page = look(at, slug)
    assert page.has("banner")
    assert not page.has("quiz")


# Switched off, changed by hand, empty.


@ON_EVERY_STEP
def test_without_questions_no_step_asks(slug):
    assert not enter(slug, questions="0").has("quiz")


@each("slug", ["scores", "heads"])
def test_the_switch_hides_every_question_and_the_address_remembers(slug):
    at = enter(slug).at
    assert look(at, slug).has("quiz")
    at.toggle(key="questions").set_value(False)
    page = look(at.run(), slug)
    assert not page.has("quiz")
    assert at.query_params["questions"] == "0"
    at.toggle(key="questions").set_value(True)
    assert look(at.run(), slug).has("quiz")


@ON_EVERY_STEP
def test_nothing_is_asked_while_a_number_is_changed_by_hand_and_words_that_changed_places_are_asked_about(slug):
    assert not enter(slug, edit="scores.0.0.0:3").has("quiz")
    page = enter(slug, edit="tokens.0.1:0")
    assert_asks(page, slug, Case.of("en", edit="tokens.0.1:0"), 0)


@ON_EVERY_STEP
def test_nothing_is_asked_about_an_empty_sentence(slug):
    assert not enter(slug, sentence=" ").has("quiz")


# Progress, and whose it is.


def solved(at: Visit, lang: str = "en") -> dict[str, int]:
    """How many of each step's questions the steps across the top say are answered rightly."""
    (top,) = [body for body in look(at, OVERVIEW, lang).html("") if "class='stepper'" in body]
    names = dict(re.findall(r"data-page='(\w+)' class='[^']*'[^>]* aria-label='([^']*)'", top))
    return {slug: int(re.search(r"\d+$|\d+(?= 题$)", name)[0]) for slug, name in names.items() if "·" in name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_overview_counts_right_answers_and_no_others(lang):
    at = start(lang=lang)
    case = Case.of(lang)
    assert solved(at, lang) == {}
    go(at, "scaling", lang)
    expected = asked("scaling", case)
    give(at, expected[0], answers(case, expected[0])[False])
    go(at, OVERVIEW, lang)
    assert solved(at, lang) == {}
    go(at, "scaling", lang)
    give(at, expected[0], answers(case, expected[0])[True])
    give(at, expected[0], answers(case, expected[0])[False])
    on(at, 1)
    give(at, expected[1], answers(case, expected[1])[True])
    go(at, OVERVIEW, lang)
    assert solved(at, lang) == {"scaling": 2}
    at.toggle(key="questions").set_value(False)
    at.run()
    assert solved(at, lang) == {}


def test_a_right_answer_counts_for_its_own_step_alone():
    case = Case.of("en")
    (number,) = [i for i, question in enumerate(asked("projections", case)) if question.name == "shape"]
    at, question = on(enter("projections").at, number), asked("projections", case)[number]
    assert question.name in {other.name for other in asked("weighted_sum", case)}
    give(at, question, answers(case, question)[True])
    go(at, OVERVIEW)
    assert solved(at) == {"projections": 1}


def test_two_visitors_share_no_answers_no_place_and_no_progress():
    mine, theirs, case = enter("scores").at, enter("scores").at, Case.of("en")
    question = asked("scores", case)[0]
    give(mine, question, answers(case, question)[True])
    on(mine, 1)
    page = look(theirs.run(), "scores")
    assert_asks(page, "scores", case, 0)
    assert (quiz_on(page).right, quiz_on(page).wrong) == ([], [])
    go(mine, OVERVIEW)
    go(theirs, OVERVIEW)
    assert solved(mine) == {"scores": 1}
    assert solved(theirs) == {}


def test_answering_draws_nothing_else_on_the_page_again():
    at, case = enter("scores").at, Case.of("en")
    question = asked("scores", case)[0]
    give(at, question, answers(case, question)[True])
    assert at.ran[-1]


# Hostile sentences.

HOSTILE = ["<script>x</script>", "[[key]] [[x]]", "`a` ``b``", "$x$ $y$", "**b** :red[y]", "&lt; <b>"]


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_no_sentence_is_markup_in_a_question_a_choice_or_a_verdict(place):
    """One text on all steps, each other one on a few: all steps put a token into their words in the same way."""
    sentence = f"qzx{HOSTILE[place]} qzx"
    first, *others = WALK if place == 0 else WALK[place % 5 :: 5]
    at = enter(first, sentence=sentence, query="0").at
    case = Case.of("en", sentence=sentence, query="0")
    for slug in (first, *others):
        if slug != first:
            go(at, slug)
        for number, question in enumerate(asked(slug, case)):
            on(at, int(number > 0))
            assert_asks(look(at, slug), slug, case, number)
            give(at, question, answers(case, question)[False])
            page = look(at, slug)
            shown = quiz_on(page)
            options = [o for element in page.elements if element.type == "radio" for o in element.proto.options]
            for told in (shown.question, *shown.right, *shown.wrong, *options):
                outside, inside = code_spans(told)
                assert "qzx" not in outside
                assert [span for span in inside if span not in case.labels and "qzx" in span] == []


def test_targets_of_these_tests_are_what_they_seem():
    for slug, address in CELLS:
        _, _, question = cell_question(slug, **address)
        assert isinstance(question.target, Target)
    assert set(WALKED) - {OVERVIEW} == set(WALK)
