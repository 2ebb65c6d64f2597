"""What the tests of the pages share lies beside them, in visiting.py."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="session")
def _one_training_for_all_who_ask_for_the_same() -> Iterator[None]:
    from visiting import learned

    # A page waits for the end of a training here, as nobody looks again (see test_learning.py in the browser).
    ready = "pages.ui.layers.ready"
    with ExitStack() as changed:
        for name, value in (("learn", learned), ("SHOWN_AT_ONCE", False), ("server.WORK_AHEAD", False)):
            changed.enter_context(patch(f"{ready}.{name}", value))
        for room in ("lesson", "quiz.box", "ask.inspector"):  # texts are compared word for word; see test_terms.py
            changed.enter_context(patch(f"pages.ui.{room}.linked", lambda text, *_: text))
        yield
