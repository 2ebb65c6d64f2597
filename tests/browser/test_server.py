"""The server before any page: visitors under a foreign name, and how much a first visit takes."""

import gzip
import re
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from apart import apart
from conftest import settle
from crowd import kinds, run, visit
from websockets.exceptions import InvalidStatus

MOST_BYTES = 3_000_000  # of a first visit
MESSAGES = Path(__file__).parents[2] / "pages/ui/messages.js"
LOOK = {"weights": "random", "d_model": "8", "num_heads": "2", "lang": "en"}


@pytest.mark.parametrize(("host", "is_let_in"), [("localhost", True), ("127.0.0.1", True), ("evil.example", False)])
def test_a_server_on_ones_own_machine_answers_under_its_own_names_only(server, host, is_let_in):
    """Else a page of somebody else's could speak to it under a name that it lets point here (DNS rebinding)."""

    async def come_in():
        async with visit(server, host) as visitor:
            return await run(visitor, **LOOK)

    if is_let_in:
        assert "bidi_component" in kinds(apart(come_in()))
    else:
        with pytest.raises(InvalidStatus, match="403"):
            apart(come_in())


def test_scripts_come_compressed_for_those_who_can_read_it_and_are_the_same(server):
    (name,) = re.findall(r'src="\./(static/js/index\.[^"]+\.js)"', urlopen(server).read().decode())

    def get(**headers: str):
        with urlopen(Request(f"{server}/{name}", headers=headers)) as answer:
            return answer.status, answer.headers.get("Content-Encoding"), answer.read()

    status, encoding, plain = get()
    assert (status, encoding) == (200, None)
    status, encoding, packed = get(**{"Accept-Encoding": "gzip, br"})
    assert (status, encoding) == (200, "gzip")
    assert len(packed) < len(plain) / 2
    assert gzip.decompress(packed) == plain
    status, encoding, part = get(**{"Accept-Encoding": "gzip", "Range": "bytes=5-14"})
    assert (status, encoding, part) == (206, None, plain[5:15])


def test_a_first_visit_to_a_page_without_plotly_takes_few_bytes(browser, server):
    with browser.new_context() as context:
        page = context.new_page()
        line, taken = context.new_cdp_session(page), list[int]()
        line.send("Network.enable")
        line.on("Network.loadingFinished", lambda event: taken.append(event["encodedDataLength"]))
        page.goto(f"{server}/scores?weights=random&d_model=8")
        settle(page)
        assert "plotly" not in page.evaluate("performance.getEntriesByType('resource').map(r => r.name).join()")
    assert 500_000 < sum(taken) < MOST_BYTES


# A socket that never was, and what is heard of it: in an empty page, at once, after a while, while it goes on and on,
# in a page that nobody looks at, and when it closes; and of another one, at once.
HEARD = """async () => {
  const open = url => {
    const socket = Object.assign(new EventTarget(), {url, heard: [], found: []});
    const listen = (type, hear) => WebSocket.prototype.addEventListener.call(socket, type, hear);
    listen('message', event => socket.heard.push(event.data));
    listen('close', () => socket.heard.push('end'));
    socket.look = () => socket.found.push(socket.heard.splice(0).join(''));
    socket.say = (...texts) => texts.map(data => socket.dispatchEvent(new MessageEvent('message', {data})));
    return socket;
  };
  const ours = open('ws://here/_stcore/stream'), another = open('ws://here/else');
  ours.say('0'); ours.look();
  document.body.append(document.createElement('h1'));
  ours.say('a', 'b', 'c'); ours.look();
  await new Promise(go => setTimeout(go, 200)); ours.look();
  ours.say('d');
  for (const start = performance.now(); performance.now() < start + 40;);
  ours.say('e'); ours.look();
  Object.defineProperty(document, 'hidden', {value: true, configurable: true});
  ours.say('f'); ours.look();
  delete document.hidden;
  ours.say('g'); ours.dispatchEvent(new Event('close')); ours.look();
  another.say('a'); another.look();
  return [...ours.found, ...another.found];
}"""


def test_messages_that_are_sent_together_are_heard_together_in_order_and_none_is_lost(browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.add_script_tag(path=MESSAGES)
        assert page.evaluate(HEARD) == ["0", "", "abc", "de", "f", "gend", "a"]
