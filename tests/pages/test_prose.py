"""The words: both languages say the same things, and a reader's own words are never read as markup."""

import ast
import math
import re
import string
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from each import each
from hypothesis import example, given, settings
from hypothesis import strategies as st
from visiting import of_the_quiz

from attention import tokenize
from attention.tensors import TENSORS
from pages import PAGES
from pages.ui.figures.panels import token_labels
from pages.ui.state.settings import WEIGHTS
from pages.ui.words.labels import _LABELS, label
from pages.ui.words.numbers import number, percent, signed, written
from pages.ui.words.prose import code, facts_in, fill, of_weights, section, sections, shared

PROPERTY = settings(max_examples=100, deadline=None, derandomize=True)
FOLDER = Path(__file__).parents[2] / "pages"
SHARED = FOLDER / "ui" / "words"  # where the words that all pages share lie
LANGUAGES = ("en", "zh")
PAGE = each("page", PAGES)
PROSE = each("page", [*PAGES, "ui"])  # and what all pages share
LANG = each("lang", LANGUAGES)
CJK = re.compile("[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
HAN = re.compile("[\u4e00-\u9fff]")
FACT = re.compile(r"\[\[(.*?)\]\]")


def file_of(page, lang):
    return (SHARED if page == "ui" else FOLDER / page) / f"{lang}.md"


def read(page, lang):
    """Name and body of every section, read line by line, and the title first."""
    lines = file_of(page, lang).read_text(encoding="utf-8").splitlines()
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


def is_mark(char):
    return unicodedata.category(char)[0] in "PS"


@PROSE
@LANG
def test_bold_and_emphasis_open_and_close_where_markdown_lets_them(page, lang):
    """CommonMark, section 6.2: a run of * between punctuation and a letter opens, or closes, on the wrong side only."""
    broken = []
    for line in file_of(page, lang).read_text(encoding="utf-8").splitlines():
        plain = " " + re.sub(r"\$[^$]*\$|`[^`]*`|\[\[\w+\]\]", "x", line) + " "
        for run in (r"\*\*", r"(?<!\*)\*(?!\*)"):
            for place, mark in enumerate(re.finditer(run, plain)):
                inner, outer = plain[mark.end()], plain[mark.start() - 1]
                if place % 2:
                    inner, outer = outer, inner
                if inner.isspace() or (is_mark(inner) and not (outer.isspace() or is_mark(outer))):
                    broken.append(plain[max(0, mark.start() - 15) : mark.end() + 15])
    assert broken == []


@PROSE
def test_english_pages_hold_no_chinese_character(page):
    assert CJK.findall(file_of(page, "en").read_text(encoding="utf-8")) == []


@PROSE
def test_every_section_of_a_chinese_page_is_chinese(page):
    assert [name for name, body in read(page, "zh") if not HAN.search(body)] == []


@PROSE
def test_a_chinese_section_is_not_the_english_one(page):
    assert [name for name, body in read(page, "zh") if body == dict(read(page, "en"))[name]] == []


@each("name", _LABELS)
def test_a_label_speaks_both_languages_and_states_the_same_facts(name):
    english, chinese = _LABELS[name]
    assert english.strip()
    assert chinese.strip()
    assert not CJK.search(english)
    assert set(FACT.findall(english)) == set(FACT.findall(chinese)) == facts_in(english)


# Every text, filled.


def every_text():
    """Each text with its name and how it is filled: the sections of all pages and what they share, and the labels."""
    for lang in LANGUAGES:
        for page in (*PAGES, "ui"):
            for name, body in read(page, lang):
                yield f"{page} {name} {lang}", body, lambda facts, body=body: fill(body, facts)
        for name, texts in _LABELS.items():
            text = texts[LANGUAGES.index(lang)]
            yield f"label {name} {lang}", text, lambda facts, name=name, lang=lang: label(name, lang, **facts)


def marks(names):
    """Facts that are found again wherever they are put, whatever stands around them."""
    return {name: f"⟨{name}⟩" for name in sorted(names)}


def test_every_text_takes_exactly_its_facts_and_shows_each_of_them():
    texts = list(every_text())
    assert len(texts) > 500
    for name, text, filled in texts:
        facts = marks(FACT.findall(text))
        shown = filled(facts)
        assert all(fact in shown for fact in facts.values()), name
        assert "[[" not in shown, name
        assert re.sub("⟨\\w+⟩", "", shown) == FACT.sub("", text), name
        for fact in facts:
            with pytest.raises(KeyError, match=rf"\b{fact}\b"):
                filled({other: value for other, value in facts.items() if other != fact})
        with pytest.raises(KeyError, match="neverheardof"):
            filled({**facts, "neverheardof": 1})


def test_no_text_shows_a_number_with_a_power_of_ten_in_computer_s_writing():
    facts = dict.fromkeys(("small", "large", "below", "count"))
    facts |= {"small": 3.1e-7, "large": 1.5e12, "below": -2.2e-5, "count": 10**9}
    for name, text, filled in every_text():
        for value in facts.values():
            shown = filled(dict.fromkeys(FACT.findall(text), value))
            assert not re.search(r"\d[eE][+−-]?\d", shown), name


OF_ITS_OWN = {("embedding", "positions_real"): {"layer"}}  # told apart by the page itself


@each("page, lang, kind", [(page, lang, kind) for page in PAGES for lang in LANGUAGES for kind in WEIGHTS])
def test_every_section_has_a_text_for_each_kind_of_weights_that_takes_what_the_plain_one_takes(page, lang, kind):
    also = of_weights(kind, lang)
    assert set(also) == {"caution", "parameter"}
    texts = sections(page, lang)
    for name in (name for name in texts if not name.endswith(tuple(f"_{kind}" for kind in WEIGHTS))):
        text = section(page, lang, name, kind)
        assert text == texts.get(f"{name}_{kind}", texts[name]), name
        if name not in ("question", "answer"):  # whose facts need not all be told
            own = OF_ITS_OWN.get((page, f"{name}_{kind}"), set())
            assert facts_in(text) - set(also) == facts_in(texts[name]) - set(also) | own, name
        assert "[[" not in fill(text, {}, {**marks(facts_in(text)), **also}), name


@each("lang, kind", [(lang, kind) for lang in LANGUAGES for kind in WEIGHTS])
def test_what_is_said_of_a_kind_of_weights_is_whole_and_says_no_more(lang, kind):
    for text in of_weights(kind, lang).values():
        assert text
        assert facts_in(text) == set()


def test_a_text_that_all_pages_share_is_filled_like_any_other():
    assert shared("en", "rest", count=3) == "the other 3 terms"
    assert shared("en", "rest", {"count": 3, "more": 4}) == "the other 3 terms"
    with pytest.raises(KeyError, match="more"):
        shared("en", "rest", count=3, more=4)
    with pytest.raises(KeyError, match="count"):
        shared("en", "rest", {"more": 4})


# Labels.


def test_a_label_has_its_facts_filled_in_either_language():
    assert label("you_are_here", "en", number=3, count=7) == "Step 3 of 7"
    assert label("you_are_here", "zh", number=3, count=7) == "第 3 步，共 7 步"


def test_an_unknown_label_is_an_error_and_not_an_empty_place():
    with pytest.raises(KeyError):
        label("no such label", "en")


@LANG
def test_a_label_without_a_fact_or_with_one_too_many_is_an_error(lang):
    with pytest.raises(KeyError, match="count"):
        label("you_are_here", lang, number=3)
    with pytest.raises(KeyError, match="more"):
        label("you_are_here", lang, number=3, count=7, more=1)


@PAGE
@LANG
def test_every_page_has_a_short_label_and_a_title(page, lang):
    assert label(page, lang)
    assert sections(page, lang)["title"]


def sentences_in(source):
    """Strings of Python code that hold three lower-case words in a row, or Chinese of more than one character.

    Docstrings and errors are left out: no reader sees them.
    """
    tree = ast.parse(source)
    errors = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
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
        and id(node) not in documents | errors
        and (re.search(r"\b[a-z]+ [a-z]+ [a-z]+\b", node.value) or (HAN.search(node.value) and len(node.value) > 1))
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


def test_no_sentence_for_the_reader_is_a_python_string():
    """Save for the catalogue of labels, and for the sentences that a reader can start from."""
    data = [SHARED / "labels.py", FOLDER / "ui" / "state" / "examples.py"]
    names_of_languages = "中文"  # which every language writes in its own
    paths = [path for path in sorted(FOLDER.rglob("*.py")) if path not in data]
    assert len(paths) > 40
    found = [(path.name, text) for path in paths for text in sentences_in(path.read_text(encoding="utf-8"))]
    assert [(name, text) for name, text in found if text != names_of_languages] == []


def names_in(source, labels=False):
    """Names that code can mean: whole strings, and patterns of strings with holes. labels: those of labels too."""
    tree, whole, patterns = ast.parse(source), set(), set()
    of_labels = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] in ("label", "name")
        for part in ast.walk(node.args[0])
    }
    for node in ast.walk(tree):
        if id(node) in of_labels and not labels:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values]
            if any(isinstance(part, ast.Constant) and re.search("[a-z]", part.value) for part in node.values):
                patterns.add("".join(parts))
    return whole, patterns


def used_by(sources, names, labels=False):
    """Those of the names that the code means somewhere."""
    found = [names_in(source, labels) for source in sources]
    whole, patterns = (set().union(*each_source) for each_source in zip(*found, strict=True))
    of_kinds = {f"{name}_{kind}" for name in whole & {"caution", "parameter"} for kind in WEIGHTS}
    return {name for name in names if name in whole | of_kinds or any(re.fullmatch(p, name) for p in patterns)}


@each(
    "source, is_used",
    [
        ("shared(lang, 'rest')", True),
        ("shared(lang, 'rest' if few else 'whole')", True),
        ("shared(lang, f'{name}st')", True),
        ("shared(lang, f're{name}')", True),
        ("shared(lang, f'{stem}_{kind}')", False),
        ("label('rest', lang)", False),
        ("here.name('rest')", False),
        ("shared(lang, 'the rest')", False),
        ("# rest", False),
    ],
)
def test_the_search_for_names_finds_a_planted_one(source, is_used):
    assert used_by([source], ["rest"]) == ({"rest"} if is_used else set())


def test_every_section_that_all_pages_share_is_shown_somewhere():
    names = {name for name, _ in read("ui", "en")} - set(TENSORS)  # a tensor's is named after it
    sources = [path.read_text(encoding="utf-8") for path in sorted((FOLDER / "ui").rglob("*.py"))]
    assert names - used_by(sources, names) == set()


@PAGE
def test_every_section_of_a_page_is_shown_somewhere(page):
    """Those of its questions are looked for where they are asked."""
    names = {name for name, _ in read(page, "en")} - of_the_quiz(page)
    shared = ("ui/lesson.py", "ui/lab.py", "ui/words/terms.py")
    paths = [*sorted((FOLDER / page).glob("*.py")), *(FOLDER / name for name in shared)]
    used = used_by([path.read_text(encoding="utf-8") for path in paths], names)
    of_kinds = {f"{name}_{kind}" for name in used for kind in WEIGHTS}
    assert names - used - of_kinds == set()


def test_every_label_is_shown_somewhere():
    sources = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.py")) if path.name != "labels.py"]
    assert set(_LABELS) - used_by(sources, _LABELS, labels=True) - set(PAGES) == set()


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
        (0.006, "0.01"),
        (0.0049, "0.0049"),
        (-0.0049, "−0.0049"),
        (0.000064, "0.000064"),
        (3.1e-8, "0.000000031"),
        (3.1e-9, "≈ 0"),
        (-3.1e-9, "≈ 0"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (0.994, "0.99"),
        (0.9962, "0.996"),
        (-0.9962, "−0.996"),
        (0.9999, "0.9999"),
        (0.99999996, "1.00"),
        (1.0, "1.00"),
        (1.004, "1.00"),
        (1e15, "1000000000000000.00"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        ("`0 a-b`", "`0 a-b`"),
    ],
)
def test_facts_as_the_reader_sees_them_by_hand(fact, shown):
    assert written(fact) == shown


@each(
    "share, shown",
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "100"),
        (0.5, "50.0"),
        (0.996, "99.6"),
        (0.99949, "99.9"),
        (0.9996, "99.96"),
        (0.99999, "99.999"),
        (0.99999999, "100"),
        (0.0004, "0.04"),
        (0.00051, "0.1"),
        (0.0000004, "0.00004"),
        (1e-12, "≈ 0"),
        (-0.25, "−25.0"),
        (-0.0004, "−0.04"),
        (1.25, "125.0"),
    ],
)
def test_shares_as_the_reader_sees_them_by_hand(share, shown):
    assert percent(share) == shown


@each("value, shown", [(0, "0"), (1, "+1"), (-1, "−1"), (12, "+12"), (-12, "−12")])
def test_steps_as_the_reader_sees_them_by_hand(value, shown):
    assert signed(value) == shown


def is_well_written(shown, value):
    """Digits and nothing else, a true minus sign where the number is negative, right to half its last place."""
    assert re.fullmatch(r"−?\d+(\.\d+)?", shown)
    digits = Decimal(shown.replace("−", "-"))
    assert (digits < 0) == (value < 0)
    assert abs(digits - value) <= Decimal(10) ** digits.as_tuple().exponent / 2
    return digits


VALUES = st.floats(-1e12, 1e12) | st.floats(-1.1, 1.1) | st.floats(-1e-5, 1e-5)


@PROPERTY
@given(VALUES)
@example(0.005)
@example(0.00499999)
@example(0.995)
@example(1 - 1.1e-6)
@example(1 - 1e-7)
@example(math.nextafter(1 - 1e-6, 0))
@example(1e-8)
@example(math.nextafter(1e-8, 0))
@example(-5e-324)
def test_a_number_is_right_to_its_last_place_and_never_0_or_1_for_what_is_not(value):
    shown = number(value)
    if shown == "≈ 0":
        assert 0 < abs(value) < 1e-8
        return
    digits = is_well_written(shown, Decimal(value))
    assert (digits == 0) == (value == 0)
    if abs(value) < 1 - 1e-6:
        assert abs(digits) < 1
    if 1e-8 <= abs(value) < 0.005:
        assert len(shown.lstrip("−0.")) >= 2  # two digits of its own, at least


@PROPERTY
@given(VALUES | st.floats(0, 1))
@example(1 - 1.1e-6)
@example(1 - 1e-7)
@example(math.nextafter(1 - 1e-6, 0))
@example(1e-7)
@example(math.nextafter(1e-7, 0))
@example(5e-324)
@example(0.0005)
def test_a_share_is_right_to_its_last_place_and_never_none_or_all_of_it_for_what_is_not(share):
    shown = percent(share)
    if shown == "≈ 0":
        assert 0 < abs(share) < 1e-7
        return
    # The share is a float, and so is a hundred of it: their last bits are no matter of writing.
    digits = is_well_written(shown, Decimal(100 * share))
    assert (digits == 0) == (share == 0)
    if abs(share) < 1 - 1e-6:
        assert abs(digits) < 100


@PROPERTY
@given(st.integers())
def test_a_whole_number_is_written_digit_by_digit_and_with_its_sign_where_it_is_a_step(value):
    assert written(value) == f"{value}".replace("-", "−")
    assert signed(value) == ("+" if value > 0 else "") + written(value)


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
    for text in token_labels(tokenize(sentence)):
        assert spans(f"before {code(text)} after") == ("before  after", [text])
        assert not set(text) & set("\n\r\v\f\0\x85\u2028\u2029")
        assert text[0] in string.digits
