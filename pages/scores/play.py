"""How a score comes about: a query's row meets a key's column, products add up, the cell fills; then the rest."""

from attention import measures
from pages.ui.figures.play import Area, Play, Range, Script, Travel, area, dot
from pages.ui.figures.sight import Sight


def play(here: Sight) -> tuple[Play, ...]:
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
    return (script.end(),)
