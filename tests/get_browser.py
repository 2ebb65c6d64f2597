"""Get a Chromium and fonts for Chinese, where they are missing: what the browser tests look at the app with.

Debian as root: from Debian. Elsewhere: Playwright's own Chromium. Where neither can be had it says why and ends
well, and the browser tests are skipped with the reason; with CI=true that is a failure.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "browser"))
from serving import SHELL, chromium

BROWSERS = (SHELL, "chromium")  # Debian's; the second where it has not got the first
FONTS = ("fonts-noto-cjk", "fonts-noto-color-emoji")


def main() -> int:
    if _is_debian() and os.geteuid() == 0:
        fonts = [package for package in FONTS if not _has_package(package)]
        if fonts or not chromium():
            _apt_get("update")
            for package in fonts:
                _install(package)
            for package in BROWSERS:
                if not chromium():
                    _install(package)
    if not chromium():
        subprocess.run((sys.executable, "-m", "playwright", "install", "chromium"), check=False)
    reason = _why_not()
    if reason:
        print(f"no browser for the browser tests: {reason}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    return 0


def _is_debian() -> bool:
    release = Path("/etc/os-release")
    return bool(shutil.which("apt-get")) and release.is_file() and "\nID=debian" in "\n" + release.read_text()


def _install(package: str) -> None:
    print("installing", package)
    _apt_get("install", "--yes", "--no-install-recommends", package)


def _apt_get(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(("apt-get", "--quiet", *command), env=environment, stdout=subprocess.DEVNULL, check=False)


def _has_package(name: str) -> bool:
    answer = subprocess.run(("dpkg-query", "--show", "--showformat=${Status}", name), capture_output=True, text=True)
    return "install ok installed" in answer.stdout


def _why_not() -> str:
    """Why no browser starts; empty where one does."""
    from playwright.sync_api import Error, sync_playwright
    from serving import FLAGS

    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS)).close()
        except Error as error:
            return str(error).splitlines()[0]
    return ""


if __name__ == "__main__":
    sys.exit(main())
