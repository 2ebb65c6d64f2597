"""How a row of X becomes a query: it sweeps down a column of W_Q; or, the same thing, it blends the rows of W_Q."""

from pages.ui.figures.play import Area, Play, Range, Script, Shown, Travel, area, dot, parts
from pages.ui.figures.sight import Sight


def play(here: Sight) -> tuple[Play, ...]:
    """One number as a dot product, and one row as a blend of rows; then the rest of Q, and K and V."""
    return _dots(here), _blend(here)


def _made(here: Sight, role: str, rows: Range | None = None) -> list[Area]:
    """Q, K or V with the columns of all heads: one area a head."""
    return [Area(role, head, rows) for head in range(here.trace.config.num_heads)]


def _rest(here: Sight, script: Script) -> Play:
    own = (here.query, here.query + 1)
    others = [each for role in "kv" for each in _made(here, role, own)]
    script.tell(script.words("others"), lit=[area(here, "x", here.query), *others], fills=others, beats=2.5)
    script.rest(
        script.words("rest", count=len(here.labels)), *(each for role in "qkv" for each in _made(here, role)), beats=3
    )
    return script.end()


def _covers(here: Sight) -> tuple[Area, ...]:
    return tuple(each for role in "qkv" for each in _made(here, role))


def _dots(here: Sight) -> Play:
    x, w, b, query = here.own("x"), here.own("w_q"), here.own("b_q")[0], here.query
    column = here.head * here.trace.config.head_dim  # the first of the chosen head, in W_Q
    script = Script(here, "projections", "way_dot", _covers(here))

    def left(columns: Range | None = None) -> Area:
        return area(here, "x", query, columns)

    def right(rows: Range | None = None) -> Area:
        return area(here, "w_q", rows, column)

    cell, bias = area(here, "q", query, 0), area(here, "b_q", 0, column)
    script.tell(script.words("row", query=script.token(query), count=len(w)), lit=[left()], beats=2)
    script.tell(
        script.words("sweep", column=column), lit=[left(), right()], travels=[Travel(left(), right())], beats=2.5
    )
    total = dot(script, left, right, cell, (x[query] * w[:, column]).tolist())
    value = float(here.own("q")[query, 0])
    script.tell(
        script.words("bias", bias=float(b[column]), q=value),
        lit=[bias, cell],
        shown=[Shown.of(cell, [total])],
        fills=[cell],
        beats=2,
    )
    row = _made(here, "q", (query, query + 1))
    script.tell(
        script.words("fill", count=w.shape[1], query=script.token(query)), lit=[left(), *row], fills=row, beats=2.5
    )
    return _rest(here, script)


def _blend(here: Sight) -> Play:
    x, w, b, query, width = here.own("x"), here.own("w_q"), here.own("b_q")[0], here.query, here.trace.config.head_dim
    script, total = Script(here, "projections", "way_blend", _covers(here)), b * 0
    row = _made(here, "q", (query, query + 1))

    def so_far() -> list[Shown]:
        return [Shown.of(each, total[i * width : (i + 1) * width].tolist()) for i, each in enumerate(row)]

    script.tell(
        script.words("blend", query=script.token(query)), lit=[area(here, "x", query), area(here, "w_q")], beats=2.5
    )
    for first, stop in parts(len(w)):
        total = total + x[query, first:stop] @ w[first:stop]
        lit = [area(here, "x", query, (first, stop)), area(here, "w_q", (first, stop)), *row]
        script.tell(
            script.span("weigh", first, stop, share=float(x[query, first])),
            lit=lit,
            shown=so_far(),
            beats=2,
        )
    script.tell(
        script.words("weigh_bias", query=script.token(query)), lit=[area(here, "b_q"), *row], fills=row, beats=2
    )
    return _rest(here, script)
