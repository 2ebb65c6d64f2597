"""The terms as a table in HTML; its links are taken by pointer.js like those of the frame."""

from markupsafe import Markup

from pages.glossary.terms import TERMS, Term
from pages.ui import navigation
from pages.ui.lesson import Page
from pages.ui.words.prose import section

_COLUMNS = ("term", "other", "symbol", "code", "meaning")


def table(here: Page) -> Markup:
    """All terms, in the order in which a reader meets them."""
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(here.text(f"column_{name}")) for name in _COLUMNS)
    lines = Markup("").join(_line(here, term) for term in TERMS)
    return Markup("<table class='glossary'><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, lines)


def _line(here: Page, term: Term) -> Markup:
    other = "zh" if here.lang == "en" else "en"
    cells = (
        navigation.link(here.settings, term.page, here.text(f"term_{term.name}")),
        Markup("<span lang='{}'>{}</span>").format(other, section(here.page, other, f"term_{term.name}", "")),
        Markup(term.symbol),
        Markup("<code>{}</code>").format(term.code) if term.code else "",
        Markup(here.text(f"is_{term.name}")),
    )
    row = Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup("<tr id='{}'>{}</tr>").format(term.name, row)
