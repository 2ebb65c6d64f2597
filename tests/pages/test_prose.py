"""The words: both languages say the same things, and a reader's own words are never read as markup."""

import ast
import re
import string
from pathlib import Path

import pytest
from each import each
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attention import tokenize
from attention.tensors import TENSORS
from pages import PAGES
from pages.ui.figures.panels import token_labels
from pages.ui.words.labels import _LABELS, label
from pages.ui.words.prose import code, facts_in, fill, number, sections, written

PROPERTY = settings(max_examples=100, deadline=None, derandomize=True)
FOLDER = Path(__file__).parents[2] / "pages"
LANGUAGES = ("en", "zh")
PAGE = each("page", PAGES)
PROSE = each("page", [*PAGES, "ui"])  # and what all pages share
LANG = each("lang", LANGUAGES)
CJK = re.compile("[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
HAN = re.compile("[\u4e00-\u9fff]")
FACT = re.compile(r"\[\[(.*?)\]\]")


def read(page, lang):
    """Name and body of every section, read line by line, and the title first."""
    lines = (FOLDER / page / f"{lang}.md").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    found = [("title", lines[0].removeprefix("# "))]
    for line in lines[1:]:
        if line.startswith("## "):
            found.append((line.removeprefix("## "), ""))
        else:
            name, body = found.pop()
            found.append((name, f"{body}\n{line}"))
    return [(name, body.strip()) for name, body in found]


@PROSE
@LANG
def test_sections_are_read_as_they_are_written(page, lang):
    assert dict(sections(page, lang)) == dict(read(page, lang))


@PROSE
@LANG
def test_no_section_is_named_twice_or_left_empty(page, lang):
    names = [name for name, _ in read(page, lang)]
    assert len(set(names)) == len(names)
    assert [name for name, body in read(page, lang) if not body] == []


@PROSE
def test_both_languages_have_the_same_sections_in_the_same_order(page):
    assert [name for name, _ in read(page, "en")] == [name for name, _ in read(page, "zh")]


@PROSE
def test_both_languages_state_the_same_facts_in_each_section(page):
    english, chinese = ({name: set(FACT.findall(body)) for name, body in read(page, lang)} for lang in LANGUAGES)
    assert english == chinese


@PROSE
@LANG
def test_every_place_for_a_fact_is_well_formed(page, lang):
    for name, body in read(page, lang):
        assert facts_in(body) == set(FACT.findall(body)), name
        rest = FACT.sub("", body)
        assert "[[" not in rest, name
        assert "]]" not in rest, name


@PROSE
@LANG
def test_formulas_bold_and_code_are_closed(page, lang):
    for name, body in read(page, lang):
        for paragraph in body.split("\n\n"):
            for mark in ("$", "**", "`"):
                assert paragraph.count(mark) % 2 == 0, f"{name}: {mark} is opened and not closed in {paragraph!r}"


@PROSE
def test_english_pages_hold_no_chinese_character(page):
    assert CJK.findall((FOLDER / page / "en.md").read_text(encoding="utf-8")) == []


@PROSE
def test_every_section_of_a_chinese_page_is_chinese(page):
    assert [name for name, body in read(page, "zh") if not HAN.search(body)] == []


@PROSE
def test_a_chinese_section_is_not_the_english_one(page):
    assert [name for name, body in read(page, "zh") if body == dict(read(page, "en"))[name]] == []


@each("name", _LABELS)
def test_a_label_speaks_both_languages_and_states_the_same_facts(name):
    english, chinese = (label(name, lang) for lang in LANGUAGES)
    assert english.strip()
    assert chinese.strip()
    assert not CJK.search(english)
    assert set(FACT.findall(english)) == set(FACT.findall(chinese))


def test_a_label_has_its_facts_filled_in_either_language():
    assert label("you_are_here", "en", number=3, count=7) == "Step 3 of 7"
    assert label("you_are_here", "zh", number=3, count=7) == "第 3 步，共 7 步"


def test_an_unknown_label_is_an_error_and_not_an_empty_place():
    with pytest.raises(KeyError):
        label("no such label", "en")


@PAGE
@LANG
def test_every_page_has_a_short_label_and_a_title(page, lang):
    assert label(page, lang)
    assert sections(page, lang)["title"]


def sentences_in(source):
    """Strings of Python code that hold three lower-case words in a row, docstrings left out."""
    tree = ast.parse(source)
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and ast.get_docstring(node) is not None
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
        and (re.search(r"\b[a-z]+ [a-z]+ [a-z]+\b", node.value) or HAN.search(node.value))
    ]


@each(
    "source",
    [
        "here.say('the row that you follow')",
        "f'{a} is the largest of {b}'",
        "x = {'why': 'Because rows sum to one.'}",
        "def f():\n    '''A docstring may speak here.'''\n    return 'so may not this'",
        "st.markdown('权重')",
    ],
)
def test_the_search_for_sentences_finds_a_planted_one(source):
    assert len(sentences_in(source)) == 1


def test_the_search_for_sentences_passes_symbols_keys_and_docstrings():
    assert (
        sentences_in('"""The whole page as one docstring."""\nx = [r"\\frac{a}{b} \\; c", "axis_query", "Q, K, V"]')
        == []
    )


@PAGE
def test_no_sentence_for_the_reader_is_a_python_string(page):
    assert sentences_in((FOLDER / page / "page.py").read_text(encoding="utf-8")) == []


@each("name", ["inspector", "terms", "compare", "quiz", "frame", "lesson", "tensors", "pointer"])
def test_no_sentence_for_the_reader_is_a_python_string_of_what_pages_share(name):
    names_of_languages = ["中文"]  # which every language writes in its own
    found = sentences_in((FOLDER / "ui" / f"{name}.py").read_text(encoding="utf-8"))
    assert [sentence for sentence in found if sentence not in names_of_languages] == []


SHARED = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "ui").glob("*.py"))


@each("name", [name for name, _ in read("ui", "en") if name not in ("title", *TENSORS)])
def test_every_section_that_all_pages_share_is_shown_somewhere(name):
    stem, _, end = name.rpartition("_")
    whole = rf"(?<!state)\[[\"']{name}[\"']|(?:return|else) \"{name}\""
    family = rf"f\"{stem}_{{|}}_{end}\"|in \(.*\"{stem}\".*\)"
    assert re.search(f"{whole}|{family}" if stem else whole, SHARED)


@LANG
def test_every_tensor_is_spoken_of_when_a_reader_asks_about_it(lang):
    assert set(TENSORS) <= set(sections("ui", lang))


MARKUP = [
    "[[key]]",
    "[[query]] [[key]]",
    r"\1 \g<0> \g<key>",
    "$x$",
    ":red[x]",
    "~~x~~",
    "**x**",
    "<script>alert(1)</script>",
    "%{z}",
    "{key}",
    "a`b",
]


@each("text", MARKUP)
def test_text_in_a_fact_is_put_in_letter_by_letter_and_never_filled_again(text):
    filled = fill("[[query]] likes [[key]].", {"query": text, "key": "fish"})
    assert filled == f"{text} likes fish."


def test_a_missing_fact_is_an_error_and_not_a_hole_in_the_sentence():
    with pytest.raises(KeyError, match="key"):
        fill("[[query]] likes [[key]].", {"query": "cat"})


def test_a_text_without_facts_is_left_as_it_is():
    text = r"[x](y) [z] $\sqrt{[d]}$ [[]] [[not a fact]]"
    assert fill(text, {}) == text


@each(
    "fact, shown",
    [
        (3, "3"),
        (-3, "−3"),
        (0.5, "0.50"),
        (-1.234, "−1.23"),
        (2.996, "3.00"),
        (1234.5, "1234.50"),
        (0.005, "0.01"),
        (0.0049, "4.9e−3"),
        (-0.0049, "−4.9e−3"),
        (3.1e-8, "3.1e−8"),
        (0.0, "0.00"),
        ("`0 a-b`", "`0 a-b`"),
    ],
)
def test_facts_as_the_reader_sees_them_by_hand(fact, shown):
    assert written(fact) == shown


def test_zero_has_no_sign():
    assert number(-0.0) == "0.00"


@PROPERTY
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
@example(0.005)
@example(0.00499999)
@example(-5e-324)
def test_a_number_reads_back_as_itself_and_never_as_zero(value):
    shown = number(value)
    back = float(shown.replace("−", "-"))
    assert "-" not in shown
    if abs(value) >= 0.005:
        assert back == pytest.approx(value, rel=1e-12, abs=0.0051)
    else:
        assert back == pytest.approx(value, rel=0.051, abs=1e-320)
    assert (back == 0) == (value == 0)


def spans(text):
    """The code spans of one line of Markdown, by CommonMark 6.1: a run of backticks, closed by a run as long.

    Gives what stands outside, and each span's content with one space taken from both ends where both have one.
    """
    runs = [(match.start(), match.end()) for match in re.finditer("`+", text)]
    outside, inside, at = "", [], 0
    while runs:
        start, end = runs.pop(0)
        closing = next(((s, e) for s, e in runs if e - s == end - start), None)
        if closing is None:
            continue
        content = text[end : closing[0]]
        if content.startswith(" ") and content.endswith(" ") and content.strip(" "):
            content = content[1:-1]
        outside += text[at:start]
        inside.append(content)
        at = closing[1]
        runs = [run for run in runs if run[0] >= at]
    return outside + text[at:], inside


@each(
    "text, outside, inside",
    [
        ("`foo`", "", ["foo"]),
        ("`` foo ` bar ``", "", ["foo ` bar"]),
        ("` `` `", "", ["``"]),
        ("`foo``bar``", "`foo", ["bar"]),
        ("```foo``", "```foo``", []),
        ("a `b` c `d`", "a  c ", ["b", "d"]),
    ],
)
def test_the_reader_of_code_spans_agrees_with_the_examples_of_commonmark(text, outside, inside):
    assert spans(text) == (outside, inside)


# A label starts with its position, so that no text has blanks at its ends; tokens hold no line ends.
LABELS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("``` $:[]<~*_\\"), min_size=1).map(
    lambda text: f"0 {text}".strip()
)


@PROPERTY
@given(LABELS)
@example("0 `")
@example("0 ``")
@example("`")
@example("0 `a`` b```")
@example("0 \\`")
def test_no_text_breaks_out_of_its_code_span(text):
    assert spans(f"before {code(text)} after") == ("before  after", [text])


@PROPERTY
@given(LABELS, LABELS)
@example("0 `", "1 ``")
def test_two_texts_in_one_sentence_stay_two_code_spans(first, second):
    filled = fill("from [[first]] to [[second]].", {"first": code(first), "second": code(second)})
    assert spans(filled) == ("from  to .", [first, second])


@PROPERTY
@given(st.text(st.characters() | st.sampled_from("` \n\r\t\0\u2028$<")))
@example("a\n\nb ```\n# c")
def test_no_token_of_any_sentence_breaks_out_of_its_code_span(sentence):
    for text in token_labels(tokenize(sentence), markup=False):
        assert spans(f"before {code(text)} after") == ("before  after", [text])
        assert not set(text) & set("\n\r\v\f\0\x85\u2028\u2029")
        assert text[0] in string.digits
