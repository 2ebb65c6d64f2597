"""Asking numbers where they come from, in a real browser: clicks, touch, keyboard; questions; holding and changing."""

import re
from io import BytesIO
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
from conftest import Opener, explained, found_by_axe, settle, until
from moving import lead, put_on
from pictures import numbers, panels, place_of, same, settings_of
from PIL import Image
from playwright.sync_api import Page

from pages.ui.figures.colors import DARK

SMALL = {"sentence": "the dog saw the cat", "d_model": "8", "num_heads": "2", "head": "1", "query": "3"}


def cell_of(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)["cell"][0]


def asked(page: Page) -> str:
    """What the inspector says it explains."""
    return page.locator(".trail b").inner_text()


def test_one_can_ask_down_to_the_typed_word_and_go_back_and_the_address_knows_where_one_is(visit: Opener) -> None:
    page = visit(f"/heads?{urlencode(SMALL)}")
    ask_down_and_go_back(page)
    lead(page, f"/scores?{urlencode(SMALL | {'cell': ''})}")
    ask_once_and_press_back(page)


def ask_down_and_go_back(page: Page) -> None:
    seen = [asked(page)]
    while page.locator(".terms .ask").count():
        page.locator(".terms .ask").first.click()
        explained(page, other_than=seen[-1])
        seen.append(asked(page))
    tensors = [name.split("[")[0] for name in seen]
    assert tensors[:3] == ["output", "joined", "head_outputs"]
    assert tensors[-4:] == ["x", "embeddings", "one_hot", "ids"]
    assert page.locator(".trail .ask").all_inner_texts() == seen[:-1]
    page.locator(".trail .ask").nth(2).click()
    explained(page, seen[2])
    assert page.locator(".trail .ask").all_inner_texts() == seen[:2]


def ask_once_and_press_back(page: Page) -> None:
    """Asking draws no figure again, and is told in the address, from which the browser's button leads back."""
    shown = "document.querySelector('.stage-canvas').dataset.shown"
    before, at_first = page.evaluate(shown), asked(page)
    page.locator(".terms .ask").first.click()
    explained(page, "q[3, 0]")
    until(page, "() => new URL(location.href).searchParams.get('cell') === 'q.3.0.1'")
    settle(page)
    assert page.evaluate(shown) == before
    page.go_back()
    explained(page, at_first)


def test_the_keyboard_alone_asks_walks_and_answers(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL | {'cell': 'scores.1.2.1'})}")
    assert asked(page) == "scores[1, 2]"  # as a friend's link says
    page.locator(".st-key-choose label").click()
    page.locator(".st-key-inspector_steps button").last.wait_for()
    settle(page)
    button = page.locator(".st-key-inspector_steps button").last
    button.focus()
    for key, place in (("Enter", "1, 3"), ("ArrowDown", "2, 3"), ("ArrowLeft", "2, 2"), ("ArrowUp", "1, 2")):
        page.keyboard.press(key)
        explained(page, f"scores[{place}]")
    page.locator(".terms .ask").first.press("Enter")
    explained(page, "q[1, 0]")
    until(page, "() => document.activeElement.closest('.st-key-inspector')")  # the keyboard stays near
    page.get_by_label("Tensor", exact=True).focus()
    page.keyboard.type("exp_sums")
    page.keyboard.press("Enter")
    explained(page, "exp_sums[1, 0]")


def test_questions_are_answered_by_keyboard_by_a_click_by_order_and_by_drawing(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL | {'face': 'turn', 'd_model': '16'})}")
    answer_by_keyboard(page)
    lead(page, f"/scores?{urlencode(SMALL | {'face': 'turn', 'cell': ''})}")
    answer_with_a_click(page)
    long = {"sentence": "the dog saw a red cat", "face": "turn", "query": "3", "cell": ""}
    lead(page, f"/scores?{urlencode(long | {'d_model': '16', 'num_heads': '2'})}")
    put_keys_in_order(page)
    lead(page, f"/softmax?{urlencode(long)}")
    draw_a_row(page)


def next_question(page: Page) -> None:
    before = page.locator(".st-key-quiz").inner_text()
    page.get_by_role("button", name="next question").click()
    until(page, "before => document.querySelector('.st-key-quiz')?.innerText !== before", arg=before)
    settle(page)


def answer_by_keyboard(page: Page) -> None:
    """A covered cell is aimed at with the arrow keys, which tells nothing of it, and given as the answer."""
    card = page.locator(".st-key-quiz")
    card.get_by_role("button", name="Answer with my next click").press("Enter")
    card.get_by_role("button", name="Only look around").wait_for()
    settle(page)
    marks = page.evaluate("[...document.querySelector('.stage-canvas').stage.secrets().at(-1)]")
    (row,) = {at // 5 for at, mark in enumerate(marks) if mark}
    page.locator(".stage-canvas").focus()
    address, seen = page.url, page.locator(".stage-box [role=status]")
    page.keyboard.press("ArrowUp")
    aim = "document.querySelector('.stage-canvas').stage.aim.row"
    while (now := page.evaluate(aim)) != row:
        page.keyboard.press("ArrowUp" if now > row else "ArrowDown")
    assert page.url == address  # aiming asks nothing and tells nothing
    assert seen.inner_text().endswith("?")
    page.keyboard.press("Enter")
    page.locator(".st-key-inspector [data-testid=stAlert]").wait_for()
    assert cell_of(page).startswith(f"scores.{row}.")


def answer_with_a_click(page: Page) -> None:
    """A question waits for a click where its reader says so, and the verdict is where the reader looks then."""
    card = page.locator(".st-key-quiz")
    while "Click" not in card.inner_text():
        next_question(page)
    card.get_by_role("button", name="Answer with my next click").click()
    card.get_by_role("button", name="Only look around").wait_for()
    settle(page)
    assert card.get_by_test_id("stAlert").count() == 0
    marks = page.evaluate("[...document.querySelector('.stage-canvas').stage.secrets().at(-1)]")
    (row,) = {at // 5 for at, mark in enumerate(marks) if mark}  # the covered row
    table = panels(page)[-1]
    lowest = int(table.numbers[row].argmin())
    page.mouse.click(*place_of(page, table, row, lowest))
    explained(page, f"scores[{row}, {lowest}]")
    assert cell_of(page) == f"scores.{row}.{lowest}.1"
    said = page.locator(".st-key-inspector").get_by_test_id("stAlert")
    assert "Not quite" in said.inner_text()
    verdict = said.inner_text()
    page.get_by_role("radio", name="Your turn").click()
    card.get_by_test_id("stAlert").wait_for()
    assert card.get_by_test_id("stAlert").inner_text() == verdict
    wanted = card.locator(".look .ask").inner_text()
    card.locator(".look .ask").click()
    explained(page, wanted)


def put_keys_in_order(page: Page) -> None:
    quiz = page.locator(".st-key-quiz")
    while not quiz.get_by_role("combobox").count():
        next_question(page)
    quiz.get_by_role("combobox").click()
    for _ in range(4):
        page.get_by_role("option").first.click()
    quiz.locator("[data-testid=stAlert]").wait_for()
    assert re.search(r"(Right|Not quite)", quiz.inner_text())


def draw_a_row(page: Page) -> None:
    while not page.get_by_role("button", name="Show me").count():
        next_question(page)
    for _ in range(3):
        page.locator(".st-key-quiz [role=slider], .st-key-quiz input[type=range]").first.press("ArrowRight")
    settle(page)
    page.get_by_role("button", name="Show me").click()
    page.locator(".pairs").wait_for()
    assert page.locator(".pair .track").count() == 4


# Whether the middle of what a selector finds is there to be seen, and to be clicked.
IS_SEEN = """selector => {
  const found = document.querySelector(selector), box = found?.getBoundingClientRect();
  return Boolean(box && found.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)));
}"""


def has_shade(page: Page) -> bool:
    """Whether the lower edge of the explanation is shaded, right of all that it says."""
    box = page.locator(".st-key-inspector").bounding_box()
    assert box is not None
    edge = {"x": box["x"] + box["width"] - 2, "y": box["y"] + box["height"] - 4, "width": 1, "height": 3}
    seen = np.asarray(Image.open(BytesIO(page.screenshot(clip=edge))).convert("L"))
    return bool(seen.min() < 250)


def test_what_is_longer_comes_when_one_is_near_a_number_is_set_by_hand_and_two_settings_are_compared(
    visit: Opener,
) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}", size=(1280, 720))
    assert page.locator(".st-key-more").inner_text() == ""
    set_a_number_and_undo(page)
    come_near_to_what_is_longer(page)
    lead(page, f"/softmax?{urlencode(SMALL | {'cell': ''})}")
    hold_change_compare_and_go_back(page)


def come_near_to_what_is_longer(page: Page) -> None:
    page.locator("a.down").click()
    page.get_by_text("Why a dot product?").wait_for()
    settle(page)
    assert page.locator(".st-key-more .katex").count() > 0


def hold_change_compare_and_go_back(page: Page) -> None:
    page.locator(".stage-bar .freeze").click()
    page.locator(".st-key-compare .stage-canvas").wait_for()
    page.get_by_text("Causal mask", exact=True).click()
    page.locator(".st-key-compare").get_by_text("causal mask: off").wait_for()
    settle(page)
    assert parse_qs(urlsplit(page.url).query)["pin"] == ["causal=0"]  # so that a friend sees both
    counted = page.locator(".st-key-compare p").all_inner_texts()
    assert any(re.search(r"\d+ of 25 numbers differ", text) for text in counted)
    page.locator(".st-key-back_to_a button").click()
    until(page, "() => new URL(location.href).searchParams.get('causal') === '0'")
    assert parse_qs(urlsplit(page.url).query, keep_blank_values=True)["pin"] == [""]


def set_a_number_and_undo(page: Page) -> None:
    first = numbers(page)
    explained_at_first = asked(page)
    page.locator(".stage-bar .set").click()
    until(page, IS_SEEN, arg=".st-key-ask_value input")
    settle(page)
    scroll = "to => document.querySelector('.st-key-inspector').scrollTo(0, to)"
    for to, shaded in ((0, True), (9999, False)):  # there is more below, or there is not
        page.evaluate(scroll, to)
        assert has_shade(page) == shaded
    page.locator(".st-key-ask_value input").fill("-37.5")
    page.keyboard.press("Enter")
    page.locator(".st-key-banner").wait_for()
    settle(page)
    assert not same(numbers(page), first)
    assert "−37.50" in page.locator(".st-key-banner").inner_text()
    assert asked(page) == explained_at_first  # though another score is the largest now
    page.locator(".st-key-undo button").click()
    until(page, "() => new URL(location.href).searchParams.get('edit') === ''")
    settle(page)
    assert page.locator(".st-key-banner").count() == 0
    assert same(numbers(page), first)


def test_axe_finds_nothing_in_answers_comparisons_and_edits(visit: Opener) -> None:
    plain = SMALL | {"pin": "", "edit": "", "present": "0"}
    compares = f"/softmax?{urlencode(SMALL | {'pin': 'causal=1', 'edit': 'scores.1.1.1:3', 'face': 'compare'})}"
    presents = f"/scores?{urlencode(plain | {'present': '1', 'face': 'number'})}"
    answers = f"/scores?{urlencode(plain | {'face': 'turn'})}"
    notices = f"/weighted_sum?{urlencode(plain | {'face': 'notice'})}"
    page, wrong = visit(compares), {}
    for scheme in ("light", "dark"):
        put_on(page, scheme)
        for path, seen in (
            (compares, ".st-key-compare .stage-canvas"),
            (presents, ".present .stage-canvas"),
            (answers, ".st-key-quiz [data-testid=stAlert]"),
            (notices, ".st-key-face_notice"),
        ):
            lead(page, path)
            if path == answers and scheme == "light":  # in the dark it has been answered
                page.get_by_label("Your number").fill("99")
                page.keyboard.press("Enter")
            page.locator(seen).wait_for()
            settle(page)
            if path == notices:
                page.locator(".stage-bar .tables").click()
            if scheme == "light":
                wrong[seen] = found_by_axe(page, whole=path in (compares, presents))
            else:  # the same in other colours
                assert page.evaluate("document.querySelector('.stage-canvas').stage.theme.paper") == DARK.paper
                wrong[seen, scheme] = found_by_axe(page, whole=False, contrast=True)
        page.keyboard.press("Escape")  # the tables are closed
    assert {state: found for state, found in wrong.items() if found} == {}


COVERED = """() => {
  const stage = document.querySelector('.stage-canvas').stage, marks = stage.secrets();
  const count = i => marks?.[i] ? marks[i].reduce((a, b) => a + b, 0) : 0;
  return stage.scene.panels.map((panel, i) => [panel.view.tensor, count(i)]);
}"""


def test_what_a_question_asks_about_is_covered_until_it_is_answered_whatever_face_is_turned(visit: Opener) -> None:
    page = visit("/softmax?lang=en&sentence=the+dog+saw+the+cat&face=turn&query=3")
    answer_what_is_covered(page)
    lead(page, "/scores?causal=1&face=number&cell=")
    turn_faces(page)


def answer_what_is_covered(page: Page) -> None:
    """Neither the picture nor its play, its tip, a click or its tables tell what a question covers."""
    covered: dict[str, int] = dict(page.evaluate(COVERED))
    assert covered == {"scaled_scores": 0, "masked_scores": 0, "exponentials": 5, "exp_sums": 1, "attn_weights": 5}
    (row,) = {
        at // 5
        for at, mark in enumerate(page.evaluate("[...document.querySelector('.stage-canvas').stage.secrets()[4]]"))
        if mark
    }
    assert page.locator(".stage-bar .play").is_disabled()  # nor is anything told by the play
    page.evaluate("document.querySelector('.stage-canvas').stage.player.stepBy(1)")
    assert "Covered" in page.locator(".stage-words").inner_text()
    assert page.evaluate("document.querySelector('.stage-canvas').stage.player.state()") is None
    weights = panels(page)[-1]
    numbers_of_row = {f"{abs(value):.4f}" for value in weights.numbers[row]}
    page.mouse.move(*place_of(page, weights, row, 2))
    tip = page.locator(".stage-tip").inner_text()
    assert "?" in tip
    assert "Covered" in tip
    assert not any(number in tip for number in numbers_of_row)
    address = page.url
    page.mouse.click(*place_of(page, weights, row, 2))
    settle(page)
    assert page.url == address  # nothing is explained
    page.locator(".stage-bar .tables").click()
    for table, width in ((2, 5), (3, 1), (4, 5)):
        line = page.locator(".stage-table").nth(table).locator("tbody tr").nth(row)
        assert line.locator("td").all_inner_texts() == ["?"] * width
    page.keyboard.press("Escape")
    page.locator(".st-key-quiz [role=radiogroup] label").first.click()
    page.locator(".st-key-quiz [data-testid=stAlert]").wait_for()
    settle(page)
    assert {count for _, count in page.evaluate(COVERED)} == {0}
    assert "Covered" not in page.locator(".stage-words").inner_text()
    lit = page.evaluate("document.querySelector('.stage-canvas').stage.frames.find(f => f.kind === 'cell')")
    assert (lit["tensor"], lit["rows"]) == ("attn_weights", [row, row + 1])  # what shows why


def turn_faces(page: Page) -> None:
    for slug in ("scores", "scaling", "softmax", "weighted_sum"):
        if slug != "scores":
            page.locator(f".stepper a[data-page={slug}]").click()
            page.wait_for_url(re.compile(f"/{slug}\\?"))
            settle(page)
            assert settings_of(page)["face"] == "notice"  # as it was turned on the page before
        assert {count for _, count in page.evaluate(COVERED)} == {0}
        page.get_by_role("radio", name="Your turn").click()
        page.locator(".st-key-quiz").wait_for()
        settle(page)
        while not any(count for _, count in page.evaluate(COVERED)):
            next_question(page)
        covered = page.evaluate(COVERED)
        page.get_by_role("radio", name="Notice").click()
        page.locator(".st-key-face_notice").wait_for()
        settle(page)
        assert page.evaluate(COVERED) == covered
        for i, panel in enumerate(panels(page)):
            marks = page.evaluate(f"[...(document.querySelector('.stage-canvas').stage.secrets()[{i}] ?? [])]")
            for at in [at for at, mark in enumerate(marks) if mark][:2]:
                place = divmod(at, panel.numbers.shape[1])
                page.mouse.move(*place_of(page, panel, *place))
                tip = page.locator(".stage-tip").inner_text()
                assert "Covered" in tip
                assert f"{abs(panel.numbers[place]):.3f}"[:4] not in tip
        page.mouse.move(2, 2)


def test_what_one_did_ticks_what_one_can_do_and_stays_in_the_browser(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    ticked = ".can li.done"
    assert page.locator(ticked).count() == 0
    page.mouse.click(*place_of(page, panels(page)[-1], 3, 1))
    until(page, "() => document.querySelectorAll('.can li.done').length === 1")
    assert page.locator(ticked).get_attribute("data-did") == "ask"
    page.evaluate("document.querySelector('.stage-canvas').stage.player.end()")
    until(page, "() => document.querySelectorAll('.can li.done').length === 2")
    page.reload()
    settle(page)
    assert page.locator(ticked).count() == 2
    assert page.locator(".stepper a[data-page=scores]").get_attribute("data-deeds") == "2"
    assert page.locator(".stepper a[data-page=softmax]").get_attribute("data-deeds") == "0"
    page.get_by_role("button", name="Start over").click()
    assert page.locator(ticked).count() == 0
    assert page.evaluate("localStorage.getItem('attention.deeds')") == "{}"
