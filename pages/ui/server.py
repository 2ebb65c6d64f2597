"""What happens once per server, before the first visitor."""

import asyncio
import gc
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st
import torch
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from pages import PAGES


@asynccontextmanager
async def serving(_: object) -> AsyncIterator[None]:
    """Make ready, then serve, and open the reader's browser where there is one."""
    warm_up()
    if not st.get_option("server.headless"):
        url = f"http://{st.get_option('server.address')}:{st.get_option('server.port')}"
        asyncio.get_running_loop().call_later(0.5, webbrowser.open, url)
    yield


def warm_up() -> None:
    """Pay once for what every visitor would wait for.

    Streamlit collects garbage after every run; with torch and plotly loaded that holds every visitor up for about
    150 ms, unless what is loaded for good is taken out of the collector's sight.
    """
    # A folder named pages makes Streamlit greet the first visitor of a deep link with "Page not found".
    PagesManager.uses_pages_directory = False
    torch.set_num_threads(1)
    torch.randn(2, 2).softmax(-1)
    go.Figure(go.Heatmap(z=[[0.0]])).to_json()
    gc.collect()
    gc.freeze()


def front_pages() -> list[Route]:
    """Streamlit's own front page at every step's address, told where its server is.

    Left alone, it looks for its server below the page's address first, and fills the browser's console with errors.
    """
    if st.get_option("server.baseUrlPath"):
        return []
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    told = index.replace("<head>", "<head><script>window.__streamlit={BACKEND_BASE_URL:location.origin}</script>", 1)

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(told, headers={"cache-control": "no-cache"})

    return [Route(f"/{slug}", page) for slug in PAGES[1:]]
