"""The default page in a real browser: a layer that learns while somebody watches, and the labs."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from conftest import settle
from pictures import numbers, panels, same
from playwright.sync_api import Page
from serving import serve

from pages.ui.state.examples import EXAMPLES
from pages.ui.words.labels import label

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_pretrained import tiny

Opener = Callable[..., Page]


def story(page: Page) -> str:
    if page.locator(".st-key-more").count():  # it is drawn when one comes near
        page.locator(".st-key-more").scroll_into_view_if_needed()
        page.mouse.move(700, 500)
        page.mouse.wheel(0, 3000)
        page.locator(".st-key-story").wait_for()
        settle(page)
    return page.locator(".st-key-story").inner_text()


def test_a_first_visit_to_a_cold_server_watches_the_layer_learn(visit: Opener) -> None:
    with serve(idle=True) as fresh:
        page = visit("/softmax?sentence=&lang=en", base=fresh)  # the browser is warm, the layer is not
        assert page.get_by_test_id("stDialog").count() == 0
        assert "Attention, step by step" in page.title()
        page.goto(f"{fresh}/softmax?lang=en")
        page.locator(".learning b").wait_for(timeout=30_000)
        page.locator(".stage-canvas[data-version]").wait_for()
        assert re.fullmatch(r"learning · step \d+ of 260", page.locator(".learning b").inner_text())
        early, place = numbers(page), page.locator(".st-key-stage").bounding_box()
        page.locator(".st-key-face button").first.click()  # the page works while its layer learns
        page.locator(".st-key-face_notice").wait_for()
        page.wait_for_function(
            "() => /step [1-9]\\d+ of 260/.test(document.querySelector('.learning b')?.innerText ?? 'step 260 of 260')"
        )
        settle(page)
        assert not same(numbers(page), early)
        assert page.locator(".st-key-stage").bounding_box() == place  # and nothing has moved for it
        assert page.locator(".st-key-training").count() == 0
        address = dict(parse_qsl(urlsplit(page.url).query))  # what the reader chose is as it was
        kept = [address[name] for name in ("sentence", "d_model", "positions")]
        assert kept == [EXAMPLES["en"][0].sentence, "32", "1"]
        assert re.search(r"step 260 of 260.* answers \d[\d.]* % of the words correctly", story(page))
        assert "princess" in story(page)
        second = visit("/softmax?lang=en", base=fresh, alone=True, first=True)
        assert story(second) == story(page)
        assert same(numbers(second), numbers(page))
        page.close()
        second.close()


def test_the_scrubber_leads_back_to_noise_and_every_page_follows(visit: Opener) -> None:
    page = visit("/scores?lang=en", first=True)
    learned = numbers(page)
    assert panels(page)[-1].place["writing"]["size"] >= 9  # a first visit can read every score
    slider = page.locator(".st-key-checkpoint input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => new URL(location.href).searchParams.get('checkpoint') === '0'")
    settle(page)
    assert "step 0 of 260" in story(page)
    assert not same(numbers(page), learned)
    page.locator(".ways a[data-page]").last.click()
    page.wait_for_url(re.compile("/scaling"))
    settle(page)
    assert "step 0 of 260" in story(page)


def test_random_weights_can_be_had_at_once_and_learned_ones_again(visit: Opener) -> None:
    page = visit("/softmax?lang=en&d_model=512&num_heads=8&weights=random")
    page.get_by_test_id("stSidebar").get_by_role("radio", name="learned", exact=True).click()
    page.locator(".learning b").wait_for()
    page.get_by_test_id("stSidebar").get_by_role("radio", name="random", exact=True).click()
    page.wait_for_function("() => new URL(location.href).searchParams.get('weights') === 'random'")
    settle(page)
    assert page.locator(".st-key-story").count() == 0
    assert len(panels(page)) >= 4


def test_sizes_are_trained_one_by_one_and_can_be_stopped(visit: Opener) -> None:
    page = visit("/size?lang=en&questions=0", first=True)
    page.get_by_role("button", name=label("begin", "en")).click()
    page.get_by_text(re.compile(r"^[1-9]\d* of 38 done; now d_model")).first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    settle(page)
    assert len(panels(page)) == 2
    assert page.get_by_text(re.compile(r"^[1-9]\d* of 38 done$")).count() == 1


def test_word_vectors_are_learned_and_read_back(visit: Opener) -> None:
    page = visit("/vectors?lang=en&questions=0&face=notice&experiment=1", first=True)
    near = page.locator("table").inner_text().split()
    assert {"cat", "tiger", "rabbit", "horse", "cow", "pig"} & set(near)
    page.get_by_role("radio", name="between two words").click()
    page.locator(".st-key-mix").wait_for()
    settle(page)
    slider = page.locator("[data-testid=stMain] [role=slider], [data-testid=stMain] input[type=range]").first
    for key, word in (("Home", "dog"), ("End", "kitchen")):
        slider.focus()
        page.keyboard.press(key)
        page.get_by_text(re.compile(rf"that is {word}")).wait_for()
    page.get_by_role("radio", name="the game").click()
    page.get_by_role("radio", name="skip-gram").click()
    page.get_by_text("turns the game round").wait_for()
    settle(page)


def test_a_model_that_is_not_there_is_told_in_one_sentence(visit: Opener) -> None:
    page = visit(f"/real?{urlencode({'lang': 'en', 'model': '/no/such folder'})}", first=True)
    page.get_by_test_id("stSidebar").get_by_role("radio", name="real", exact=True).click()
    page.get_by_text("There is no model").wait_for(timeout=60_000)
    name = page.get_by_label(label("model", "en"))
    name.fill("no such name either")
    name.press("Enter")
    page.get_by_test_id("stAlert").get_by_text("no such name either").first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Back to learned parameters").click()
    page.locator(".st-key-take_weights").wait_for(timeout=30_000)  # the offer to open one
    settle(page)
    assert page.get_by_test_id("stException").count() == 0


SHOWN = {"face": "notice", "questions": "0"}
TILES = """() => {
  const chart = document.querySelector('.js-plotly-plot');
  chart.scrollIntoView({block: 'center'});
  const {xaxis, yaxis} = chart._fullLayout, at = chart.getBoundingClientRect();
  return [at.left + xaxis._offset, at.top + yaxis._offset, xaxis._length, yaxis._length];
}"""


@pytest.mark.parametrize(("kind", "size"), [("bert", (1440, 1000)), ("gpt2", (390, 844))])
def test_a_real_model_opens_cold_and_a_click_on_a_tile_takes_its_layer_and_head(
    kind: str, size: tuple[int, int], visit: Opener, tmp_path: Path
) -> None:
    folder = tiny(kind, tmp_path)  # 2 layers of 3 heads
    page = visit(
        f"/real?{urlencode({'lang': 'en', 'weights': 'real', 'model': folder} | SHOWN)}", first=True, size=size
    )
    for layer, head in ((1, 2), (0, 1), (1, 0)):
        left, top, width, height = page.evaluate(TILES)
        page.mouse.click(left + width * (head + 0.3) / 3, top + height * (layer + 0.7) / 2)
        page.wait_for_function(
            "wanted => { const query = new URL(location.href).searchParams;"
            " return query.get('layer') + query.get('head') === wanted }",
            arg=f"{layer}{head}",
        )
        settle(page)
    page.get_by_role("radio", name="This number").click()
    page.locator(".trail b").wait_for()
    assert page.locator(".trail b").inner_text().startswith("attn_weights")
    assert page.get_by_text("Causal mask", exact=True).count() == (kind == "bert")
