"""What all tests share lies beside this file, in each.py."""

import os
import sys
from pathlib import Path

# Two processes run the tests, each with a server of its own: with more than one thread each they would only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; the processes that tests start have it, too
sys.path.append(str(Path(__file__).parent))
