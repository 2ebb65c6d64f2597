"""The labs in a real browser: on one screen, a question before the answer, and controls that the address keeps."""

from conftest import Opener, settle, until
from moving import lead


def test_the_menu_of_labs_leads_to_each_lab_and_an_answer_uncovers_its_measurement_in_place(visit: Opener) -> None:
    page = visit("/scaling?lang=en")
    page.locator(".labs summary").click()
    assert page.locator(".labs section b").all_inner_texts() == ["Why", "How", "Learning", "Around it"]
    page.locator(".labs a[data-page=root]").click()
    until(page, "() => location.pathname === '/root'")
    settle(page)
    assert "√d_k" in page.locator("h1").inner_text()
    assert page.locator(".veil").count() == 1
    assert page.locator("[data-testid=stPlotlyChart]").count() == 0
    page.get_by_text("it grows fourfold", exact=True).click()
    page.wait_for_selector("[data-testid=stPlotlyChart] .infolayer text")
    settle(page)
    assert page.locator(".veil").count() == 0
    assert "variances add up" in page.locator(".st-key-face_turn").inner_text()


def test_what_a_board_measures_is_not_in_the_browser_before_the_answer_and_a_click_paints_a_mask(visit: Opener) -> None:
    page = visit("/masks?lang=en")
    numbers = "document.querySelector('.stage-canvas').stage.scene.panels.map(panel => panel.title)"
    assert page.evaluate(numbers) == ["M · masked scores", "weights"]
    hidden = page.evaluate(
        "[...document.querySelector('.stage-canvas').stage.scene.panels[1].numbers].every(value => value === 0)"
    )
    assert hidden
    page.get_by_text("Show me without guessing").click()
    until(page, "[...document.querySelector('.stage-canvas').stage.scene.panels[1].numbers].some(value => value > 0)")
    settle(page)
    lead(page, "/masks?mask=painted&face=notice&questions=0")
    chart = page.locator(".st-key-masks_paint .nsewdrag").bounding_box()
    assert chart is not None
    page.mouse.click(chart["x"] + chart["width"] * 0.5, chart["y"] + chart["height"] * 0.5)
    until(page, "() => new URL(location.href).searchParams.get('painted')")
    settle(page)
    assert "1 of" in page.locator(".st-key-face_notice").inner_text()


def test_a_term_says_what_it_means_and_leads_to_its_row_of_the_glossary_and_back(visit: Opener) -> None:
    page = visit("/softmax?lang=en&face=notice&seed=3")
    term = page.locator(".st-key-face_notice a[href^='/glossary?']", has_text="Entropy")
    assert "How spread a row of weights is" in (term.get_attribute("title") or "")
    term.click()
    page.wait_for_url("**/glossary?*")
    page.locator(".glossary tr.asked", has_text="entropy").wait_for()
    assert "seed=3" in page.url
    page.go_back()
    page.wait_for_url("**/softmax?*")
    page.goto(f"{page.url.partition('/softmax')[0]}/glossary?lang=en&weights=random#entropy")  # in a tab of its own
    page.locator(".glossary tr.asked", has_text="entropy").wait_for()
    settle(page)
