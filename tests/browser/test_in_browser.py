"""What only a real browser shows: cold addresses, sliders, links, languages, the keyboard, and two visitors at once."""

import re

from conftest import Opener, settle, until
from moving import lead
from pictures import numbers, panels, same, settings_of
from playwright.sync_api import Page

HOSTILE = (  # the rest of what a sentence can be is tried without a browser
    "", "a" * 10_000, "<script>document.title='owned'</script> a </s> b <b>bold</b> &lt;i&gt;",
    "$x$ and $$y$$ [[key]] %{z} {x} a\0b", ":red[x] :smile: `code` ``",
    "👨‍👩‍👧 👍🏽 🇨🇳 مرحبا بالعالم e\u0301 नमस्ते",
)  # fmt: skip
FOCUSED = "() => document.activeElement.closest('[data-testid]')?.dataset.testid || document.activeElement.tagName"
# Remember the toasts from now on: one is gone after a few seconds, seen or not.
TOASTS = """() => {
  window.toasts = new Set();
  const look = () => document.querySelectorAll('[data-testid=stToast]').forEach(toast => window.toasts.add(toast));
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""


def slide(page: Page, which: str, key: str) -> None:
    press(page, which, key)
    settle(page)


def press(page: Page, which: str, key: str) -> None:
    """A key on a slider, until the address has what it changes."""
    slider = page.locator(f".st-key-{which} input[type=range]")
    slider.focus()
    before = page.url
    page.keyboard.press(key)
    until(page, "before => location.href !== before", arg=before, timeout=20_000)


def test_the_slider_and_the_sentence_change_the_picture_and_back_leads_to_the_settings_before(visit: Opener) -> None:
    page = visit("/")
    for slug in ("overview", "projections", "softmax", "heads"):
        if slug != "overview":
            lead(page, f"/{slug}?d_model=8&num_heads=2&sentence=the+dog+saw+the+cat")
        change_width_and_sentence(page)
    lead(page, "/scores?d_model=8&num_heads=2&sentence=the+dog+saw+a+red+cat")
    go_back_from_another_width(page)
    lead(page, "/heads?d_model=12&num_heads=3")
    take_a_width_that_the_heads_do_not_divide(page)


def change_width_and_sentence(page: Page) -> None:
    """By 4 columns, which are 2 a head, and to 5 tokens; each shows in the picture."""
    shown = "document.querySelector('.stage-canvas').stage.scene"
    assert page.evaluate(f"{shown}.head_dim") == 4
    press(page, "d_model", "ArrowRight")
    assert settings_of(page)["d_model"] == "12"
    until(page, f"{shown}.head_dim === 6")
    before = numbers(page)
    page.get_by_label("Sentence", exact=True).fill("a wholly different line")
    until(page, "() => new URL(location.href).searchParams.get('sentence') === 'a wholly different line'")
    settle(page)
    assert not same(numbers(page), before)
    assert page.evaluate(f"{shown}.panels.at(-1).rows.labels")[1] == "1 wholly"
    assert page.evaluate(f"{shown}.head_dim") == 6


def go_back_from_another_width(page: Page) -> None:
    slide(page, "d_model", "ArrowRight")
    changed = numbers(page)
    page.go_back()
    until(page, "() => new URL(location.href).searchParams.get('d_model') === '8'")
    until(page, "() => document.querySelector('.stage-canvas').stage.scene.head_dim === 4")
    settle(page)
    assert not same(numbers(page), changed)
    assert settings_of(page)["d_model"] == "8"
    assert [panel.numbers.shape for panel in panels(page)] == [(4, 6), (6, 4), (6, 6)]


def take_a_width_that_the_heads_do_not_divide(page: Page) -> None:
    """They move to the nearest number that does, and say so."""
    page.evaluate(TOASTS)
    slide(page, "d_model", "ArrowLeft")
    assert settings_of(page)["num_heads"] == "2"
    assert page.evaluate("window.toasts.size") == 1
    slide(page, "num_heads", "ArrowRight")
    assert settings_of(page)["num_heads"] == "4"


def test_a_link_clicked_right_after_a_change_takes_the_change_along(visit: Opener) -> None:
    page = visit("/softmax?lang=en&d_model=8&weights=random&causal=0")
    for soon, causal in ((5, "1"), (15, "0")):  # milliseconds: before the browser has been told the new address
        page.evaluate(
            """async (soon) => {
                document.querySelector(".st-key-causal input").click();
                await new Promise((later) => setTimeout(later, soon));
                document.querySelector(".ways a[data-page]").click();
            }""",
            soon,
        )
        page.wait_for_url(re.compile("/(scaling|scores)"))
        settle(page)
        assert settings_of(page)["causal"] == causal
        page.locator("nav a[data-page=softmax]").first.click()
        page.wait_for_url(re.compile("/softmax"))
        settle(page)


FRAMED = "document.querySelector('.stage-canvas').stage.frames.find(({kind}) => kind === 'cell')?.tensor"


def test_faces_pressed_while_the_page_is_left_leave_the_page_that_comes_whole(visit: Opener) -> None:
    page, seen = visit("/softmax?lang=en&face=number"), set[str]()
    for slug in ("scaling", "scores", "softmax"):
        page.evaluate(
            """async (slug) => {
                document.querySelector(`.stepper a[data-page=${slug}]`).click();
                const {stage} = document.querySelector(".stage-canvas"), spot = {panel: 0, row: 1, column: 0};
                stage.choose({tensor: "q", row: 1, column: 0, head: 0}, spot);  // which nobody hears of any more
                for (const face of document.querySelectorAll(".st-key-face button")) {
                    await new Promise((later) => setTimeout(later, 12));
                    face.click();
                }
            }""",
            slug,
        )
        page.wait_for_url(re.compile(f"/{slug}"))
        settle(page)
        assert panels(page)
        framed = page.evaluate(FRAMED)
        assert framed not in {None, *seen}
        seen.add(framed)


PRESSED = """async ([row, slugs]) => {
  const {stage} = document.querySelector('.stage-canvas');
  stage.followRow(row);
  for (const slug of slugs) {
    document.querySelector(`.stepper a[data-page=${slug}]`).click();
    await new Promise(later => setTimeout(later, 25));
  }
}"""
IS_SHOWN = """([slug, row]) => {
  const scene = document.querySelector('.stage-canvas')?.stage.scene;
  const {pathname, searchParams} = new URL(location.href);
  return pathname === `/${slug}` && searchParams.get('query') === row && scene?.row === Number(row)
    && document.querySelector(`.stepper a[data-page=${slug}]`).ariaCurrent === 'page';
}"""


# The next question goes astray: what was sent before it is sent once more in its place, as where Streamlit keeps of two
# wishes the one that says nothing of it.
LOSE_ONE = """() => {
  const {send} = WebSocket.prototype, isQuestion = message => new TextDecoder().decode(message).includes('"ask"');
  let last = null;
  WebSocket.prototype.send = function (message) {
    const isLost = last && isQuestion(message);
    send.call(this, isLost ? last : message);
    last = message;
    if (isLost) {
      window.lost = true;
      WebSocket.prototype.send = send;
    }
  };
}"""


# Whether a link is told to the server when it is pressed.
SENDS = """async slug => {
  const {send} = WebSocket.prototype;
  let sent = 0;
  WebSocket.prototype.send = function (message) {
    sent++;
    send.call(this, message);
  };
  document.querySelector(`.stepper a[data-page=${slug}]`).click();
  await new Promise(later => setTimeout(later, 250));
  WebSocket.prototype.send = send;
  return sent > 0;
}"""


def test_of_links_pressed_in_a_row_the_last_is_followed_the_row_before_them_stays_and_a_lost_one_is_asked_again(
    visit: Opener,
) -> None:
    page = visit("/scores?sentence=the+dog+saw+the+cat&query=0")
    for row, slugs in ((3, ("softmax", "softmax")), (1, ("softmax", "softmax")), (4, ("scores", "scaling", "heads"))):
        page.evaluate(PRESSED, [row, slugs])
        until(page, IS_SHOWN, arg=[slugs[-1], str(row)])
        settle(page)
        assert page.evaluate(IS_SHOWN, [slugs[-1], str(row)])  # and nothing leads back
    page.evaluate(LOSE_ONE)
    page.get_by_text("Causal mask", exact=True).click()
    until(page, "() => new URL(location.href).searchParams.get('causal') === '1'")
    settle(page)
    page.locator(".stepper a[data-page=softmax]").click()
    until(page, IS_SHOWN, arg=["softmax", "4"])
    assert page.evaluate("window.lost")
    settle(page)
    page.go_back()
    until(page, IS_SHOWN, arg=["heads", "4"])
    assert page.evaluate(SENDS, "scores")  # at once, though that page was left a moment ago
    until(page, IS_SHOWN, arg=["scores", "4"])


def test_the_first_visit_speaks_the_browsers_language(visit: Opener) -> None:
    assert "一张图" in visit("/", locale="zh-CN").locator("h1").inner_text()


def test_bad_values_in_the_address_get_one_plain_sentence_and_hostile_sentences_are_only_text(visit: Opener) -> None:
    page = visit("/scaling?d_model=7&seed=abc&num_heads=2")
    assert page.get_by_test_id("stAlert").count() == 1
    assert "d_model, seed" in page.get_by_test_id("stAlert").inner_text()
    assert settings_of(page)["d_model"] == "32"
    box = page.get_by_label("Sentence", exact=True)
    for sentence in HOSTILE:
        box.fill(sentence)
        until(page, "text => new URL(location.href).searchParams.get('sentence') === text", arg=sentence[:200])
        settle(page)
        assert "owned" not in page.title()
        assert page.locator("[data-testid=stMain] script, [data-testid=stMain] .katex-error").count() == 0
        if sentence.strip():
            assert len(panels(page)) >= 2, sentence
        else:
            assert page.get_by_test_id("stAlert").count() == 1, sentence


def test_the_keyboard_alone_reaches_and_moves_everything_and_two_visitors_do_not_disturb_each_other(
    visit: Opener,
) -> None:
    first = visit("/scores?seed=1")
    reach_everything_by_keyboard(first)
    second = visit("/scores?seed=2", alone=True)
    mine = numbers(first)
    slide(second, "d_model", "ArrowRight")
    assert settings_of(first)["d_model"] == "8"
    assert settings_of(first)["seed"] == "1"
    slide(first, "d_model", "ArrowRight")
    slide(first, "d_model", "ArrowLeft")
    assert same(numbers(first), mine)


def reach_everything_by_keyboard(page: Page) -> None:
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    for kind in (
        "stSlider",
        "stTextArea",
        "stSelectbox",
        "stCheckbox",
    ):
        assert any(name and name.startswith(kind) for name in reached), (kind, reached)
    for part in (".stepper a", ".map a", ".stage-canvas", ".stage-button", ".ask"):
        assert page.locator(part).first.evaluate("part => part.tabIndex") >= 0
