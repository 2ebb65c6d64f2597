"""What happens once per server, before the first visitor."""

import asyncio
import gc
import gzip
import os
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib import import_module

import plotly.graph_objects as go
import psutil
import streamlit as st
import torch
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attention.grammar import LANGUAGES
from attention.grammar.batches import sentences
from pages import PAGES
from pages.ui import compat

EVERY_ADDRESS = (None, "", "0.0.0.0", "::")  # a server there listens at all addresses of its machine
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")  # where no other machine's visitors come from
WORK_AHEAD = True  # whether the server does what nobody has asked for yet
PATIENCE = 0.1  # seconds that a run has until what it has drawn so far is sent: more than nearly all of them take
UNTIL_THE_NEXT = 20.0  # seconds, in which a first visitor's layer learns undisturbed


@asynccontextmanager
async def serving(_: object) -> AsyncIterator[None]:
    """Make ready, then serve, and open the reader's browser where there is one."""
    warm_up()
    answer_at_once()
    if WORK_AHEAD:
        make_sentences(asyncio.get_running_loop())
    if not is_open_to_others():
        compat.allow_only(OWN_MACHINE)
    if not st.get_option("server.headless"):
        asyncio.get_running_loop().call_later(0.5, webbrowser.open, own_address())
    yield


def make_sentences(loop: asyncio.AbstractEventLoop) -> None:
    """Make the sentences that layers learn from, before anybody waits for them; one language after the other."""
    for i, language in enumerate(LANGUAGES):
        loop.call_later(i * UNTIL_THE_NEXT, threading.Thread(target=_make, args=(language,)).start)


def _make(language: str) -> None:
    sentences(language)
    gc.collect()
    gc.freeze()  # see warm_up


def answer_at_once() -> None:
    """Send small answers without waiting for more: a picture of a held slider would wait 40 ms for its turn.

    What is set on the socket that listens holds for every connection that it takes.
    """
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.fd >= 0:
            with socket.socket(fileno=os.dup(connection.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def own_address() -> str:
    """Where a reader on this machine finds the app."""
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    host = st.get_option("server.address")
    host = "localhost" if host in EVERY_ADDRESS else host
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{st.get_option('server.port')}/{path}"


def is_open_to_others() -> bool:
    """Whether visitors from other machines can reach the server."""
    return st.get_option("server.address") not in OWN_MACHINE


def memory_for_models() -> int:
    """How many bytes all real models in memory may take together: half of what is free at the start."""
    return int(psutil.virtual_memory().available // 2)


def warm_up() -> None:
    """Pay once for what every visitor would wait for.

    Streamlit collects garbage after every run; with torch and plotly loaded that holds every visitor up for about
    150 ms, unless what is loaded for good is taken out of the collector's sight.
    """
    compat.leave_old_multipage_mode()
    compat.send_in_one_piece(PATIENCE)
    torch.set_num_threads(1)
    torch.randn(2, 2).softmax(-1)
    # Plotly imports pandas when it first checks a figure: two visitors at once would find it half imported.
    import_module("pandas")
    go.Figure(go.Heatmap(z=[[0.0]])).to_json()
    gc.collect()
    gc.freeze()


def front_pages() -> list[Route]:
    """Streamlit's front page, at every page's address."""
    if st.get_option("server.baseUrlPath"):
        return []
    told = compat.front_page()

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(told, headers={"cache-control": "no-cache"})

    return [Route(f"/{slug}", page) for slug in ("", *PAGES[1:])]


class Compressed:
    """Streamlit's scripts and rules of style, compressed: a first visit takes half the bytes.

    Streamlit sends them as they are, because compressing each anew for every visitor would cost more than it saves.
    Their names change with what is in them, so here each is compressed once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        is_text = str(scope.get("path", "")).endswith((".js", ".css")) and "/static/" in scope["path"]
        if not is_text or "gzip" not in headers.get("accept-encoding", "") or "range" in headers:
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            sent, told = bytes(body), MutableHeaders(raw=list(start["headers"]))
            if start["status"] == 200 and "content-encoding" not in told:
                sent = await asyncio.to_thread(_compressed, sent)
                told |= {"content-encoding": "gzip", "content-length": str(len(sent)), "vary": "accept-encoding"}
            await send({**start, "headers": told.raw})
            await send({"type": "http.response.body", "body": sent})

        await self._app(scope, receive, gather)


@lru_cache(maxsize=512)  # more than there are
def _compressed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)
