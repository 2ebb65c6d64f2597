"""How a token becomes a vector: its one-hot row picks a row of the table, and the row of its position is added."""

from pages.ui.figures.play import Play, Script, Travel, area
from pages.ui.figures.sight import Sight
from pages.ui.words.numbers import operand


def play(here: Sight) -> tuple[Play, ...]:
    """The followed token in full, then all the others."""
    trace, query = here.trace, here.query
    word, (embedding, position, x) = int(trace.ids[query]), (trace.embeddings, trace.positions, trace.x)
    made = [area(here, name) for name in ("one_hot", "embeddings", "x")]
    script = Script(here, "embedding", "way_row", tuple(made))
    number, hot = area(here, "ids", query), area(here, "one_hot", query)
    picked, row = area(here, "embedding_table", word), area(here, "embeddings", query)
    script.tell(script.words("id", query=script.token(query), id=word), lit=[number], beats=2.5)
    script.tell(script.words("hot", id=word), lit=[number, hot], fills=[hot], beats=3)
    one = area(here, "one_hot", query, word)
    script.tell(script.words("pick", id=word), lit=[one, picked], beats=2.5)
    script.tell(script.words("copy", id=word), lit=[picked, row], travels=[Travel(picked, row)], fills=[row], beats=3)
    sums, added = area(here, "x", query), area(here, "positions", query)
    if trace.x_given:
        script.tell(script.words("given", layer=here.settings.layer), lit=[sums], fills=[sums], beats=3)
    else:
        first = {
            "embedding": float(embedding[query, 0]),
            "position": operand(float(position[query, 0])),
            "x": float(x[query, 0]),
        }
        script.tell(script.words("place", place=query), lit=[row, added], beats=2.5)
        cells = [area(here, name, query, 0) for name in ("embeddings", "positions", "x")]
        script.tell(
            script.words("add", **first),
            lit=cells,
            travels=[Travel(each, cells[2]) for each in cells[:2]],
            fills=[cells[2]],
            beats=3,
        )
        script.tell(script.words("row", query=script.token(query)), lit=[row, added, sums], fills=[sums], beats=2)
    script.rest(script.words("rest", count=len(here.labels)), *made, beats=3)
    return (script.end(),)
