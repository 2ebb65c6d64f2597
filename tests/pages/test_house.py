"""The house: who may import whom, what may be mentioned where, and what must not lie about."""

import ast
import re
import sys
from pathlib import Path

from each import each

from pages import LABS, OVERVIEW, PAGES, WALK

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "attention").rglob("*.py"))
UI = sorted((ROOT / "pages" / "ui").glob("*.py"))
STEPS = sorted((ROOT / "pages").glob("*/page.py"))
APP = ROOT / "app.py"
CURRICULUM = ("embedding", "projections", "scores", "scaling", "softmax", "weighted_sum", "heads")


def named(paths):
    return each("path", paths)


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
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            found.add(f"{ast.literal_eval(node.args[0])}")
    return found


def imports(path):
    return imports_of(path.read_text(encoding="utf-8"), ".".join(path.parent.relative_to(ROOT).parts))


def modules(path):
    return {name.split(":")[0] for name in imports(path)}


def top(module):
    return module.split(".")[0]


def is_standard(module):
    return top(module) in sys.stdlib_module_names


@each(
    "source, found",
    [
        ("import streamlit as st, a.b", {"streamlit", "a.b"}),
        ("from pages.scores import page", {"pages.scores:page"}),
        ("from pages import scores as s", {"pages:scores"}),
        ("def f():\n    import plotly", {"plotly"}),
        ("if True:\n    from ..scores.page import *", {"pages.scores.page:*"}),
        ("from . import page", {"pages.heads:page"}),
        ("__import__('pages.ui')", {"pages.ui"}),
        ("'import streamlit'  # import streamlit", set()),
    ],
)
def test_the_search_for_imports_finds_them_wherever_they_stand(source, found):
    assert imports_of(source, "pages.heads") == found


@named(CORE)
def test_the_core_imports_only_torch_the_standard_library_and_itself(path):
    extra = {"transformers", "huggingface_hub"} if path.name == "pretrained.py" else set()  # the extra's, see there
    assert {m for m in modules(path) if not is_standard(m) and top(m) not in {"torch", "attention"} | extra} == set()


@named(STEPS)
def test_a_page_imports_only_streamlit_the_core_the_list_of_pages_and_what_pages_share(path):
    def is_allowed(name):
        module = name.split(":")[0]
        return (
            is_standard(module)
            or module == "streamlit"
            or top(module) == "attention"
            or f"{module}.".startswith("pages.ui.")
            or name in ("pages:OVERVIEW", "pages:WALK", "pages:PAGES")
        )

    assert {name for name in imports(path) if not is_allowed(name)} == set()


@named([*UI, APP])
def test_what_pages_share_and_the_frame_import_no_page(path):
    of_pages = {name for name in imports(path) if top(name.split(":")[0]) == "pages"}
    slugs = {slug for slug in PAGES if any(re.search(rf"\b{slug}\b", name) for name in of_pages)}
    assert slugs == set()


def reached_from(path):
    """Every module of the house that importing this file leads to, and all that those import."""
    seen, waiting, found = set(), [path], set()
    while waiting:
        current = waiting.pop()
        seen.add(current)
        for name in imports(current):
            module = name.split(":")[0]
            found.add(module)
            for dotted in (module, name.replace(":", ".")):
                base = ROOT.joinpath(*dotted.split("."))
                for file in (base.with_suffix(".py"), base / "__init__.py"):
                    if file.is_file() and file not in seen:
                        waiting.append(file)
    return found


@each("name", ["figures", "colors"])
def test_figures_and_colours_know_nothing_of_streamlit_not_even_through_others(name):
    reached = {top(module) for module in reached_from(ROOT / "pages" / "ui" / f"{name}.py")}
    assert "streamlit" not in reached


def test_the_search_through_others_finds_streamlit_behind_a_page():
    assert "streamlit" in {top(module) for module in reached_from(ROOT / "pages" / "scores" / "page.py")}
    assert "plotly.graph_objects" in reached_from(ROOT / "pages" / "scores" / "page.py")


STATE = re.compile(r"\b(session_state|query_params|cache_\w+)\b")


@named([*CORE, *STEPS, APP, ROOT / "pages" / "__init__.py"])
def test_state_address_and_caches_are_touched_by_what_pages_share_alone(path):
    assert STATE.findall(path.read_text(encoding="utf-8")) == []


def test_the_search_for_state_finds_it_where_it_may_be():
    found = {name for path in UI for name in STATE.findall(path.read_text(encoding="utf-8"))}
    assert {"session_state", "query_params", "cache_resource"} <= found


def test_no_loose_module_lies_in_pages_because_a_cold_server_would_serve_it_as_a_page():
    assert [path.name for path in (ROOT / "pages").glob("*.py")] == ["__init__.py"]


def test_the_table_of_contents_is_the_curriculum_in_order_after_the_overview():
    assert WALK == CURRICULUM
    assert (OVERVIEW, *CURRICULUM, *LABS) == PAGES


def test_every_folder_of_pages_is_in_the_table_of_contents_and_the_other_way_round():
    folders = {path.name for path in (ROOT / "pages").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {*PAGES, "ui"}


@each("page", PAGES)
def test_a_page_is_one_module_and_its_words_in_two_languages(page):
    files = {path.name for path in (ROOT / "pages" / page).iterdir() if path.name != "__pycache__"}
    assert files == {"page.py", "en.md", "zh.md"}


LOOSE_ENDS = re.compile(r"#\s*type:\s*ignore|#\s*noqa|\b(TODO|FIXME|XXX|HACK)\b|\bbreakpoint\(|\bprint\(")


@each("line", ["x = 1  # type: ignore", "x = 1  # type:ignore[arg-type]", "# TODO tidy", "import os  # noqa: F401"])
def test_the_search_for_loose_ends_finds_a_planted_one(line):
    assert LOOSE_ENDS.search(line)


@named([*CORE, *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.md")), APP])
def test_no_check_is_silenced_and_nothing_is_left_to_do(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if LOOSE_ENDS.search(line)] == []


def test_the_walk_through_the_house_has_found_its_rooms():
    assert len(CORE) >= 5
    assert {path.parent.name for path in STEPS} == set(PAGES)
    assert {"figures.py", "colors.py", "frame.py"} <= {path.name for path in UI}
