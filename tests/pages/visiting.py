"""A visit to the app without a browser: what one run put on a page, and what the settings of its address ask for.

The app runs in streamlit's AppTest, which always runs the whole script. A Visit runs what a browser would: a widget
that belongs to a fragment runs that fragment alone, and what it drew replaces what it had drawn before.
"""

import base64
import html
import json
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from unittest.mock import MagicMock, patch

import numpy as np
import torch
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.testing.v1 import AppTest, app_test, local_script_runner
from streamlit.testing.v1.element_tree import (
    ElementTree,
    Widget,
    _has_pending_value,
    _unset_value_marker,
    parse_tree_from_messages,
)
from trained import layer as learned

from attention import (
    AttentionConfig,
    Edit,
    Learned,
    SentenceTrace,
    apply_edit,
    multi_head_attention,
    tokenize,
    trace_by_hand,
    trace_sentence,
)
from attention.grammar.batches import Batch, sentences, tokens_of
from attention.learn import Checkpoint, own_parts
from attention.trace import AttentionTrace
from pages import OVERVIEW, WALK
from pages.ui import lesson, panel
from pages.ui.state import visit
from pages.ui.state.examples import EXAMPLES
from pages.ui.state.settings import FACES
from pages.ui.words.labels import label
from pages.ui.words.prose import sections

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "zh")
WALKED = (OVERVIEW, *WALK)
BOXES = ("quiz", "inspector", "compare", "banner", "story", "unknown")


# Visiting.


_require_an_end = local_script_runner.require_widgets_deltas


class _Run(local_script_runner.LocalScriptRunner):
    """One run of the whole script, or of some of its fragments."""

    visit: "Visit"
    fragments: tuple[str, ...]

    def run(self, widget_state=None, query_params=None, timeout=60, page_hash="", context_info=None):
        whole = local_script_runner.RerunData
        self._requests = ScriptRequests()  # a fresh runner waits to run the whole script first
        if self.fragments:
            self._pages_manager._set_pages(self.visit._registered_pages)  # which alone says what pages there are

        def data(**options):
            back = self.visit.goes_back
            return whole(**options, fragment_id_queue=list(self.fragments), is_history_navigation=back)

        with (
            patch.object(local_script_runner, "RerunData", data),
            patch.object(local_script_runner, "parse_tree_from_messages", self.visit.merged),
            patch.object(local_script_runner, "require_widgets_deltas", _Run.wait),
        ):
            return super().run(widget_state, query_params, timeout, page_hash, context_info)

    def wait(self, timeout: float) -> None:
        """For the end of the run; looking a thousand times a second whether it has come would cost much of its time."""
        self._script_thread.join(timeout)
        if self._script_thread.is_alive():
            _require_an_end(self, 0)  # which stops the run, and says so

    def forward_msgs(self):
        starts = [
            data["fragment_ids_this_run"]
            for event, data in zip(self.events, self.event_data, strict=True)
            if event == ScriptRunnerEvent.SCRIPT_STARTED
        ]
        self.visit.ran.append(tuple(starts[-1] or ()) if starts else ())
        return super().forward_msgs()


# As on a server, all visits share what was compiled, and the components that were found.
_scripts = cache(ScriptCache)
_hashes: dict[tuple[str, ...], str] = {}


@cache
def _runtime() -> MagicMock:
    """What stands for the server; every run gives it stores of its own."""
    return MagicMock(spec=Runtime)


@cache
def _components() -> BidiComponentManager:
    found = BidiComponentManager()
    found.discover_and_register_components(start_file_watching=False)
    return found


class _Tree(ElementTree):
    """What is on screen after a run. Streamlit's own looks through it for forms again and again: the app has none."""

    @cached_property
    def nodes(self) -> list[object]:
        return list(super().__iter__())

    def __iter__(self):
        return iter(self.nodes)

    @property
    def widgets(self) -> list[Widget]:
        return [node for node in self.nodes if isinstance(node, Widget)]

    def get_widget_states(self) -> WidgetStates:
        return WidgetStates(widgets=[widget._widget_state for widget in self.widgets])

    def run(self, *, timeout=None):
        return self._runner._run(self.get_widget_states(), timeout=timeout)


def _is_changed(widget: Widget) -> bool:
    """Whether a test has given a widget another value than it had when the last run ended."""
    if not _has_pending_value(widget):
        return False
    now, (name, unset) = widget._widget_state, _unset_value_marker(widget)
    with patch.object(widget, name, unset):
        return now != widget._widget_state


class Visit(AppTest):
    """An AppTest whose every run is the one that a browser would ask for."""

    def __init__(self, *, first: bool = False, one_face: bool = False, **address: str):
        """first: with this address alone; otherwise at the small random layer, where the address says nothing else.

        one_face: as a reader sees the panel; otherwise all of its faces are drawn, one after the other.
        """
        super().__init__(ROOT / "app.py", default_timeout=60)
        if not first:
            heads = {} if "d_model" in address else {"num_heads": "2"}
            self.query_params.update({"weights": "random", "d_model": "8"} | heads)
        self.query_params.update(address)
        self.one_face = one_face
        self.reads_on = not one_face  # everything that a reader can have is drawn
        self.session_state["visit"] = visit.Visit(sets=True)  # as if the choice of a number were open
        self._bidi_component_manager = _components()
        self.messages = []
        self.ran: list[tuple[str, ...]] = []  # the fragments of every run; none: the whole script
        self._sent: list[WidgetState] = []
        self._page_shown = ""
        self._asked = ""  # the component that was asked last
        self.questions = 0  # that were asked so far
        self.older: list[WidgetState] = []  # what widgets say in the next run because they have not heard better yet
        self.goes_back = False  # whether the next run is one that the browser's back button asks for

    def merged(self, messages):
        """The messages on screen after a run: of a fragment's run, its own instead of those it drew before."""
        if fragments := self.ran[-1]:
            kept = [m for m in self.messages if not (m.HasField("delta") and m.delta.fragment_id in fragments)]
            messages = [*kept, *messages]
        self.messages = list(messages)
        tree = parse_tree_from_messages(self.messages)
        tree.__class__ = _Tree
        return tree

    def _run(self, widget_state=None, timeout=None):
        widgets = self._tree.widgets if isinstance(self._tree, _Tree) else []
        changed = [widget.id for widget in widgets if _is_changed(widget)] if widget_state is not None else []
        if widget_state is not None:
            known, names = {widget.id for widget in widgets}, [state.id for state in self._sent]
            older = {state.id: state for state in self.older}
            kept = [older.get(state.id, state) for state in widget_state.widgets if state.id not in names]
            del widget_state.widgets[:]
            widget_state.widgets.extend([*kept, *self._sent])
            changed += [name if name in known else self._asked for name in names]
        of = self._fragments() if changed else {}
        fragments = {of.get(name, "") for name in changed}
        is_whole = not fragments or "" in fragments or self._page_hash != self._page_shown
        if self._page_hash != self._page_shown:  # as no reader can, whom a link of ours or the back button leads there
            self.session_state["visit"].page = ""
        self._page_shown = self._page_hash
        run = type("Run", (_Run,), {"visit": self, "fragments": () if is_whole else tuple(sorted(fragments))})
        self._sent, self.older = [], []
        faces = (lambda face: (face,)) if self.one_face else (lambda _: FACES)
        with (
            patch.object(app_test, "LocalScriptRunner", run),
            patch.object(app_test, "MagicMock", lambda **_: _runtime()),
            patch.object(app_test, "ScriptCache", _scripts),
            patch.object(local_script_runner, "ScriptCache", _scripts),
            patch.object(panel, "shown", faces),
            patch.object(panel, "covering", panel.covering if self.one_face else lambda *_: None),
            patch.object(lesson, "reads_on", lambda: self.reads_on),
        ):
            super()._run(widget_state, timeout)
        return self

    def _fragments(self) -> dict[str, str]:
        """The fragment that drew each element which has an id; "" where the script itself did."""
        of = {}
        for message in self.messages:
            element = message.delta.new_element
            kind = element.WhichOneof("type") if message.HasField("delta") else None
            if kind:
                of[getattr(getattr(element, kind), "id", "")] = message.delta.fragment_id
        return of

    def _register_uploaded_files(self, script_runner) -> None:
        """Nothing in the app takes files, so that nothing need be searched for them."""

    def _resolve_page_hash(self, page_path_str: str) -> str:
        """Of a page's file; found once, as the same pages are registered in all visits."""
        known = (page_path_str, *self._registered_pages)
        if known not in _hashes:
            _hashes[known] = super()._resolve_page_hash(page_path_str)
        return _hashes[known]

    def _listener(self, key: str):
        of = [e.proto for e in every_child(self.main) if getattr(e, "type", "") == "bidi_component"]
        (listener,) = [proto for proto in of if proto.id.endswith(f"-{key}")]
        return listener

    @property
    def _pointer(self):
        return self._listener("pointer")

    def ask(self, question: object, of: str = "pointer") -> "Visit":
        """What pointer.js does with a click: send the question, and run what listens: a fragment, or all ("guide")."""
        self.questions += 1
        return self.bring([[self.questions, question]], of)

    def bring(self, value: object, of: str = "pointer") -> "Visit":
        """What the browser sends for one of our listeners."""
        payload = json.dumps([{"event": "ask", "value": value}])
        self._asked = self._listener(of).id
        self._sent = [WidgetState(id=_make_trigger_id(self._asked, "events"), json_trigger_value=payload)]
        self.run()
        return self

    def follow(self, slug: str) -> "Visit":
        """A click on a link to another page of ours."""
        return self.ask({"page": slug}, of="guide")

    def speak(self, lang: str) -> "Visit":
        """A click on another language."""
        return self.ask({"lang": lang}, of="guide")

    def back(self, **address: str) -> "Visit":
        """The browser's back or forward button, to an address that says this otherwise."""
        self.query_params.update(address)
        self.goes_back = True
        self.run()
        self.goes_back = False
        return self

    def turn(self, face: str) -> "Visit":
        """A click on a face of the panel."""
        self.button_group(key="face").set_value(face)
        return self.run()

    def send(self, key: str, **value: object) -> "Visit":
        """What any browser could send for a widget, whether it makes sense or not: WidgetState(**value)."""
        ids = [e.proto.id for e in every_child(self._tree) if getattr(e, "key", None) == key and hasattr(e, "proto")]
        self._sent = [WidgetState(id=ids[0], **value)]
        self.run()
        return self


def every_child(block) -> Iterator[object]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from every_child(child)


def _boxed(block, box: str = "") -> Iterator[tuple[str, object]]:
    """Every element with the name of the box that it stands in, "" for the page itself."""
    for child in getattr(block, "children", {}).values():
        key = getattr(child, "key", None) if hasattr(child, "children") else None
        inside = key if key in BOXES else box
        if getattr(child, "proto", None) is not None:
            yield inside, child
        yield from _boxed(child, inside)


@dataclass(frozen=True)
class Page:
    """What one run of the app put on the page."""

    slug: str
    lang: str
    at: AppTest = field(repr=False)
    boxed: tuple[tuple[str, object], ...] = field(repr=False)  # of the page and the sidebar, in order

    @property
    def elements(self) -> list[object]:
        return [element for _, element in self.boxed]

    def has(self, box: str) -> bool:
        return any(name == box for name, _ in self.boxed)

    def of(self, *kinds: str, box: str = "") -> list[str]:
        """The values of the page's own elements of these kinds, or of those in a box.

        "title": the first line of the heading. "latex": formulas that stand in a text of the page, too.
        """
        found = [element.value for name, element in self.boxed if name == box and element.type in kinds]
        texts = [element.value for name, element in self.boxed if name == box and element.type == "markdown"]
        if "title" in kinds:
            found += [text.partition("\n")[0].removeprefix("# ") for text in texts if text.startswith("# ")]
        if "latex" in kinds:
            found += [
                formula for text in texts for formula in re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.DOTALL | re.M)
            ]
        return found

    def charts_in(self, box: str) -> list[dict]:
        """Every picture in a box as a Plotly figure is told, those of the painter, too."""
        found: list[dict] = []
        for name, element in self.boxed:
            if name == box and element.type == "plotly_chart":
                found.append(json.loads(element.proto.spec))
            elif name == box and element.type == "bidi_component" and element.proto.bytes:
                found += as_charts(read_scene(element.proto.bytes))
        return found

    @cached_property
    def scene(self) -> dict:
        """The scene on the page's stage."""
        (found,) = [
            e.proto.bytes for _, e in self.boxed if e.type == "bidi_component" and e.proto.id.endswith("-picture")
        ]
        return read_scene(found)

    @cached_property
    def charts(self) -> list[dict]:
        return self.charts_in("")

    def html(self, box: str = "inspector") -> list[str]:
        return [e.proto.body for name, e in self.boxed if name == box and e.type == "html"]

    @cached_property
    def interpreted(self) -> list[str]:
        """Every text that the browser reads as Markdown: bodies, captions, and the labels of widgets and links."""
        found = []
        for element in self.elements:
            proto = element.proto
            if element.type in ("html", "bidi_component"):
                continue
            found += [
                getattr(proto, name) for name in ("body", "label", "help") if isinstance(getattr(proto, name, 0), str)
            ]
            if element.type == "button_group":
                found += [option.content for option in proto.options]
            if element.type == "radio":
                found += list(proto.options)
        return [text for text in found if text]

    @cached_property
    def said(self) -> dict[str, dict[str, str]]:
        """The sections of the page's prose that stand on it, each with its facts as they are shown."""
        return _said(self.of("markdown", "caption"), self.slug, self.lang)

    def said_in(self, box: str, folder: str = "ui") -> dict[str, dict[str, str]]:
        """The sections of a folder's prose that stand in a box, each with its facts as they are shown."""
        return _said(self.of("markdown", "caption", box=box), folder, self.lang)


def _said(texts: list[str], folder: str, lang: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        for name, facts in cut(text, folder, lang)[0]:
            assert name not in found, f"{name} is said twice"
            found[name] = facts
    return found


def cut(text: str, folder: str, lang: str) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """The sections of a folder's prose that stand in a text one after the other, and the paragraphs between them."""
    found, between, place = [], [], 0
    while place < len(text):
        matches = {
            name: match
            for name, template in sections(folder, lang).items()
            if name != "title" and may_begin(text, template, place) and (match := pattern(template).match(text, place))
        }
        end = max((match.end() for match in matches.values()), default=-1)
        found += [(name, match.groupdict()) for name, match in matches.items() if match.end() == end]
        if end < 0:
            end = text.find("\n\n", place) if "\n\n" in text[place:] else len(text)
            between.append(text[place:end])
        place = end
        while text[place : place + 1] == "\n":
            place += 1
    return found, between


_HEADING = re.compile(r"\*\*[^*]+\*\* · ")


def may_begin(text: str, template: str, place: int) -> bool:
    """Whether a section could stand there, by its words before the first fact: so few patterns need be made."""
    start, heading = template.partition("[[")[0], _HEADING.match(text, place)
    return text.startswith(start, place) or (heading is not None and text.startswith(start, heading.end()))


@cache
def pattern(template: str) -> re.Pattern[str]:
    """What a section looks like with any facts in it, and with the heading that a box puts before it."""
    parts = re.split(r"\[\[(\w+)\]\]", template)
    known: set[str] = set()
    found = f"(?:{_HEADING.pattern})?"
    for i, part in enumerate(parts):
        if i % 2 == 0:
            found += re.escape(part)
        else:
            found += f"(?P={part})" if part in known else rf"(?P<{part}>(?:(?!\n\n).)+?)"
            known.add(part)
    return re.compile(rf"{found}(?=\n\n|\Z)", re.DOTALL)


@cache
def of_the_quiz(slug: str) -> frozenset[str]:
    """The sections of a page's prose that only the quiz, the play and the list of what one can do then show."""
    names = sections(slug, "en")
    asked = {name.removeprefix("ask_") for name in names if name.startswith("ask_")}
    return frozenset(
        n for n in names if n.startswith(("ask_", "play_", "can_")) or any(n.startswith(f"{name}_") for name in asked)
    )


def look(at: AppTest, slug: str, lang: str = "en") -> Page:
    assert [error.message for error in at.exception] == []
    return Page(slug, lang, at, (*_boxed(at.main), *_boxed(at.sidebar)))


def start(*, first: bool = False, **address: str) -> Visit:
    return Visit(first=first, **address).run()


def go(at: AppTest, slug: str, lang: str = "en") -> Page:
    return look(at.switch_page(f"pages/{slug}/page.py").run(), slug, lang)


def walk(lang: str = "en", slugs: Sequence[str] = WALKED, **address: str) -> dict[str, Page]:
    """Some pages of the walk, or all of them, in one visit."""
    first = slugs[0]
    at = start(lang=lang, **address) if first == OVERVIEW else enter(first, lang, **address).at
    return {slug: look(at, slug, lang) if slug == first else go(at, slug, lang) for slug in slugs}


def enter(slug: str, /, lang: str = "en", *, first: bool = False, **address: str) -> Page:
    """A page opened by a link of its own, before any other of the visit; otherwise as start does."""
    visit = Visit(first=first, lang=lang, **address)
    visit._registered_pages = _pages()
    return go(visit, slug, lang)


def tabs_of(slug: str) -> int:
    """How many experiments a lab has, by the tabs that its words name; a lab without tabs has one."""
    return sum(name.startswith("tab_") for name in sections(slug, "en")) or 1


def enter_all(slug: str, /, lang: str = "en", **address: str) -> Page:
    """All experiments of a lab as one page: each opened by a link of its own, uncovered, with what it tells."""
    told = {"face": "notice", "questions": "0"} | address
    pages = [enter(slug, lang, **told, experiment=str(number)) for number in range(tabs_of(slug))]
    boxed, known = [], set()
    for page in pages:
        for box, element in page.boxed:
            text = element.value if element.type in ("markdown", "caption") else None
            if text is None or text not in known:  # the title, and what stands in the sidebar, once
                boxed.append((box, element))
        known |= {element.value for _, element in page.boxed if element.type in ("markdown", "caption")}
    return Page(slug, lang, pages[-1].at, tuple(boxed))


def radios(at: Visit) -> list:
    """What a question of a lab offers as answers."""
    return [radio for radio in at.radio if str(radio.key).startswith("quiz_")]


def assert_one_answer_is_right(at: Visit, slug: str, lang: str) -> None:
    """Of each question of the experiment on the stage that has answers to choose from; all say why."""
    while True:
        for radio in radios(at)[:1]:
            right = 0
            for option in range(len(radio.options)):
                (now,) = radios(at)
                now.set_value(option)
                at.run()
                look(at, slug, lang)
                (verdict,) = [box.value for box in (*at.success, *at.warning)]
                right += bool(at.success)
                assert len(verdict) > 15
                assert "[[" not in verdict
            assert right == 1, (slug, lang, radio.options)
        later = [button for button in at.button if button.key == "question_after"]
        if not later:
            return
        later[0].click()
        look(at.run(), slug, lang)


def assert_asks_before_it_tells(slug: str, number: int, lang: str, **address: str) -> None:
    """An experiment on learning: it tells nothing before the answer, one answer is right, and then it tells."""
    at = enter(slug, lang, experiment=str(number), face="notice", **address).at
    assert set(look(at, slug, lang).said) <= {"motivation", "story"}
    assert look(at, slug, lang).of("markdown")[-1] == label("notice_later", lang)
    at.turn("turn")
    if radios(at):  # elsewhere a number is asked for
        assert_one_answer_is_right(at, slug, lang)
    else:
        at.button(key="show_me").click()
        at.run()
    at.turn("notice")
    assert len(look(at, slug, lang).said) >= 2


def assert_needs_no_layer(monkeypatch, slug: str, **address: str) -> None:
    """A lab that shows other layers, or none, does not wait for the one in force."""

    def train(*_):
        raise AssertionError("a layer was trained")

    monkeypatch.setattr("pages.ui.layers.ready.training", train)
    page = enter(slug, questions="0", **address)
    assert not page.has("story")
    assert page.charts


@cache
def _pages() -> dict:
    """What pages there are, which an AppTest knows only after a run."""
    return Visit(sentence="").run()._registered_pages


def texts_of(chart: object) -> str:
    """All of a chart but its numbers, which come as letters too: any mark may turn up in those."""
    if isinstance(chart, dict):
        return "".join(f"{name} {texts_of(part)}\n" for name, part in chart.items() if name != "bdata")
    if isinstance(chart, list | tuple):
        return "\n".join(map(texts_of, chart))
    return str(chart)


def read_scene(packed: bytes) -> dict:
    """A packed scene by the words of its format, with the numbers and marks of each each as arrays."""
    (length,) = struct.unpack_from("<I", packed)
    scene, blocks = json.loads(packed[4 : 4 + length]), packed[4 + length :]
    assert length % 4 == 0
    for each in scene["panels"]:
        rows, columns = each["size"]
        for name, kind in (("values", "<f4"), ("closed", "u1"), ("changed", "u1")):
            if each[name] < 0:
                each[name] = None
                continue
            assert each[name] % 4 == 0
            each[name] = np.frombuffer(blocks, kind, rows * columns, each[name]).reshape(rows, columns)
    if scene["lines"]:
        size = scene["lines"]["size"]
        scene["lines"]["values"] = np.frombuffer(blocks, "<f4", int(np.prod(size)), scene["lines"]["values"]).reshape(
            size
        )
    return scene


def packed(values: np.ndarray) -> dict[str, str]:
    """Numbers as a Plotly figure is told them, which can be compared."""
    data = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
    return {"dtype": values.dtype.str, "bdata": data, "shape": ", ".join(map(str, values.shape))}


def as_charts(scene: dict) -> list[dict]:
    """The boards of a scene as Plotly figures would be told: heatmaps, marks of closed cells, titles and frames."""
    charts = []
    for number in range(len(scene["boards"])):
        chart: dict = {"data": [], "layout": {"annotations": [], "shapes": [], "meta": []}}
        for n, scale in enumerate(scene["scales"], start=1):
            low, high = (0, 1) if scale["kind"] == "share" else (-scale["limit"], scale["limit"])
            bar = {"title": {"text": scale["name"]}}
            chart["layout"][f"coloraxis{n}"] = {"cmin": low, "cmax": high, "kind": scale["kind"], "colorbar": bar}
        for i, each in enumerate(p for p in scene["panels"] if p["place"][0] == number):
            axes = {"xaxis": f"x{i + 1}", "yaxis": f"y{i + 1}"}
            places = {
                name: [html.escape(label, quote=False) for label in axis["labels"]]
                or list(range(axis["first"], axis["first"] + size))
                for name, axis, size in (
                    ("y", each["rows"], each["size"][0]),
                    ("x", each["columns"], each["size"][1]),
                )
            }
            values = each["values"].copy()
            if each["closed"] is not None:
                values[each["closed"] == 1] = np.nan
            color = f"coloraxis{each['scale'] + 1}"
            chart["data"].append(
                {"type": "heatmap", "z": packed(values), "coloraxis": color, "name": each["title"], **places, **axes}
            )
            if each["closed"] is not None:
                mark = np.where(each["closed"] == 1, 1.0, np.nan)
                told = {"hovertemplate": each["closed_text"]}
                chart["data"].append({"type": "heatmap", "z": packed(mark), **places, **axes, **told})
            chart["layout"]["annotations"].append({"text": f"<b>{each['title']}</b>  {each['shape']}"})
            view = each["view"]
            rows, columns = each["size"]
            place = {"axis": f"{i + 1}", "rows": rows, "columns": columns, "size": each["size"]}
            chart["layout"]["meta"].append(view | place | {"leads_to": each["leads_to"]})
            first = (each["rows"]["first"], each["columns"]["first"])
            frames = [(f["rows"], f["columns"], "solid") for f in each["outlines"]]
            if each["changed"] is not None:
                frames += [([r, r + 1], [c, c + 1], "dot") for r, c in np.argwhere(each["changed"]).tolist()]
            for down, across, dash in frames:
                down, across = down or [0, rows], across or [0, columns]
                ends = {f"y{k}": first[0] + down[k] - 0.5 for k in (0, 1)}
                ends |= {f"x{k}": first[1] + across[k] - 0.5 for k in (0, 1)}
                refs = {"xref": axes["xaxis"], "yref": axes["yaxis"]}
                chart["layout"]["shapes"].append({"type": "rect", "line": {"width": 2.5, "dash": dash}, **ends, **refs})
        charts.append(chart)
    return charts


def numbers(z: object) -> np.ndarray:
    if not isinstance(z, dict):
        return np.array(z, dtype=np.float32)
    flat = np.frombuffer(base64.b64decode(z["bdata"]), np.dtype(z["dtype"]))
    return flat.reshape([int(size) for size in z["shape"].split(",")])


def heatmaps(chart: dict) -> list[dict]:
    return [trace for trace in chart["data"] if trace["type"] == "heatmap" and "coloraxis" in trace]


# What the settings ask for.


RULES = {"embedding": "embeddings", "scores": "scores", "softmax": "attn_weights", "weighted_sum": "head_outputs"}


def held_out(layer: Learned, now: Checkpoint, config: AttentionConfig) -> tuple[Batch, torch.Tensor, AttentionTrace]:
    """The held-out sentences, their embeddings (N, L, d_model), and what the layer does with them."""
    batch = sentences(layer.language)[1]
    embeddings = now.kinds[batch.kinds] + own_parts(tokens_of(layer.language), layer.config)[batch.ids]
    x = embeddings + now.positions[: batch.ids.shape[1]] * config.positions
    switches = {"is_causal": config.causal, "scaled": config.scaled}
    return batch, embeddings, multi_head_attention(x, now.weights, attn_mask=batch.real[:, None, None, :], **switches)


def answers(
    layer: Learned, now: Checkpoint, config: AttentionConfig, head: int | None = None
) -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """The held-out sentences, where each head looks most in them, and for each word whether the layer names the right
    one of all words of the vocabulary and of the sentence. head: its outputs are 0 where they enter W_O.
    """
    (batch, embeddings, trace), tokens = held_out(layer, now, config), tokens_of(layer.language)
    heads = trace.head_outputs.clone()
    if head is not None:
        heads[:, head] = 0
    output = heads.transpose(1, 2).flatten(2) @ now.weights.w_o + now.weights.b_o
    right = torch.zeros_like(batch.real)
    vocabulary, table = [tokens.index(word) for word in layer.vocabulary], now.embedding
    for n, real in enumerate(batch.real):
        own = batch.ids[n][real]
        said = set(own.tolist())
        others = [i for i, word in enumerate(vocabulary) if word not in said]
        words = [*own.tolist(), *(vocabulary[i] for i in others)]
        nearest = (output[n][real] @ torch.cat([embeddings[n][real], table[others]]).T).argmax(dim=-1)
        meant = own[batch.referents[n][real]]
        right[n][real] = torch.tensor(words)[nearest] == meant
    return batch, trace.attn_weights.argmax(dim=-1), right


@lru_cache(maxsize=64)
def _traced(weights: str, text: str, config: AttentionConfig, hidden: tuple[int, ...]) -> SentenceTrace:
    return {"random": trace_sentence, "hand": trace_by_hand}[weights](text, config, hidden_keys=hidden)


@dataclass(frozen=True)
class Case:
    """The settings of an address, read by hand, and the trace that they ask for."""

    lang: str
    address: tuple[tuple[str, str], ...]

    @staticmethod
    def of(lang: str, **address: str) -> "Case":
        return Case(lang, tuple(address.items()))

    @cached_property
    def asked(self) -> dict[str, str]:
        return dict(self.address)

    @cached_property
    def edit(self) -> Edit | None:
        place, _, value = self.asked.get("edit", "").partition(":")
        tensor, *numbers = place.split(".")
        row, column, head = (*map(int, numbers), None)[:3] if tensor else (0, 0, None)
        return Edit(tensor, row, column, head, float(value)) if tensor else None

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        tokens = list(tokenize(self.asked.get("sentence", EXAMPLES[self.lang][0].sentence)[:200])[:64])
        if self.edit and self.edit.tensor == "tokens":
            first, second = self.edit.row, self.edit.column
            tokens[first], tokens[second] = tokens[second], tokens[first]
        return tuple(tokens)

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """Before which tokens the text has a space; two that change places leave the spaces where they are."""
        text, found, place = self.asked.get("sentence", EXAMPLES[self.lang][0].sentence)[:200], [], 0
        for position, token in enumerate(tokenize(text)[:64]):
            place = text.index(token, place)
            if position and text[place - 1].isspace():
                found.append(position)
            place += len(token)
        return tuple(found)

    @cached_property
    def query(self) -> int:
        """The row that is followed: in another sentence than the first one that of a pronoun, else of the last word."""
        first = EXAMPLES[self.lang][0]
        if "query" in self.asked or self.asked.get("sentence", first.sentence) == first.sentence:
            return int(self.asked.get("query", first.query))
        lower = [token.lower() for token in tokenize(self.asked["sentence"][:200])[:64]]
        pronouns = ["it", "he", "she", "they", "him", "her", "them", "its", "his", "their", "它", "他", "她"]
        places = [i for i, token in enumerate(lower) if token in pronouns]
        places = places or [i for i, token in enumerate(lower) if any(char.isalnum() for char in token)]
        return places[-1] if places else len(lower) - 1

    @cached_property
    def head(self) -> int:
        return int(self.asked.get("head", 0))

    @cached_property
    def config(self) -> AttentionConfig:
        return AttentionConfig(
            int(self.asked.get("d_model", 8)),
            int(self.asked.get("num_heads", 2)),
            causal=self.asked.get("causal") == "1",
            scaled=self.asked.get("scaled") != "0",
            positions=self.asked.get("positions") != "0",
            seed=int(self.asked.get("seed", 0)),
        )

    @cached_property
    def trained(self) -> AttentionConfig:
        """What the layer was trained with: the switches act on it afterwards, unless the address says otherwise."""
        usual = {} if self.asked.get("retrained") == "1" else {"causal": False, "scaled": True, "positions": True}
        return replace(self.config, **usual)

    @property
    def weights(self) -> str:
        return self.asked.get("weights", "random")

    @property
    def checkpoint(self) -> int:
        return int(self.asked.get("checkpoint", 10))

    @cached_property
    def learned(self) -> Learned:
        chinese = [token for token in self.tokens if "\u4e00" <= token <= "\u9fff"]
        language = "zh" if len(chinese) * 2 >= len(self.tokens) else "en"
        return learned(self.trained, language, divided=self.asked.get("divided") != "0")

    @cached_property
    def trace(self):
        hidden = [int(key) for key in self.asked.get("hidden", "").split("-") if key]
        text = self.asked.get("sentence", EXAMPLES[self.lang][0].sentence)[:200]
        if tokenize(text) != self.tokens:  # too long, or two words changed places
            text = " ".join(self.tokens)
        if self.weights == "learned":
            at = {"checkpoint": self.checkpoint, "gaps": self.gaps}
            trace = self.learned.trace(self.tokens, hidden_keys=hidden, switches=self.config, **at)
        else:
            trace = _traced(self.weights, text, self.config, tuple(hidden))
        return apply_edit(trace, self.edit) if self.edit and self.edit.tensor != "tokens" else trace

    def is_edited(self, tensor: str, row: int | None = None) -> bool:
        """Whether a number of that tensor (of that row) was set by hand in the chosen head, or the head silenced."""
        edit = self.edit
        if edit is None or edit.tensor != tensor or edit.head not in (None, self.head):
            return False
        return row in (None, edit.row) or tensor == "head_outputs"

    @cached_property
    def closed(self) -> torch.Tensor:
        """By the words of the settings: hidden keys, and with the causal mask every key after the query."""
        size = len(self.tokens)
        hidden = {int(key) for key in self.asked.get("hidden", "").split("-") if key}
        return torch.tensor([[k in hidden or (self.config.causal and k > q) for k in range(size)] for q in range(size)])

    def closed_weights(self, head: int) -> torch.Tensor:
        """The same, save for a weight of that head that was set there by hand."""
        closed, edit = self.closed.clone(), self.edit
        if edit and (edit.tensor, edit.head) == ("attn_weights", head) and edit.value:
            closed[edit.row, edit.column] = False
        return closed

    @property
    def is_closed(self) -> bool:
        return bool(self.closed_weights(self.head)[self.query].all())

    @cached_property
    def labels(self) -> list[str]:
        return [f"{i} {t if len(t) <= 12 else t[:11] + '…'}" for i, t in enumerate(self.tokens)]

    @cached_property
    def words(self) -> list[str]:
        return sorted(set(self.tokens))

    @cached_property
    def repeat(self) -> tuple[int, int] | None:
        """The first token that was there before, and where."""
        seconds = [i for i, t in enumerate(self.tokens) if t in self.tokens[:i]]
        return (self.tokens.index(self.tokens[seconds[0]]), seconds[0]) if seconds else None


def code_spans(text: str) -> tuple[str, list[str]]:
    """What stands outside the code spans of a line of Markdown, and their contents (CommonMark, section 6.1)."""
    span = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
    inside = [match[2] for match in span.finditer(text)]
    return span.sub("", text), [re.sub(r"^ (.*\S.*) $", r"\1", content) for content in inside]


def token(case: Case, position: int) -> Callable[[str], bool]:
    """The fact is this token's label in a code span, and nothing else."""
    return lambda fact: code_spans(fact) == ("", [case.labels[position]])


def is_rounded(fact: str, value: float) -> bool:
    """Two decimals; where these would be 0.00, two digits; just below 1 as many as it takes not to be 1."""
    if fact == "≈ 0":
        return 0 < abs(value) < 1.1e-8
    shown = float(fact.replace("−", "-"))
    if abs(shown) == 1 and abs(value) < 1:
        return abs(value) > 1 - 2e-6
    return abs(shown - value) <= (0.00502 + 1e-6 * abs(value) if abs(value) >= 0.00499 else 0.06 * abs(value))


def is_percent(fact: str, share: float) -> bool:
    """One decimal, and more where it would be rounded to nothing or to all."""
    return (fact in ("0", "100")) == (share in (0, 1)) and abs(float(fact) - 100 * share) <= 0.0502


# The tensors of a trace by name, said once more without the app's help.


def tensor_of(trace, name: str, head: int | None, query: int) -> np.ndarray:
    """Rows and columns of a tensor, in double precision."""
    attention = trace.attention
    own = {
        "ids": lambda: trace.ids[:, None],
        "exponentials": lambda: _exponentials(attention.masked_scores[head]),
        "exp_sums": lambda: _exponentials(attention.masked_scores[head]).sum(dim=1, keepdim=True),
        "contributions": lambda: attention.attn_weights[head, query][:, None] * attention.v[head],
    }
    if name in own:
        values = own[name]()
    elif hasattr(attention, name):
        values = getattr(attention, name)
    elif hasattr(trace.weights, name):
        values = getattr(trace.weights, name)
    else:
        values = getattr(trace, name)
    if values.dim() == 3:
        values = values[head]
    return (values[None] if values.dim() == 1 else values).double().numpy()


def shape_by_rule(name: str, config: AttentionConfig, tokens: int, words: int) -> tuple[int, int]:
    """Rows and columns of a tensor by the words of the curriculum; of one head of it, where each has its own."""
    columns: dict[str, int] = {"ids": 1, "exp_sums": 1, "one_hot": words}
    columns |= dict.fromkeys(("scores", "scaled_scores", "masked_scores", "exponentials", "attn_weights"), tokens)
    columns |= dict.fromkeys(("q", "k", "v", "contributions", "head_outputs"), config.d_model // config.num_heads)
    rows: dict[str, int] = {"embedding_table": words}
    rows |= {f"w_{role}": config.d_model for role in "qkvo"} | {f"b_{role}": 1 for role in "qkvo"}
    return rows.get(name, tokens), columns.get(name, config.d_model)


def _exponentials(masked: torch.Tensor) -> torch.Tensor:
    most = masked.amax(dim=1, keepdim=True)
    return (masked - torch.where(most == -torch.inf, 0.0, most)).exp()
