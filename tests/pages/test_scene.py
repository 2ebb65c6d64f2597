"""What goes to the painter: the packed scene, against the tensors and the same board in Plotly; and the route."""

import json
import re
import struct
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import torch
from each import each
from sights import sight
from starlette.applications import Starlette
from starlette.testclient import TestClient
from visiting import WALKED, Case, enter, read_scene

from pages.ui import live
from pages.ui.figures.colors import LIGHT
from pages.ui.figures.draw import draw
from pages.ui.figures.panels import Axis, Board, Closed, Lines, Outline, Panel, Scale
from pages.ui.figures.scene import pack, unpack
from pages.ui.figures.views import View
from pages.ui.layers import ready
from pages.ui.navigation import formula

SMALL = {"weights": "random", "d_model": "8", "num_heads": "2"}
ADDRESSES = (
    SMALL,
    SMALL | {"causal": "1", "hidden": "0", "head": "1", "query": "3", "lang": "zh"},
    {"weights": "hand", "d_model": "4", "num_heads": "4", "sentence": "a </s> <b> $x$ `c`", "positions": "0"},
    {"weights": "random", "d_model": "512", "num_heads": "16", "sentence": "x"},
    SMALL | {"edit": "scores.1.2.0:4", "scaled": "0"},
)


def board_of(slug, address):
    return import_module(f"pages.{slug}.stage").stage(sight(address))


def matrix(rows=2, columns=3, **more):
    values = torch.arange(float(rows * columns)).reshape(rows, columns)
    return Panel(values, "a", Axis("row"), Axis("column"), Scale.signed(values), **more)


@each("address", ADDRESSES)
@pytest.mark.parametrize("slug", WALKED)
def test_scene_and_plotly_figure_of_a_board_show_the_same_cells(slug, address):
    board = board_of(slug, address)
    scene = read_scene(pack(board))
    panels = iter(scene["panels"])
    for each_board in board.boards:
        figure = draw(each_board, LIGHT)
        heatmaps = [trace for trace in figure.data if trace.coloraxis]
        marks = {trace.xaxis for trace in figure.data if not trace.coloraxis}
        titles = [note.text for note in figure.layout.annotations if note.text.startswith("<b>")]
        for trace, title in zip(heatmaps, titles, strict=True):
            panel = next(panels)
            closed = panel["closed"] if panel["closed"] is not None else np.zeros_like(panel["values"])
            np.testing.assert_array_equal(np.where(closed == 1, np.nan, panel["values"]), trace.z)
            assert (panel["closed"] is not None) == (trace.xaxis in marks)
            assert title.startswith(f"<b>{panel['title']}</b>")
            low, high = (0, 1) if scene["scales"][panel["scale"]]["kind"] == "share" else (None, None)
            axis = figure.layout[trace.coloraxis]
            limit = scene["scales"][panel["scale"]]["limit"]
            assert (axis.cmin, axis.cmax) == ((low, high) if high else (-limit, limit))
            for labels, name in ((panel["rows"], "y"), (panel["columns"], "x")):
                drawn = [
                    str(place).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for place in trace[name]
                ]
                size = panel["size"][0 if name == "y" else 1]
                assert drawn == (labels["labels"] or [str(labels["first"] + i) for i in range(size)])
    assert next(panels, None) is None


def test_the_bytes_are_what_the_format_says():
    closed = torch.tensor([[True, False, False], [False, False, True]])
    board = Board(
        [[matrix(closed=Closed(closed, "shut")), matrix(3, 1, outlines=(Outline("q", (1, 2)),))]], [1, 1], [50]
    )
    packed = pack(board, {"words": "线"})
    (length,) = struct.unpack_from("<I", packed)
    assert length % 4 == 0
    header = json.loads(packed[4 : 4 + length])
    assert header["words"] == "线"
    first, second = header["panels"]
    blocks = packed[4 + length :]
    np.testing.assert_array_equal(np.frombuffer(blocks, "<f4", 6, first["values"]), np.arange(6))
    np.testing.assert_array_equal(np.frombuffer(blocks, "u1", 6, first["closed"]), [1, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(np.frombuffer(blocks, "<f4", 3, second["values"]), np.arange(3))
    assert (second["closed"], second["changed"], second["place"]) == (-1, -1, [0, 0, 1])
    assert second["outlines"] == [{"role": "q", "rows": [1, 2], "columns": None}]
    assert unpack(packed) == (header, blocks)


def test_the_version_changes_with_what_is_painted_and_with_nothing_else():
    def version(panel, **also):
        return unpack(pack(Board([[panel]], [1], [50]), also))[0]["version"]

    first = version(matrix())
    assert version(matrix(), words="other", theme={"ink": "#fff"}) == first
    assert version(matrix(3, 2)) != first
    other = matrix()
    other.values[1, 2] = 4.9  # no other word of the header: the scale goes by the largest number as it was
    assert version(replace(other, scale=Scale(5.0, name=""))) != version(replace(matrix(), scale=Scale(5.0, name="")))
    assert version(matrix(outlines=(Outline("q"),))) != first
    assert version(matrix(changed=torch.ones(2, 3, dtype=torch.bool))) != first


def test_lines_and_boards_beside_each_other_say_their_sizes():
    weights = torch.arange(24.0).reshape(2, 4, 3)
    beside = Board([[matrix()]], [1], [50], beside=Board([[matrix()]], [1], [50]), share=0.75)
    third = Board([[matrix()]], [1], [50], beside=beside, share=0.2, lines=Lines(("a", "b"), weights, 1, 0))
    header, blocks = unpack(pack(third))
    assert header["shares"] == pytest.approx([0.2, 0.6, 0.2])
    lines = header["lines"]
    assert (lines["size"], lines["tokens"], lines["query"], lines["head"]) == ([2, 4, 3], ["a", "b"], 1, 0)
    np.testing.assert_array_equal(np.frombuffer(blocks, "<f4", 24, lines["values"]), np.arange(24))


@each(
    "view, said",
    [
        (View("x"), {"tensor": "x"}),
        (View("scores", 1), {"tensor": "scores", "head": 1}),
        (View("k", 0, transposed=True), {"tensor": "k", "head": 0, "transposed": True}),
        (View("w_q", first=4, width=4), {"tensor": "w_q", "first": 4, "width": 4}),
        (View("q", head_dim=2), {"tensor": "q", "head_dim": 2}),
        (None, {}),
    ],
)
def test_every_panel_says_which_tensor_it_shows_and_how(view, said):
    nothing = {"tensor": "", "head": None, "transposed": False, "first": 0, "width": 0, "head_dim": 0}
    (panel,) = unpack(pack(Board([[matrix(view=view)]], [1], [50])))[0]["panels"]
    assert panel["view"] == nothing | said


@each("address", ADDRESSES)
@pytest.mark.parametrize("slug", ["scaling", "softmax"])
def test_what_is_told_apart_before_and_after_stands_on_one_scale(slug, address):
    panels = read_scene(pack(board_of(slug, address)))["panels"]
    scales = {panel["view"]["tensor"]: panel["scale"] for panel in panels}
    pairs = {"scaling": [("scores", "scaled_scores")]}.get(
        slug, [("scaled_scores", "masked_scores"), ("exponentials", "attn_weights")]
    )
    for before, after in pairs:
        assert scales[before] == scales[after]


@each("address", ADDRESSES)
def test_the_map_says_the_shapes_of_the_trace(address):
    here = sight(address)
    size, width, d_model = len(here.labels), here.trace.config.head_dim, here.trace.config.d_model
    shown = re.findall(r"data-page='(\w+)'.*?<small>(.*?)</small>", str(formula(here, "scores")))
    assert shown == [
        ("embedding", f"{size} × {d_model}"),
        ("projections", f"{size} × {d_model}"),
        ("softmax", f"{size} × {size}"),
        ("scores", f"{size} × {size}"),
        ("scaling", f"√{width}"),
        ("weighted_sum", f"{size} × {width}"),
        ("heads", f"{size} × {d_model}"),
    ]


# The route.


# Every other address on each page: the route and the page draw the same board, whatever the settings are.
@each("slug, address", [(s, a) for i, s in enumerate(WALKED) for k, a in enumerate(ADDRESSES) if (i + k) % 2 == 0])
def test_the_route_gives_the_very_picture_of_the_page(slug, address):
    lang, own = address.get("lang", "en"), {name: text for name, text in address.items() if name != "lang"}
    page = enter(slug, lang, **own)
    fetched = live.scene(dict(page.at.query_params) | {"page": slug})
    assert isinstance(fetched, bytes)
    told, shown = read_scene(fetched), page.scene
    if "edit" not in address:  # the page also frames what an edit changed
        assert told["version"] == shown["version"]
    for ours, theirs in zip(told["panels"], shown["panels"], strict=True):
        np.testing.assert_array_equal(ours["values"], theirs["values"])
    case = Case.of(lang, **own)
    np.testing.assert_array_equal(
        next(p for p in told["panels"] if p["view"]["tensor"] == "x")["values"] if slug == "overview" else 0,
        case.trace.x.numpy() if slug == "overview" else 0,
    )
    assert (told["row"], told["head_dim"]) == (case.query, case.config.head_dim)


@each(
    "address, answer",
    [
        ({"page": "nowhere"}, "page"),
        ({"page": "training"}, "page"),
        ({"page": "../app"}, "page"),
        ({"page": "scores", "sentence": "   ", "weights": "random"}, "empty"),
        ({"page": "scores", "d_model": "96", "num_heads": "12", "seed": "987"}, "layer"),
        ({"page": "scores", "weights": "real", "model": "/etc"}, "layer"),
    ],
)
def test_what_cannot_be_had_is_said_and_nothing_is_begun(address, answer, monkeypatch):
    monkeypatch.setattr(ready, "_train", lambda *_: pytest.fail("a training was begun"))
    monkeypatch.setattr(ready, "_load", lambda *_: pytest.fail("a model was loaded"))
    assert live.scene(address) == answer


@each(
    "address",
    [
        {"d_model": "-1", "num_heads": "x", "seed": "٣", "cell": "x", "edit": "scores.99.99:1", "hidden": "a-b"},
        {"head": "99", "query": "99", "layer": "-5", "checkpoint": "1e9", "causal": "yes", "lang": "fr"},
        {"sentence": "a" * 5000, "pin": "d_model=3&x=y"},
        {"sentence": "<script>alert(1)</script> \0 \ud83d"},
    ],
)
def test_a_hostile_address_gets_the_picture_of_what_fits_and_no_exception(address):
    assert isinstance(live.scene({"page": "softmax", "weights": "random", **address}), bytes)


@pytest.fixture(scope="module")
def client():
    with TestClient(Starlette(routes=live.routes())) as browser:
        yield browser


def test_the_route_answers_over_http_in_bounds(client):
    answer = client.get("/-/scene", params=SMALL | {"page": "scores"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert read_scene(answer.content)["panels"][-1]["size"] == [9, 9]
    missing = client.get("/-/scene", params={"page": "nowhere"})
    assert (missing.status_code, missing.headers["x-reason"], missing.content) == (204, "page", b"")
    assert client.get("/-/scene", params={"sentence": "a" * 7000}).status_code == 414


def test_our_scripts_are_served_by_names_that_change_with_them_and_name_each_other_rightly(client):
    for name in ("dom", "painter", "lines", "play", "player", "stage", "pointer"):
        file, text = live.script(name)
        answer = client.get(f"/-/{file}")
        assert (answer.status_code, answer.text) == (200, text)
        assert "immutable" in answer.headers["cache-control"]
        imported = [line.rpartition(' from "./')[2].rstrip('";') for line in text.splitlines() if ' from "./' in line]
        for other in imported:
            assert client.get(f"/-/{other}").status_code == 200
        assert live.script("stage")[0] in live.loader("stage")
    assert client.get("/-/painter.js").status_code == client.get("/-/..%2Fapp.py").status_code == 404
