"""The glossary's terms in running text: linked at their first use, and nothing else is changed."""

import re
from urllib.parse import urlsplit

import pytest
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from visiting import LANGUAGES

from attention.tensors import TENSORS
from pages import PAGES
from pages.glossary.terms import TERMS
from pages.ui.words.prose import code, sections
from pages.ui.words.terms import linked

LINK = re.compile(r'\[([^\]]*)\]\((/glossary\?lang=(\w+)#(\w+)) "([^"]*)"\)')
PROSE = [(page, lang, name) for page in (*PAGES, "ui") for lang in LANGUAGES for name in sections(page, lang)]
PROSE = [case for case in PROSE if case[0] != "glossary"]


def text_of(page: str, lang: str, name: str) -> str:
    """A section with some number for every fact, as a page writes it."""
    return re.sub(r"\[\[\w+\]\]", "7", sections(page, lang)[name])


def plain(text: str) -> str:
    """Without the links."""
    return LINK.sub(r"\1", text)


def test_a_letter_stands_for_the_same_tensor_in_the_glossary_and_in_the_formulas_of_the_steps():
    letters = {known.symbol: known.name for known in TENSORS.values()}
    shared = [term for term in TERMS if term.symbol in letters]
    assert len(shared) >= 5
    assert [term.name for term in shared if letters[term.symbol] != term.code] == []


@each("page, lang, name", PROSE)
def test_links_change_no_word_and_lead_to_a_row_that_is_there(page, lang, name):
    text = text_of(page, lang, name)
    made = linked(text, lang, set())
    assert plain(made) == text
    found = LINK.findall(made)
    assert len({term for *_, term, _ in found}) == len(found)  # at the first use alone
    assert {term for *_, term, _ in found} <= {term.name for term in TERMS}
    for _, address, spoken, _, about in found:
        assert urlsplit(address).path.strip("/") in PAGES
        assert spoken == lang
        assert about
        assert not re.search(r"[<>$`\n]", about)


@each("page, lang, name", PROSE)
def test_what_is_bold_opens_and_closes_where_it_did(page, lang, name):
    made = f" {linked(text_of(page, lang, name), lang, set())} "
    for link in LINK.finditer(made):
        assert "*" not in (made[link.start() - 1], made[link.end()])
        assert link[1].strip("*").count("*") == 0


@pytest.mark.parametrize(
    ("lang", "text", "names"),
    [
        ("en", "Each **query** meets every key; the queries and keys of a head.", ["query", "key", "head"]),
        ("en", "An attention weight is no weight matrix, weighted or not.", ["weight"]),
        ("en", "The dot product, `query` in code, $key$ in a formula, keystone, [a value](x).", ["dot"]),
        ("en", "# The query\n\nand **its key**, then a causal mask before a mask.", ["causal", "mask"]),
        ("zh", "把**查询**和键比较，期望值不是值，开头不是头。", ["query", "key", "value", "head"]),
        ("zh", "注意力权重与权重矩阵，**键的值**。", ["weight"]),
    ],
)
def test_a_term_is_known_by_its_spellings_and_not_by_their_parts(lang, text, names):
    assert [name for *_, name, _ in LINK.findall(linked(text, lang, set()))] == names


def test_what_was_used_before_is_not_linked_again():
    known = {"query"}
    assert [name for *_, name, _ in LINK.findall(linked("query, key", "en", known))] == ["key"]
    assert known == {"query", "key"}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.sampled_from('ab`[]()*_$key 键query\\"<>')).filter(lambda text: text.strip()))
def test_a_readers_own_words_stay_as_they_are(typed):
    shown = code(" ".join(typed.split()))
    assert f"before {shown} after" in linked(f"before {shown} after", "en", set())


@each("lang", LANGUAGES)
def test_most_pages_explain_a_term_where_it_is_first_used(lang):
    bare = [
        page
        for page in PAGES
        if page != "glossary" and not LINK.search(linked("\n".join(sections(page, lang).values()), lang, set()))
    ]
    assert bare == []
