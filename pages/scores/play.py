"""How scores come about: a query's row meets a key's column, products add up; or a whole row at once."""

import torch

from attention import measures
from pages.ui.figures.play import Area, Play, Range, Script, Shown, Travel, area, dot, parts
from pages.ui.figures.sight import Sight


def play(here: Sight) -> tuple[Play, ...]:
    """A dot product a cell, and a row as a blend of the rows of Kᵀ."""
    return _dots(here), _blend(here)


def _dots(here: Sight) -> Play:
    """The followed query with the key that scores highest, product by product; then the other keys, then all rows."""
    q, k, scores, query = here.own("q"), here.own("k"), here.own("scores"), here.query
    key = measures.peak(scores[query]).column
    script = Script(here, "scores", "way_dot", (area(here, "scores"),))

    def left(columns: Range | None = None) -> Area:
        return area(here, "q", query, columns)

    def right(columns: Range | None = None) -> Area:
        return area(here, "k", key, columns)

    cell = area(here, "scores", query, key)
    script.tell(script.words("query", query=script.token(query), count=q.shape[1]), lit=[left()], beats=2)
    script.tell(
        script.words("key", key=script.token(key)), lit=[left(), right()], travels=[Travel(left(), right())], beats=2.5
    )
    dot(script, left, right, cell, (q[query] * k[key]).tolist())
    script.tell(
        script.words("cell", score=float(scores[query, key])), lit=[left(), right(), cell], fills=[cell], beats=2
    )
    row = area(here, "scores", query)
    script.tell(script.words("row"), lit=[left(), row], fills=[row], beats=3)
    script.rest(script.words("rest", count=scores.numel()), area(here, "scores"), beats=3)
    return script.end()


def _blend(here: Sight) -> Play:
    """Each number of the query weighs one row of Kᵀ: what every key has in that column."""
    q, k, query = here.own("q")[here.query], here.own("k"), here.query
    script, row = Script(here, "scores", "way_blend", (area(here, "scores"),)), area(here, "scores", query)
    total = torch.zeros(len(k))
    script.tell(
        script.words("blend", query=script.token(query)), lit=[area(here, "q", query), area(here, "k")], beats=2.5
    )
    for first, stop in parts(len(q)):
        total = total + q[first:stop] @ k[:, first:stop].mT  # (L,)
        script.tell(
            script.span("weigh", first, stop, share=float(q[first])),
            lit=[area(here, "q", query, (first, stop)), area(here, "k", None, (first, stop)), row],
            shown=[Shown.of(row, total.tolist())],
            beats=2,
        )
    script.tell(
        script.words("whole", query=script.token(query)), lit=[area(here, "q", query), row], fills=[row], beats=2
    )
    script.rest(script.words("rest", count=here.own("scores").numel()), area(here, "scores"), beats=3)
    return script.end()
