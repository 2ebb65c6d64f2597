"""What the tests of the pages share lies beside them, in visiting.py."""

import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="session")
def _one_training_for_all_who_ask_for_the_same() -> Iterator[None]:
    from visiting import learned

    # A page waits for the end of a training here, as nobody looks again (see test_learning.py in the browser).
    ready = "pages.ui.layers.ready"
    with (
        patch(f"{ready}.learn", learned),
        patch(f"{ready}.SHOWN_AT_ONCE", False),
        patch(f"{ready}.LEARN_AHEAD", False),
        patch("pages.ui.lesson.linked", lambda text, *_: text),  # texts are compared word for word; see test_terms.py
    ):
        yield
