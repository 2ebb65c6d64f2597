"""Visitors who speak to a server as a browser would, without one: many of them cost little."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 300  # seconds


def visit(server: str, host: str = "") -> connect:
    """Connect to a server; host: the name that it is called by, where that is not its own."""
    there = urlsplit(server)
    called = f"{host or there.hostname}:{there.port}"
    url = f"ws://{called}/_stcore/stream"
    place = {"host": there.hostname, "port": there.port, "origin": f"http://{called}"}
    return connect(url, **place, subprotocols=["streamlit"], max_size=None)


async def run(visitor: ClientConnection, page: str = "scores", **address: str) -> Sequence[ForwardMsg]:
    """Ask for a page at that address; everything that the server sends until the whole of it was sent."""
    message = BackMsg()
    message.rerun_script.query_string = urlencode(address)
    message.rerun_script.page_name = page
    await visitor.send(message.SerializeToString())
    answers: list[ForwardMsg] = []
    while not answers or answers[-1].WhichOneof("type") != "script_finished":
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(visitor.recv(), PATIENCE))
        answers.append(answer)
    return answers


def kinds(answers: Sequence[ForwardMsg]) -> list[str]:
    """What kinds of elements were put on the page."""
    return [answer.delta.new_element.WhichOneof("type") for answer in answers if answer.HasField("delta")]
