"""What we rely on of Streamlit and Plotly without a promise of theirs. Every line has a test of its own.

Exact minor versions are pinned in pyproject.toml for the sake of this file; look here first when one moves. The names
in style.css and ask/pointer.js ([data-testid=…], .js-plotly-plot) are of the same kind.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import plotly.graph_objects as go
import streamlit as st
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

_MESSAGES = Path(__file__).with_name("messages.js")


def without_template(figure: go.Figure) -> go.Figure:
    """The figure without the template that Plotly puts into every new one.

    Streamlit hands every figure to Plotly twice, and Plotly draws it a second time where a template is there, or
    layout.meta is an object (both are compared by identity), or datarevision is missing: see figures/draw.py.
    """
    figure.layout.template = None
    return figure


def leave_old_multipage_mode() -> None:
    """Stop Streamlit from greeting the first visitor of a deep link with "Page not found".

    A folder named pages makes it start in its old multipage mode, in which it knows no other page.
    """
    PagesManager.uses_pages_directory = False


def front_page() -> str:
    """Streamlit's own front page, told where its server is, and to hear in one piece what is sent so (messages.js).

    Left alone, it looks for its server below the page's address first, and fills the browser's console with errors.
    """
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    told = ("window.__streamlit={BACKEND_BASE_URL:location.origin}", _MESSAGES.read_text(encoding="utf-8"))
    return index.replace("<head>", "<head>" + "".join(f"<script>{script}</script>" for script in told), 1)


def allow_only(hosts: Sequence[str]) -> None:
    """Refuse connections that name another host, unless the reader has named hosts of their own.

    Without it, a page of somebody else's could reach a server on this machine by a name that it lets point here (DNS
    rebinding).
    """
    if not st.get_option("server.allowedHosts"):
        config.set_option("server.allowedHosts", list(hosts))


def send_in_one_piece(patience: float) -> None:
    """Let all that a run draws reach the browser at once, or what there is after so many seconds of a longer run.

    Left alone, Streamlit sends what there is every 5 ms; and the browser draws its whole page anew for every piece.
    Before a fragment runs, Streamlit drops what that fragment drew and is not sent yet, but not the large messages that
    the browser has kept: these would come without what they stand in, and the page would break. So nothing is dropped.
    """
    send, clear = AppSession.flush_browser_queue, AppSession._clear_queue
    held: WeakKeyDictionary[AppSession, asyncio.TimerHandle] = WeakKeyDictionary()  # until when
    whole: WeakKeyDictionary[AppSession, list[ForwardMsg]] = WeakKeyDictionary()  # of runs that have ended

    def send_together(session: AppSession) -> list[ForwardMsg]:
        ask_again, ready = session._message_enqueued_callback, whole.pop(session, [])
        if session._state is AppSessionState.APP_IS_RUNNING and ask_again:
            loop = asyncio.get_running_loop()
            if session not in held:
                held[session] = loop.call_later(patience, ask_again)
            if held[session].when() > loop.time():
                return ready
        if timer := held.pop(session, None):
            timer.cancel()
        return ready + send(session)

    def keep(session: AppSession, fragment_ids_this_run: list[str] | None = None) -> None:
        if fragment_ids_this_run is None:
            clear(session)
        else:
            whole.setdefault(session, []).extend(send(session))

    setattr(AppSession, send.__name__, send_together)
    setattr(AppSession, clear.__name__, keep)


def goes_back() -> bool:
    """Whether this run was asked for by the browser's back or forward button."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def is_part() -> bool:
    """Whether this run draws a part of the page alone (a fragment)."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def came_with(name: str) -> str | None:
    """What the address said of a setting when the browser asked for this run, whatever it has been told since."""
    context = get_script_run_ctx()
    return dict(parse_qsl(context.query_string, keep_blank_values=True)).get(name) if context is not None else None


def picked(said: Any) -> tuple[int, ...]:
    """The whole numbers that the first point clicked on a chart carries (its customdata); none where there are none."""
    try:
        data = said["selection"]["points"][0]["customdata"]
    except (KeyError, IndexError, TypeError):
        return ()
    numbers = tuple(data) if isinstance(data, list | tuple) else ()
    return numbers if all(type(number) is int for number in numbers) else ()
