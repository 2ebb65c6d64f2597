"""What all tests share lies beside this file, in each.py."""

import gc
import os
import sys
from pathlib import Path

# Three processes run the tests on two cores, as one of them mostly waits for its browser or server. With more than one
# thread each they would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; the processes that tests start have it, too
sys.path.append(str(Path(__file__).parent))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over all that is imported by now, and look more seldom at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 20)
