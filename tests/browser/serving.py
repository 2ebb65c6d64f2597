"""A fresh Streamlit server on a free loopback port, and a Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELL = "chromium-headless-shell"  # the command, and Debian's package of it
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # else a headless shell rounds letters to whole pixels: longer lines
)


# Streamlit's command, but nothing is made ahead of being wished for: that would take the time of the tests.
_IDLE = "from pages.ui import server; server.WORK_AHEAD = False; from streamlit.web.cli import main; main()"


@contextmanager
def serve(script: Path = ROOT / "app.py", *, idle: bool = False) -> Iterator[str]:
    """Run a Streamlit script in a process of its own; its base address. Ended with the block.

    idle: it does nothing that nobody asked for.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *(("-c", _IDLE) if idle else ("-m", "streamlit")), "run", str(script)]
    command += ["--server.headless=true", f"--server.port={port}"]
    command += ["--server.address=localhost", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_healthy(f"http://localhost:{port}/_stcore/health", process)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended by itself with code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no answer from {url}")


def chromium() -> str | None:
    """The path of a Chromium to test with: CHROMIUM, Debian's, or None where Playwright must bring its own.

    A headless shell first, as Playwright's own is one: it does the same with a tenth less of the processor's time.
    """
    names = (os.environ.get("CHROMIUM"), SHELL, "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)
