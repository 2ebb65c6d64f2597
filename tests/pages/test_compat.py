"""What we rely on of Streamlit and Plotly without a promise: every test here fails where one of them has moved."""

import asyncio
import inspect
import json
import re
import tomllib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

import plotly.graph_objects as go
import pytest
import streamlit as st
from apart import apart
from each import each
from streamlit import config
from streamlit.elements.plotly_chart import parse_selection_mode
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from pages.ui import compat

ROOT = Path(__file__).parents[2]
UI = ROOT / "pages" / "ui"
STATIC = Path(st.__file__).parent / "static"


@cache
def scripts():
    """All JavaScript that Streamlit sends to a browser, Plotly's among it."""
    found = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.rglob("*.js")))
    assert len(found) > 10**6
    return found


# Plotly.


def test_plotly_puts_a_template_into_every_new_figure_and_it_can_be_taken_out():
    figure = go.Figure(go.Heatmap(z=[[0.0]]), {"height": 100})
    assert "template" in json.loads(figure.to_json())["layout"]
    bare = compat.without_template(figure)
    assert bare is figure
    assert json.loads(bare.to_json())["layout"] == {"height": 100}


def test_the_names_that_plotly_compares_are_in_the_script_that_streamlit_sends():
    for name in ("datarevision", "_context", "_fullLayout", "js-plotly-plot"):
        assert name in scripts(), name


# Streamlit's pages.


@pytest.fixture
def fresh(monkeypatch):
    """Streamlit before it has looked for a folder named pages."""
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)


@pytest.mark.usefixtures("fresh")
def test_a_folder_named_pages_starts_the_old_mode_and_that_is_left_before_it_is_looked_for():
    PagesManager(str(ROOT / "app.py"))
    assert PagesManager.uses_pages_directory is True
    compat.leave_old_multipage_mode()
    assert PagesManager.uses_pages_directory is False
    PagesManager(str(ROOT / "app.py"))
    assert PagesManager.uses_pages_directory is False


def test_the_front_page_tells_where_the_server_is_before_anything_else_runs():
    page = compat.front_page()
    server = "<script>window.__streamlit={BACKEND_BASE_URL:location.origin}</script>"
    hearing = f"<script>{(UI / 'messages.js').read_text(encoding='utf-8')}</script>"
    own = server + hearing
    assert page.count(own) == page.count("<head>") == 1
    assert f"<head>{own}" in page
    assert page.index(own) + len(server) == page.index("<script", page.index(own) + 1)
    assert page.replace(own, "") == (STATIC / "index.html").read_text(encoding="utf-8")


def test_streamlit_s_own_script_still_asks_for_what_the_front_page_tells():
    assert re.search(r"window\.__streamlit\b.{0,120}\bBACKEND_BASE_URL\b", scripts())


def test_streamlit_s_own_script_still_hears_its_server_as_we_expect():
    assert "_stcore/stream" in scripts()
    names = r"`message`.{0,500}?\.addEventListener\(`close`"  # in that order, on the socket itself
    assert re.search(r"=new WebSocket\(.{0,400}?\.addEventListener\(" + names, scripts())


# Who may come in.


@pytest.fixture
def hosts():
    before = st.get_option("server.allowedHosts")
    yield
    config.set_option("server.allowedHosts", before)


@pytest.mark.usefixtures("hosts")
def test_only_the_named_hosts_are_let_in_unless_the_reader_has_named_others():
    config.set_option("server.allowedHosts", [])
    compat.allow_only(("localhost", "::1"))
    assert st.get_option("server.allowedHosts") == ["localhost", "::1"]
    config.set_option("server.allowedHosts", ["my.example"])
    compat.allow_only(("localhost",))
    assert st.get_option("server.allowedHosts") == ["my.example"]


def test_streamlit_lets_every_host_in_where_nobody_has_said_otherwise():
    assert not config.get_config_options()["server.allowedHosts"].default_val


# What is sent, and when.


class Session(AppSession):
    """One whose run goes on, and has a queue of messages; nothing else of a session."""

    def __init__(self, is_due):
        self._browser_queue = ForwardMsgQueue()
        self._message_enqueued_callback = is_due
        self._state = AppSessionState.APP_IS_RUNNING

    def __del__(self):
        pass

    def sends_after(self, **message):
        self._browser_queue.enqueue(ForwardMsg(**message))
        return len(self.flush_browser_queue())


@contextmanager
def in_one_piece(patience):
    """While sessions send their messages in one piece; at the end as Streamlit does."""
    own = {name: getattr(AppSession, name) for name in ("flush_browser_queue", "_clear_queue")}
    with patch.multiple(AppSession, **own):
        compat.send_in_one_piece(patience)
        yield


def sent(patience, is_long):
    """How many messages a server gets whenever it looks: after each of three, when it is asked to, at the end."""

    async def run():
        is_due = asyncio.Event()
        session = Session(is_due.set)
        found = [session.sends_after(page_config_changed={"title": str(turn)}) for turn in range(3)]
        if is_long:
            await asyncio.wait_for(is_due.wait(), 60)
            found.append(len(session.flush_browser_queue()))
        session._state = AppSessionState.APP_NOT_RUNNING
        return [*found, session.sends_after(script_finished="FINISHED_SUCCESSFULLY")]

    with in_one_piece(patience):
        return apart(run())


def test_what_a_run_draws_is_sent_at_its_end_or_when_it_takes_long():
    assert sent(60, is_long=False) == [0, 0, 0, 4]
    assert sent(0.05, is_long=True) == [0, 0, 0, 3, 1]


def drawn(place, fragment=""):
    """The messages of a run: an element at a place, and one after it that the browser has kept from before."""
    new = ForwardMsg(delta={"new_element": {"text": {"body": str(place)}}, "fragment_id": fragment})
    kept = ForwardMsg(ref_hash=f"kept {place}")
    for i, message in enumerate((new, kept)):
        message.metadata.delta_path.extend([0, place, i])
    return [new, kept]


def left_of(first, second, fragments):
    """What is sent of two runs, the second of which begins before anything of the first is sent."""

    async def run():
        session = Session(lambda: None)
        for message in first:
            session._browser_queue.enqueue(message)
        session._clear_queue(fragments)  # as Streamlit does at the start of every run
        for message in second:
            session._browser_queue.enqueue(message)
        ready = session.flush_browser_queue()
        session._state = AppSessionState.APP_NOT_RUNNING
        return ready + session.flush_browser_queue()

    return apart(run())


def test_what_a_fragment_drew_is_sent_before_it_is_drawn_again_and_otherwise_the_last_run_alone():
    first, second = drawn(1, "panel"), drawn(1, "panel")
    assert len(left_of(first, second, ["panel"])) == 3  # Streamlit itself: the kept one without what it stands beside
    with in_one_piece(60):
        assert left_of(first, second, ["panel"]) == first + second
        assert left_of(first, drawn(2), None) == drawn(2)


def test_streamlit_s_server_still_asks_sessions_for_their_messages_as_we_expect():
    assert ".flush_browser_queue()" in inspect.getsource(Runtime)
    assert "self._message_enqueued_callback()" in inspect.getsource(AppSession._enqueue_forward_msg)
    states = re.findall(r"self\._state = AppSessionState\.(\w+)", inspect.getsource(AppSession))
    assert {"APP_IS_RUNNING", "APP_NOT_RUNNING"} <= set(states)
    assert "self._clear_queue(fragment_ids_this_run)" in inspect.getsource(AppSession)


# The browser's back button.


def test_streamlit_s_own_script_still_tells_a_step_back_from_a_click():
    assert "isHistoryNavigation" in scripts()
    assert not compat.goes_back()  # outside of any run


# Runs of a part of the page.


def test_streamlit_s_runs_still_know_of_which_parts_they_are():
    assert "fragment_ids_this_run" in ScriptRunContext.__dataclass_fields__
    assert not compat.is_part()  # outside of any run


# The address that a run was asked for with.


def test_streamlit_s_runs_still_know_the_address_that_they_were_asked_for_with():
    assert "query_string" in ScriptRunContext.__dataclass_fields__
    assert compat.came_with("query") is None  # outside of any run


# Clicks on charts.


def picks(*points):
    return {"selection": {"points": list(points), "point_indices": [0], "box": [], "lasso": []}}


@each(
    "said, numbers",
    [
        (picks({"customdata": [3, 4]}), (3, 4)),
        (picks({"customdata": (3,)}), (3,)),
        (picks({"customdata": [3, 4], "x": 1}, {"customdata": [5, 6]}), (3, 4)),
        (picks({"customdata": [-1, 10**30]}), (-1, 10**30)),
        # Nothing is chosen, or nothing has been drawn yet.
        (None, ()),
        ({}, ()),
        (picks(), ()),
        ({"selection": {}}, ()),
        (picks({"x": 1}), ()),
        (picks({"customdata": []}), ()),
        # No browser of ours sends these.
        (picks({"customdata": None}), ()),
        (picks({"customdata": 3}), ()),
        (picks({"customdata": "34"}), ()),
        (picks({"customdata": {"0": 3}}), ()),
        (picks({"customdata": [3, 4.0]}), ()),
        (picks({"customdata": [3, True]}), ()),
        (picks({"customdata": [3, "4"]}), ()),
        (picks({"customdata": [3, None]}), ()),
        (picks({"customdata": [[3, 4]]}), ()),
        (picks(None), ()),
        (picks(7), ()),
        (picks("customdata"), ()),
        ({"selection": None}, ()),
        ({"selection": {"points": {}}}, ()),
        ({"selection": {"points": 3}}, ()),
        ({"selection": {"points": "abc"}}, ()),
        ([], ()),
        ("selection", ()),
        (3, ()),
        (True, ()),
    ],
)
def test_what_was_picked_is_whole_numbers_or_nothing(said, numbers):
    assert compat.picked(said) == numbers


def test_streamlit_still_has_a_selection_of_points_and_reads_what_they_carry():
    assert parse_selection_mode("points")
    assert "customdata" in scripts()


# Names on Streamlit's page that style.css and pointer.js look for.


def test_what_the_rules_of_style_and_the_pointer_look_for_is_what_streamlit_calls_it():
    looked_for = "".join(
        (UI / name).read_text(encoding="utf-8") for name in ("style.css", "ask/pointer.js", "stage.js")
    )
    named = set(re.findall(r"\bdata-testid[$^*]?=[\"']?([\w-]+)", looked_for))
    assert {"stMain", "stSidebar"} <= named
    assert [name for name in sorted(named) if name not in scripts()] == []


def test_the_browser_keeps_large_messages_for_longer_than_a_burst_of_keys():
    """Streamlit's own 2 runs can pass before a fragment has had the whole page drawn again."""
    told = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert told["global"]["maxCachedMessageAge"] >= 20
    assert config.get_option("global.maxCachedMessageAge") >= 2  # there is such an option still
