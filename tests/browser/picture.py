"""Make the README's picture anew: a real page of the app, photographed in a real browser.

python tests/browser/picture.py
"""

from conftest import settle
from playwright.sync_api import sync_playwright
from serving import FLAGS, ROOT, chromium, serve

PICTURE = ROOT / ".github" / "picture.png"


def main() -> None:
    with serve() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page.goto(f"{address}/scores")
        settle(page)
        page.screenshot(path=str(PICTURE))
        browser.close()
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
