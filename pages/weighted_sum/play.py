"""How a row of the output comes about: each value by its weight, stacked up; or, the same thing, cell by cell."""

from pages.ui.figures.play import Area, Play, Range, Script, Shown, Travel, area, dot
from pages.ui.figures.sight import Sight

MOST_VALUES = 4  # told one by one


def play(here: Sight) -> tuple[Play, ...]:
    """A blend of rows, and a dot product a cell."""
    return _blend(here), _dots(here)


def _blend(here: Sight) -> Play:
    weights, handed, query = here.own("attn_weights")[here.query], here.own("contributions"), here.query
    covers = (area(here, "contributions"), area(here, "head_outputs"))
    script, output = Script(here, "weighted_sum", "way_blend", covers), area(here, "head_outputs", query)
    script.tell(script.words("row", query=script.token(query)), lit=[area(here, "attn_weights", query)], beats=2)
    order = [key for key in weights.argsort(descending=True, stable=True).tolist() if weights[key]]
    total = handed[0] * 0
    for place, key in enumerate(order[:MOST_VALUES]):
        total = total + handed[key]
        value, part = area(here, "v", key), area(here, "contributions", key)
        script.tell(
            script.words("value" if place else "value_first", key=script.token(key), weight=float(weights[key])),
            lit=[area(here, "attn_weights", query, key), value, part, output],
            travels=[Travel(value, part)],
            fills=[part],
            shown=[Shown.of(output, total.tolist())],
            beats=2.5,
        )
    left = order[MOST_VALUES:]
    if left:
        facts = {"count": len(left), "weight": float(weights[left].sum())}
        script.tell(
            script.words("others", **facts),
            lit=[covers[0], output],
            fills=[covers[0]],
            shown=[Shown.of(output, total.tolist())],
            beats=2,
        )
    elif not order:
        script.tell(script.words("nothing"), lit=[area(here, "attn_weights", query)], fills=[covers[0]], beats=2.5)
    script.tell(
        script.words("sum", query=script.token(query)), lit=[covers[0], output], fills=[covers[0], output], beats=2
    )
    script.rest(script.words("rest"), area(here, "head_outputs"), beats=3)
    return script.end()


def _dots(here: Sight) -> Play:
    weights, v, query = here.own("attn_weights")[here.query], here.own("v"), here.query
    script = Script(here, "weighted_sum", "way_dot", (area(here, "head_outputs"),))
    cell, output = area(here, "head_outputs", query, 0), area(here, "head_outputs", query)

    def left(columns: Range | None = None) -> Area:
        return area(here, "attn_weights", query, columns)

    def right(rows: Range | None = None) -> Area:
        return area(here, "v", rows, 0)

    script.tell(script.words("row", query=script.token(query)), lit=[left()], beats=2)
    script.tell(script.words("column"), lit=[left(), right()], travels=[Travel(left(), right())], beats=2.5)
    dot(script, left, right, cell, (weights * v[:, 0]).tolist())
    script.tell(
        script.words("cell", value=float(here.own("head_outputs")[query, 0])),
        lit=[left(), right(), cell],
        fills=[cell],
        beats=2,
    )
    script.tell(script.words("fill", query=script.token(query)), lit=[left(), output], fills=[output], beats=2.5)
    script.rest(script.words("rest"), area(here, "head_outputs"), beats=3)
    return script.end()
