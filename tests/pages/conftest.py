"""What the tests of the pages share lies beside them, in visiting.py."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
