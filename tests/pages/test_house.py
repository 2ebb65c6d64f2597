"""The house: who may import whom, what may be mentioned where, and what must not lie about."""

import ast
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from pages import LABS, OVERVIEW, PAGES, WALK

ROOT = Path(__file__).parents[2]
UI = ROOT / "pages" / "ui"
APP = ROOT / "app.py"
CORE = sorted((ROOT / "attention").rglob("*.py"))
SHARED = sorted(UI.rglob("*.py"))
OWN = sorted(path for slug in PAGES for path in (ROOT / "pages" / slug).rglob("*.py"))  # the pages', helpers and all
STEPS = sorted((ROOT / "pages").glob("*/page.py"))
CODE = [*CORE, *SHARED, *OWN, ROOT / "pages" / "__init__.py", APP]
CURRICULUM = ("embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")
VISIT = UI / "state" / "visit.py"
COMPAT = UI / "compat.py"


def imports_of(source, package=""):
    """Every module that Python code imports, with each name taken from it: "a.b" for "import a.b", "a.b:c" for
    "from a.b import c". Anywhere in the code, inside functions too; relative ones made absolute."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {f"{module}:{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("__import__", "import_module"):
            name = node.args[0]
            found.add(f"{name.value}" if isinstance(name, ast.Constant) else ast.unparse(name))
    return found


@cache
def imports(path):
    return imports_of(path.read_text(encoding="utf-8"), ".".join(path.parent.relative_to(ROOT).parts))


def module_of(name):
    return name.split(":")[0]


def top(module):
    return module_of(module).split(".")[0]


def is_standard(module):
    return top(module) in sys.stdlib_module_names


def is_in(name, package):
    """Whether what is imported is a module of a package, however it is written."""
    return f"{name.replace(':', '.')}.".startswith(f"{package}.")


def wrong(paths: Iterable[Path], search: Callable[[Path], Iterable[object]]) -> list[str]:
    """Everything that the search finds in these files, with the file's name."""
    return [f"{path.relative_to(ROOT)}: {found}" for path in paths for found in search(path)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import streamlit as st, a.b", {"streamlit", "a.b"}),
        ("from pages.scores import page", {"pages.scores:page"}),
        ("from pages import scores as s", {"pages:scores"}),
        ("def f():\n    import plotly", {"plotly"}),
        ("if True:\n    from ..scores.page import *", {"pages.scores.page:*"}),
        ("from . import page", {"pages.heads:page"}),
        ("__import__('pages.ui')", {"pages.ui"}),
        ("importlib.import_module('pages.ui')", {"pages.ui"}),
        ("import_module('pandas')", {"pandas"}),
        ("'import streamlit'  # import streamlit", set()),
    ],
)
def test_the_search_for_imports_finds_them_wherever_they_stand(source, found):
    assert imports_of(source, "pages.heads") == found


# Who may import whom.


def test_the_core_imports_only_torch_the_standard_library_and_itself():
    def foreign(path):
        extra = set()
        if path.relative_to(ROOT / "attention").parts[0] in ("pretrained", "pretrained.py"):
            extra = {"transformers", "huggingface_hub", "safetensors", "psutil"}  # the extra's; psutil: memory left
        own = {"torch", "attention"} | extra
        return [name for name in imports(path) if not is_standard(name) and top(name) not in own]

    assert wrong(CORE, foreign) == []


def test_a_page_imports_the_core_what_pages_share_and_its_own_folder_and_of_other_pages_the_list_alone():
    def foreign(path):
        tools = (
            {"streamlit"}
            if path.name == "page.py"
            else {"streamlit", "torch", "numpy", "plotly", "sympy", "markupsafe"}
        )
        own = f"pages.{path.relative_to(ROOT / 'pages').parts[0]}"

        def is_allowed(name):
            return (
                is_standard(name)
                or top(name) in {"attention", *tools}
                or any(is_in(name, package) for package in ("pages.ui", own))
                or name in ("pages:OVERVIEW", "pages:WALK", "pages:PAGES")
            )

        return [name for name in imports(path) if not is_allowed(name)]

    assert wrong(OWN, foreign) == []


def pages_in(path):
    return [name for name in imports(path) if any(is_in(name, f"pages.{slug}") for slug in PAGES)]


def test_what_pages_share_and_the_frame_import_no_page():
    assert wrong([*SHARED, APP], pages_in) == []


def test_the_search_for_pages_finds_a_helper_of_a_page_and_passes_a_module_of_the_same_name():
    assert pages_in(ROOT / "pages" / "training" / "page.py") == ["pages.training:heads"]
    assert pages_in(UI / "quiz" / "questions.py") == []
    assert any(name.startswith("pages.ui.quiz:embedding") for name in imports(UI / "quiz" / "questions.py"))


@cache
def reached_from(path):
    """Every module of the house that importing this file leads to, and all that those import."""
    seen, waiting, found = {path}, [path], set()
    while waiting:
        for name in imports(waiting.pop()):
            found.add(module_of(name))
            parts = name.replace(":", ".").split(".")
            for i in range(len(parts)):  # a package is imported before what lies in it
                base = ROOT.joinpath(*parts[: i + 1])
                for file in (base.with_suffix(".py"), base / "__init__.py"):
                    if file not in seen and file.is_file():
                        seen.add(file)
                        waiting.append(file)
    return found


def test_figures_and_words_know_nothing_of_streamlit_not_even_through_others():
    rooms = [path for room in ("figures", "words") for path in sorted((UI / room).rglob("*.py"))]
    assert len(rooms) >= 8
    assert wrong(rooms, lambda path: {name for name in reached_from(path) if top(name) == "streamlit"}) == []


def test_the_search_through_others_finds_streamlit_behind_a_page():
    assert "streamlit" in {top(module) for module in reached_from(ROOT / "pages" / "scores" / "page.py")}
    assert "plotly.graph_objects" in reached_from(ROOT / "pages" / "scores" / "page.py")
    assert "streamlit" in reached_from(UI / "quiz" / "box.py")


def test_a_helper_in_a_page_s_folder_is_one_that_the_page_uses():
    def unused(path):
        page = path.parent / "page.py"
        if path == page:
            return []
        used = {name.replace(":", ".") for name in imports(page)} | reached_from(page)
        return [] if f"pages.{path.parent.name}.{path.stem}" in used else ["used by nothing"]

    assert wrong(OWN, unused) == []


# What may be mentioned where.


def state_in(source):
    """Where code reaches for the visitor's state, the address or a cache of Streamlit's."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and top(node.module or "") == "streamlit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and node.value in ("session_state", "query_params"):
            found.add(node.value)
    return {name for name in found if name in ("session_state", "query_params", "cache_data", "cache_resource")}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("st.session_state['a'] = 1", {"session_state"}),
        ("def f():\n    return streamlit.query_params", {"query_params"}),
        ("from streamlit import session_state as s", {"session_state"}),
        ("getattr(st, 'session_state')", {"session_state"}),
        ("@st.cache_data\ndef f(): ...", {"cache_data"}),
        ("st.page_link(page, query_params=settings)  # st.session_state", set()),
    ],
)
def test_the_search_for_state_finds_it_wherever_it_stands(source, found):
    assert state_in(source) == found


def states(path):
    return state_in(path.read_text(encoding="utf-8"))


def test_the_visitor_s_state_and_the_address_are_touched_in_one_room_alone():
    touched = {"session_state", "query_params"}
    assert wrong([path for path in CODE if path != VISIT], lambda path: touched & states(path)) == []
    assert touched <= states(VISIT)


def test_streamlit_s_caches_are_used_by_what_pages_share_alone():
    caches = {"cache_data", "cache_resource"}
    assert wrong([path for path in CODE if path not in SHARED], lambda path: caches & states(path)) == []
    assert any(caches & states(path) for path in SHARED)


PRIVATE = ("streamlit.runtime", "streamlit.proto", "streamlit.web", "streamlit.config", "streamlit.components.v2")


def private_parts_in(source):
    """What code uses of Streamlit and Plotly that they do not promise to keep."""
    found = {name for name in imports_of(source) if any(is_in(name, part) for part in PRIVATE)}
    found |= {name for name in imports_of(source) if re.search(r"^(streamlit|plotly)\b.*[.:]_", name)}
    for node in ast.walk(ast.parse(source)):
        is_named = isinstance(node, ast.Attribute) and node.attr in ("template", "html", "runtime", "PagesManager")
        text = ast.unparse(node) if is_named else ""
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else text
        found |= set(re.findall(r"layout\.template$|index\.html$|st\.runtime\b|PagesManager$", text))
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from streamlit.runtime.scriptrunner import get_script_run_ctx",
        "from streamlit import runtime",
        "from streamlit import config",
        "import streamlit.proto.Block_pb2",
        "from streamlit.components.v2.bidi_component import main",
        "from plotly import _subplots",
        "figure.layout.template = None",
        "path / 'static' / 'index.html'",
        "st.runtime.get_instance()",
    ],
)
def test_the_search_for_private_parts_finds_them_however_they_are_written(source):
    assert private_parts_in(source)


def test_the_search_for_private_parts_passes_what_is_promised():
    promised = (
        "from streamlit.delta_generator import DeltaGenerator\nst.components.v2.component('a', js='')\nst.App('a')"
    )
    assert private_parts_in(promised) == set()


def test_private_parts_of_streamlit_and_plotly_are_used_in_one_file_alone():
    def private(path):
        return private_parts_in(path.read_text(encoding="utf-8"))

    assert wrong([path for path in CODE if path != COMPAT], private) == []
    assert private(COMPAT) >= {"streamlit.runtime.pages_manager:PagesManager", "layout.template", "index.html"}


# What lies where.


def test_no_loose_module_lies_in_pages_because_a_cold_server_would_serve_it_as_a_page():
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["__init__.py"]


def test_no_loose_module_lies_beside_the_rooms_but_those_that_join_them():
    joining = {"frame", "lesson", "lab", "panel", "stage", "navigation", "compare", "live", "server", "compat"}
    assert {path.stem for path in UI.glob("*.py")} == {"__init__"} | joining
    rooms = {path.name for path in UI.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == {"ask", "figures", "layers", "quiz", "state", "words"}
    assert [room for room in rooms if not (UI / room / "__init__.py").is_file()] == []


def test_the_table_of_contents_is_the_curriculum_in_order_after_the_overview():
    assert WALK == CURRICULUM
    assert (OVERVIEW, *CURRICULUM, *LABS) == PAGES


def test_every_folder_of_pages_is_in_the_table_of_contents_and_the_other_way_round():
    folders = {path.name for path in (ROOT / "pages").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {*PAGES, "ui"}


def test_a_page_is_one_module_its_words_in_two_languages_and_its_own_helpers():
    least = {"page.py", "en.md", "zh.md"}
    for slug in PAGES:
        files = {path.name for path in (ROOT / "pages" / slug).iterdir() if path.name != "__pycache__"}
        assert least - files == set(), slug
        assert {name for name in files - least if not re.fullmatch(r"[a-z]+\.py", name)} == set(), slug


LOOSE_ENDS = re.compile(r"#\s*type:\s*ignore|#\s*noqa|\b(TODO|FIXME|XXX|HACK)\b|\bbreakpoint\(|\bprint\(")


@pytest.mark.parametrize(
    "line", ["x = 1  # type: ignore", "x = 1  # type:ignore[arg-type]", "# TODO tidy", "import os  # noqa: F401"]
)
def test_the_search_for_loose_ends_finds_a_planted_one(line):
    assert LOOSE_ENDS.search(line)


def test_no_benchmark_has_the_name_of_a_library():
    """Run by its path, it would be imported in the library's place."""
    names = [path.stem for path in (ROOT / "tests" / "bench").glob("*.py")]
    assert len(names) > 5
    assert [name for name in names if find_spec(name)] == []


def test_the_readme_says_how_long_the_straight_line_of_the_core_is():
    straight = ("tokens", "config", "checks", "embedding", "weights", "functional", "trace")
    lines = sum(len((ROOT / "attention" / f"{name}.py").read_text(encoding="utf-8").splitlines()) for name in straight)
    (told,) = re.findall(r"some (\d+) lines", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert abs(lines - int(told)) < 60


def test_no_check_is_silenced_and_nothing_is_left_to_do():
    def loose(path):
        return [line for line in path.read_text(encoding="utf-8").splitlines() if LOOSE_ENDS.search(line)]

    assert wrong([*CODE, *sorted((ROOT / "pages").rglob("*.md")), *sorted(UI.rglob("*.js"))], loose) == []


def test_the_walk_through_the_house_has_found_its_rooms():
    assert len(CORE) >= 15
    assert {path.parent.name for path in STEPS} == set(PAGES)
    assert set(STEPS) < set(OWN)
    assert {"ask", "figures", "layers", "quiz", "state", "words", "ui"} <= {path.parent.name for path in SHARED}
