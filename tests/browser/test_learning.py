"""The default page in a real browser: a layer that learns while somebody watches, and the labs."""

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import crowd
import pytest
from apart import apart
from conftest import Opener, settle, until
from moving import lead, send
from pictures import numbers, panels, same
from playwright.sync_api import Page
from serving import serve
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages import PAGES
from pages.ui.state.examples import EXAMPLES
from pages.ui.words.labels import label

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_pretrained import tiny

HAS_TRANSFORMERS = pytest.mark.xdist_group("pretrained")  # in the process that imports transformers in any case
FIRST = {  # what a first visit shows
    "sentence": EXAMPLES["en"][0].sentence, "weights": "learned", "d_model": "32", "num_heads": "2", "positions": "1",
}  # fmt: skip


def story(page: Page) -> str:
    if page.locator(".st-key-more").count():  # it is drawn when one comes near
        page.locator(".st-key-more").scroll_into_view_if_needed()
        page.mouse.move(700, 500)
        page.mouse.wheel(0, 3000)
        page.locator(".st-key-story").wait_for()
        settle(page)
    return page.locator(".st-key-story").inner_text()


def test_a_fresh_server_bears_many_first_visitors_and_its_first_layer_learns_while_one_watches(visit: Opener) -> None:
    with serve(idle=True) as fresh:
        come_all_at_once(fresh)
        page = visit("/softmax?sentence=&lang=en", base=fresh)  # the browser is warm, the layer is not
        assert page.get_by_test_id("stDialog").count() == 0
        assert "Attention, step by step" in page.title()
        send(page, f"/softmax?{urlencode(FIRST)}")
        watch_the_layer_learn(page)
        second = visit("/", base=fresh, first=True)
        look_at_the_first_page(second)
        go_on(second, "softmax")
        assert story(second) == story(page)
        assert same(numbers(second), numbers(page))
        go_on(second, "scores")
        scrub_back_to_noise(second)
        page.close()
        second.close()


def come_all_at_once(server: str) -> None:
    """Two first visitors would find a library half imported, were it not imported before."""

    async def first(page: str) -> Sequence[ForwardMsg]:
        async with crowd.visit(server) as visitor:
            return await crowd.run(visitor, page, weights="random", d_model="8", num_heads="2", lang="en")

    async def all_at_once() -> list[Sequence[ForwardMsg]]:
        return await asyncio.gather(*(first(page) for page in ("", *PAGES[1:8], "scores", "heads")))

    pages = apart(all_at_once())
    assert all("bidi_component" in crowd.kinds(answers) for answers in pages)
    assert [kind for answers in pages for kind in crowd.kinds(answers) if kind == "exception"] == []


def watch_the_layer_learn(page: Page) -> None:
    page.locator(".learning b").wait_for(timeout=30_000)
    page.locator(".stage-canvas[data-version]").wait_for()
    assert re.fullmatch(r"learning · step \d+ of 260", page.locator(".learning b").inner_text())
    early, place = numbers(page), page.locator(".st-key-stage").bounding_box()
    page.locator(".st-key-face button").first.click()  # the page works while its layer learns
    page.locator(".st-key-face_notice").wait_for()
    until(
        page,
        "() => /step [1-9]\\d+ of 260/.test(document.querySelector('.learning b')?.innerText ?? 'step 260 of 260')",
    )
    settle(page)
    assert not same(numbers(page), early)
    assert page.locator(".st-key-stage").bounding_box() == place  # and nothing has moved for it
    assert page.locator(".st-key-training").count() == 0
    address = dict(parse_qsl(urlsplit(page.url).query))  # what the reader chose is as it was
    assert {name: address[name] for name in FIRST} == FIRST
    assert re.search(r"step 260 of 260.* answers \d[\d.]* % of the words correctly", story(page))
    assert "princess" in story(page)


def look_at_the_first_page(page: Page) -> None:
    assert page.get_by_test_id("stDialog").count() == 0
    assert len(panels(page)) >= 2
    assert "princess" in story(page)
    assert "Attention, step by step" in page.title()


def go_on(page: Page, slug: str) -> None:
    page.locator(f".stepper a[data-page={slug}]").click()
    page.wait_for_url(re.compile(f"/{slug}\\?"))
    settle(page)


def scrub_back_to_noise(page: Page) -> None:
    """The scrubber leads back to the beginning, and every page follows."""
    learned = numbers(page)
    assert panels(page)[-1].place["writing"]["size"] >= 9  # a first visit can read every score
    slider = page.locator(".st-key-checkpoint input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    until(page, "() => new URL(location.href).searchParams.get('checkpoint') === '0'")
    settle(page)
    assert "step 0 of 260" in story(page)
    assert not same(numbers(page), learned)
    page.locator(".ways a[data-page]").last.click()
    page.wait_for_url(re.compile("/scaling"))
    settle(page)
    assert "step 0 of 260" in story(page)


SHOWN = {"lang": "en", "weights": "real", "face": "notice", "questions": "0"}
TILES = """() => {
  const chart = document.querySelector('.js-plotly-plot');
  chart.scrollIntoView({block: 'center'});
  const {xaxis, yaxis} = chart._fullLayout, at = chart.getBoundingClientRect();
  return [at.left + xaxis._offset, at.top + yaxis._offset, xaxis._length, yaxis._length];
}"""


@HAS_TRANSFORMERS
def test_a_real_model_opens_cold_and_a_click_on_a_tile_takes_its_layer_and_head(visit: Opener, tmp_path: Path) -> None:
    own, other = (f"/real?{urlencode(SHOWN | {'model': tiny(kind, tmp_path / kind)})}" for kind in ("bert", "gpt2"))
    page = visit(own, first=True, size=(1440, 1000))
    for layer, head in ((1, 2), (0, 1), (1, 0)):
        click_on_a_tile(page, layer, head)
    explain_a_weight(page, can_be_masked=True)
    page.set_viewport_size({"width": 390, "height": 844})
    lead(page, f"{other}&d_model=8")
    click_on_a_tile(page, 1, 2)
    explain_a_weight(page, can_be_masked=False)


def click_on_a_tile(page: Page, layer: int, head: int) -> None:
    left, top, width, height = page.evaluate(TILES)  # 2 layers of 3 heads
    page.mouse.click(left + width * (head + 0.3) / 3, top + height * (layer + 0.7) / 2)
    until(
        page,
        "wanted => { const query = new URL(location.href).searchParams;"
        " return query.get('layer') + query.get('head') === wanted }",
        arg=f"{layer}{head}",
    )
    settle(page)


def explain_a_weight(page: Page, *, can_be_masked: bool) -> None:
    page.get_by_role("radio", name="This number").click()
    page.locator(".trail b").wait_for()
    assert page.locator(".trail b").inner_text().startswith("attn_weights")
    assert page.get_by_text("Causal mask", exact=True).count() == can_be_masked


@HAS_TRANSFORMERS
def test_what_learns_on_demand_can_be_read_and_stopped_and_done_without(visit: Opener) -> None:
    page = visit("/size?lang=en&questions=0&weights=learned&d_model=8&num_heads=2")
    train_sizes_one_by_one_and_stop(page)
    lead(page, "/vectors?face=notice&experiment=1&method=skip-gram")
    learn_word_vectors_and_read_them_back(page)
    lead(page, f"/real?{urlencode({'questions': '1', 'model': '/no/such folder'})}")
    ask_for_no_model(page)
    lead(page, "/softmax?d_model=512&num_heads=8")
    take_random_weights_at_once(page)


def ask_for_no_model(page: Page) -> None:
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


def take_random_weights_at_once(page: Page) -> None:
    """While a wide layer learns, one need not wait for it."""
    page.get_by_test_id("stSidebar").get_by_role("radio", name="learned", exact=True).click()
    page.locator(".learning b").wait_for()
    page.get_by_test_id("stSidebar").get_by_role("radio", name="random", exact=True).click()
    until(page, "() => new URL(location.href).searchParams.get('weights') === 'random'")
    settle(page)
    assert page.locator(".st-key-story").count() == 0
    assert len(panels(page)) >= 4


def train_sizes_one_by_one_and_stop(page: Page) -> None:
    page.get_by_role("button", name=label("begin", "en")).click()
    page.get_by_text(re.compile(r"^[1-9]\d* of 38 done; now d_model")).first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    settle(page)
    assert len(panels(page)) == 2
    assert page.get_by_text(re.compile(r"^[1-9]\d* of 38 done$")).count() == 1


def learn_word_vectors_and_read_them_back(page: Page) -> None:
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
    page.get_by_text("turns the game round").wait_for()
    settle(page)
