"""What all tests share lies beside this file, in each.py."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
