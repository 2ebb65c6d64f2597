"""A step performed in the browser: what is not there yet can not be asked, and the reader leads."""

from urllib.parse import urlencode

from conftest import Opener, settle, until
from moving import lead
from pictures import POINTER, panels, place_of, settings_of
from playing import state_of

SMALL = {"sentence": "the dog saw the cat", "d_model": "8", "num_heads": "2", "head": "1", "query": "3", "causal": "1"}
PIXEL = """([x, y]) => {
  const context = document.querySelector('.stage-canvas').getContext('2d');
  return [...context.getImageData(Math.round(x * devicePixelRatio), Math.round(y * devicePixelRatio), 1, 1).data];
}"""
AT_ONCE = """async ([name, ...questions]) => {
  const {ask} = await import(name);
  questions.forEach(ask);
}"""
STANDS = """wanted => {
  const {searchParams} = new URL(location.href);
  return Object.entries(wanted).every(([name, value]) => searchParams.get(name) === value);
}"""
# Pressed in the very frame in which that moment is seen: a click from without may come some moments later.
PAUSED_AT = """moment => {
  const {player} = document.querySelector('.stage-canvas').stage;
  if (player.moment !== moment) return null;
  document.querySelector('.stage-bar .play').click();
  return {share: player.share};
}"""
KEPT = """() => {
  const {stage} = document.querySelector('.stage-canvas'), take = stage.take;
  stage.take = bytes => take.call(stage, stage.kept = bytes);
}"""


def test_what_is_not_there_yet_can_not_be_asked_and_a_number_set_by_hand_stops_the_play(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    scores = panels(page)[-1]
    x, y = scores.middle(0, 1)
    whole = page.evaluate(PIXEL, [x, y - 6])
    page.locator(".stage-bar .on").click()
    until(page, "() => !document.querySelector('.stage-canvas').stage.due")
    assert page.evaluate(PIXEL, [x, y - 6])[:3] == [255, 255, 255] != whole[:3]
    before = page.locator(".trail b").inner_text()
    page.mouse.click(*place_of(page, scores, 0, 1))
    page.mouse.move(*place_of(page, scores, 0, 2))
    assert page.locator(".stage-tip").is_hidden()
    settle(page)
    assert page.locator(".trail b").inner_text() == before
    page.mouse.click(*place_of(page, panels(page)[0], 1, 2))  # a number that is there answers, and the play waits
    until(page, STANDS, arg={"cell": "k.2.1.1"})
    assert state_of(page)["moment"] == 0
    until(page, STANDS, arg={"moment": "1"})
    settle(page)
    page.evaluate(KEPT)
    page.evaluate(AT_ONCE, [POINTER, {"row": 2}, {"cell": "q.3.0.1"}, {"cell": "q.2.0.1"}])  # none of them is lost
    until(page, STANDS, arg={"query": "2", "cell": "q.2.0.1", "moment": "1"})
    settle(page)
    page.locator(".stage-bar .on").click()
    until(page, STANDS, arg={"moment": "2"})
    page.evaluate("() => { const {stage} = document.querySelector('.stage-canvas'); stage.take(stage.kept); }")
    assert state_of(page)["moment"] == 1  # what Python said before it heard of it does not throw the reader back
    lead(page, f"/scores?{urlencode(SMALL | {'edit': 'scores.1.1.0:3'})}")
    assert page.locator(".stage-bar .play").is_disabled()  # a number set by hand stops the play, which says why
    assert "by hand" in page.locator(".stage-words").inner_text()
    assert settings_of(page)["edit"]


def test_it_plays_pauses_and_the_address_leads_back_there(visit: Opener) -> None:
    page = visit(f"/scores?{urlencode(SMALL)}")
    page.emulate_media(reduced_motion="no-preference")
    page.locator(".stage-bar .speed").select_option("2")
    page.locator(".stage-bar .play").click()
    stopped_at = page.wait_for_function(PAUSED_AT, arg=2).json_value()
    assert 0 <= stopped_at["share"] <= 1
    until(page, STANDS, arg={"moment": "3"})
    stood = state_of(page)
    page.reload()
    settle(page)
    assert state_of(page)["words"] == stood["words"]
    scrub = page.locator(".stage-bar .stage-scrub")
    scrub.focus()
    page.keyboard.press("ArrowRight")
    assert state_of(page)["moment"] == 3
    page.keyboard.press("End")
    assert "every other query" in state_of(page)["words"]
    page.locator(".stage-bar .play").click()  # once more from the beginning
    page.wait_for_function("() => document.querySelector('.stage-canvas').stage.player.moment === 0")
    page.locator(".stage-bar .play").click()


def test_without_motion_it_shows_stills_and_ends_with_the_whole_picture(visit: Opener) -> None:
    page = visit(f"/scaling?{urlencode(SMALL)}", timezone_id="UTC")  # a context of its own: it keeps the clock
    page.clock.install()
    page.locator(".stage-bar .play").click()
    moments = []
    for _ in range(12):
        found = state_of(page)
        moments.append((found["moment"], page.evaluate("document.querySelector('.stage-canvas').stage.player.share")))
        page.clock.run_for(2000)
    assert {share for _, share in moments} == {1}
    assert [moment for moment, _ in moments] == sorted([m for m, _ in moments if m >= 0]) + [-1] * sum(
        m < 0 for m, _ in moments
    )
    assert moments[-1][0] == -1
    assert {moment for moment, _ in moments} == {-1, 0, 1, 2, 3, 4}
    until(page, "() => new URL(location.href).searchParams.get('moment') === '0'")
