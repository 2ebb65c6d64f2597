"""Moving an open page to another address or theme: a third of the cost of opening one, as its scripts are there."""

from typing import Literal

from conftest import at_random, settle, until
from playwright.sync_api import Page

from pages.ui.figures.colors import DARK, LIGHT
from pages.ui.state.address import NAMES

_FORWARD = "to => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')); }"
# The server has read the address once it has written into it what was not there.
_IS_WHOLE = "names => names.every(name => new URL(location.href).searchParams.has(name))"


def lead(page: Page, path: str) -> None:
    """As the browser's forward button leads there; what the address does not name stays as it is.

    Where it names no layer, to the small random one, as visit does. It has to leave something unnamed.
    """
    send(page, path)
    settle(page)


def send(page: Page, path: str) -> None:
    """Lead it there, and do not wait until nothing changes any more."""
    page.evaluate(_FORWARD, at_random(path))
    until(page, _IS_WHOLE, arg=NAMES)


# Whether the page around the figures has that colour: the server is told of it with the next run.
_HAS_PAPER = """paper => {
  const probe = Object.assign(document.createElement('i'), {style: `color: ${paper}`});
  document.body.append(probe);
  const wanted = getComputedStyle(probe).color;
  probe.remove();
  return getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === wanted;
}"""


def put_on(page: Page, scheme: Literal["light", "dark"]) -> None:
    """The browser's theme; what is on the page then is drawn with the next run."""
    page.emulate_media(color_scheme=scheme)
    until(page, _HAS_PAPER, arg={"light": LIGHT, "dark": DARK}[scheme].paper)
