"""Moving a page that is open to another address: it costs a third of opening one, for the app's scripts are there."""

from conftest import at_random, settle, until
from playwright.sync_api import Page

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
