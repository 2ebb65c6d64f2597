"""The server before its first visitor: where it is, who can reach it, and what it makes ready."""

import asyncio
import gc
import sys
from types import SimpleNamespace

import psutil
import pytest
import streamlit as st
import torch
from apart import apart
from each import each
from streamlit import config
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.pages_manager import PagesManager

from pages import OVERVIEW, PAGES
from pages.ui import compat, server

OPTIONS = ("address", "port", "headless", "baseUrlPath", "sslCertFile", "allowedHosts")


@pytest.fixture
def started():
    """Says how the server was started; afterwards it was not."""
    before = {name: st.get_option(f"server.{name}") for name in OPTIONS}

    def start(**options):
        for name, value in (before | {"port": 8501} | options).items():
            config.set_option(f"server.{name}", value)

    yield start
    start(**before)


@each(
    "address, host",
    [
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
        # All addresses of the machine: this one is the reader's own.
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        (None, "localhost"),
        ("", "localhost"),
        # One of its others: nobody listens at localhost.
        ("192.168.1.5", "192.168.1.5"),
        ("fd00::5", "[fd00::5]"),
        ("my.example", "my.example"),
    ],
)
@each("certificate, scheme", [(None, "http"), ("cert.pem", "https")])
@each("base, path", [("", "/"), ("app", "/app"), ("/app/", "/app"), ("a/b", "/a/b"), (None, "/")])
def test_a_reader_on_the_machine_finds_the_app_at_its_own_address(
    started, address, host, certificate, scheme, base, path
):
    started(address=address, sslCertFile=certificate, baseUrlPath=base, port=8765)
    assert server.own_address() == f"{scheme}://{host}:8765{path}"


@each(
    "address, is_open",
    [
        ("localhost", False),
        ("127.0.0.1", False),
        ("::1", False),
        (None, True),
        ("", True),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.5", True),
        ("localhost.example", True),
    ],
)
def test_a_server_is_open_to_others_unless_it_listens_on_its_own_machine_alone(started, address, is_open):
    started(address=address)
    assert server.is_open_to_others() is is_open


@pytest.mark.parametrize(("free", "models"), [(8 * 2**30, 4 * 2**30), (7, 3), (0, 0)])
def test_models_may_take_half_of_the_memory_that_is_free(monkeypatch, free, models):
    memory = psutil.virtual_memory()._replace(available=free, total=free + 2**40)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert server.memory_for_models() == models


def test_the_memory_for_models_is_no_more_than_there_is():
    assert 0 <= server.memory_for_models() <= psutil.virtual_memory().total // 2


# Serving.


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was opened at, while warming up is left out."""
    found = []
    monkeypatch.setattr(server, "warm_up", lambda: None)
    monkeypatch.setattr(server, "make_sentences", lambda _: None)
    monkeypatch.setattr(server.webbrowser, "open", found.append)
    return found


def serve(monkeypatch):
    """Start and stop, with no wait before what is put off."""

    async def run():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", lambda _, call, *args: loop.call_soon(call, *args))
        async with server.serving(None):
            await asyncio.sleep(0)

    apart(run())


def test_sentences_are_made_for_one_language_after_the_other(monkeypatch):
    made, later = [], []
    monkeypatch.setattr(server, "sentences", made.append)
    loop = SimpleNamespace(call_later=lambda seconds, begin: later.append((seconds, begin)))
    server.make_sentences(loop)
    assert [seconds for seconds, _ in later] == [0, server.UNTIL_THE_NEXT]
    for _, begin in later:
        begin()
        begin.__self__.join()  # a thread
    assert made == ["en", "zh"]


@pytest.mark.parametrize(("headless", "count"), [(False, 1), (True, 0)])
def test_the_reader_s_browser_is_opened_where_there_is_one(started, opened, monkeypatch, headless, count):
    started(headless=headless, address="localhost", baseUrlPath="", sslCertFile=None, port=8765)
    serve(monkeypatch)
    assert opened == ["http://localhost:8765/"] * count


@pytest.mark.parametrize(
    ("address", "named", "hosts"),
    [
        ("localhost", [], ["localhost", "127.0.0.1", "::1"]),
        ("127.0.0.1", [], ["localhost", "127.0.0.1", "::1"]),
        ("localhost", ["my.example"], ["my.example"]),
        ("0.0.0.0", [], []),
        (None, [], []),
    ],
)
@pytest.mark.usefixtures("opened")
def test_on_one_s_own_machine_only_its_own_names_are_answered(started, monkeypatch, address, named, hosts):
    started(headless=True, address=address, allowedHosts=named)
    serve(monkeypatch)
    assert st.get_option("server.allowedHosts") == hosts


def test_every_page_has_a_front_page_at_its_own_address(started):
    started(baseUrlPath="")
    routes = server.front_pages()
    assert [route.path for route in routes] == ["/", *(f"/{slug}" for slug in PAGES if slug != OVERVIEW)]
    for route in routes:
        answer = apart(route.endpoint(None))
        assert answer.body.decode() == compat.front_page()
        assert answer.headers["cache-control"] == "no-cache"


def test_below_another_path_streamlit_s_own_front_pages_are_left_alone(started):
    started(baseUrlPath="app")
    assert server.front_pages() == []


def test_warming_up_imports_what_every_visitor_needs_and_takes_it_out_of_the_collector_s_sight(monkeypatch):
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    sends = AppSession.flush_browser_queue
    for name in ("flush_browser_queue", "_clear_queue"):
        monkeypatch.setattr(AppSession, name, getattr(AppSession, name))  # and is put back at the end
    threads, frozen = torch.get_num_threads(), gc.get_freeze_count()
    try:
        server.warm_up()
        assert {"pandas", "plotly.graph_objects"} <= set(sys.modules)
        assert PagesManager.uses_pages_directory is False
        assert AppSession.flush_browser_queue is not sends
        assert torch.get_num_threads() == 1
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
