"""What a browser gets to see while a run of the app is still under way, and what a reader can press meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import urlencode

import visiting
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from visiting import Visit


class Watched:
    """Every message of a visit's runs in the order in which it was sent."""

    def __init__(self) -> None:
        self.messages: list[ForwardMsg] = []
        self.runner = None
        self._came = threading.Condition()

    def take(self, message: ForwardMsg) -> None:
        with self._came:
            self.messages.append(message)
            self._came.notify_all()

    def _elements(self, kind: str) -> Iterator[object]:
        for message in self.messages:
            if message.HasField("delta") and message.delta.new_element.WhichOneof("type") == kind:
                yield getattr(message.delta.new_element, kind)

    @property
    def bars(self) -> list[tuple[int, str]]:
        """Every state of a progress bar: how full it is, in hundredths, and what it says."""
        return [(bar.value, bar.text) for bar in self._elements("progress")]

    def labels(self, kind: str) -> list[str]:
        return [element.label for element in self._elements(kind)]

    def captions(self) -> list[str]:
        return [element.body for element in self._elements("markdown")]

    def wait_for(self, seen: Callable[[], object], seconds: float = 20) -> None:
        """For another thread: until that is true of the messages."""
        with self._came:
            assert self._came.wait_for(seen, seconds), "it was not seen in time"

    def press(self, label: str, visit: Visit) -> None:
        """For another thread: press a button that the run under way has drawn."""
        (button,) = {element.id for element in self._elements("button") if element.label == label}
        known = visit._tree.get_widget_states().widgets if visit._tree else ()
        states = WidgetStates(widgets=[*known, WidgetState(id=button, trigger_value=True)])
        address = urlencode(visit.query_params, doseq=True)
        asked = RerunData(address, states, page_script_hash=visit._page_hash or visit._finished_page_script_hash)
        assert self.runner.request_rerun(asked)


@contextmanager
def watching() -> Iterator[Watched]:
    """Watch all runs of the app within the block."""
    watched, start = Watched(), visiting._Run.start

    def started(runner):
        watched.runner = runner
        start(runner)

    ForwardMsgQueue.on_before_enqueue_msg(watched.take)
    try:
        with patch.object(visiting._Run, "start", started):
            yield watched
    finally:
        ForwardMsgQueue.on_before_enqueue_msg(None)
