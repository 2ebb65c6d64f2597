"""How scores shrink: every one is divided by the same number, and their spread with them."""

import math

from attention import measures
from pages.ui.figures.play import Play, Script, Travel, area
from pages.ui.figures.sight import Sight


def play(here: Sight) -> tuple[Play, ...]:
    """One score, its row, then all of them; the spread of each matrix stands below it."""
    scores, scaled, query = here.own("scores"), here.own("scaled_scores"), here.query
    d_k, is_on = here.trace.config.head_dim, here.settings.scaled
    key = measures.peak(scores[query].abs()).column
    script = Script(here, "scaling", "way_row", (area(here, "scaled_scores"),))
    row, after = area(here, "scores", query), area(here, "scaled_scores", query)
    before, cell = area(here, "scores", query, key), area(here, "scaled_scores", query, key)
    ends = {"low": float(scores[query].min()), "high": float(scores[query].max())}
    script.tell(script.words("row", query=script.token(query), **ends), lit=[row], beats=3)
    if is_on:
        script.tell(script.words("root", d_k=d_k, root=math.sqrt(d_k)), lit=[row], beats=3)
    else:
        script.tell(script.words("off", d_k=d_k), lit=[row], beats=3)
    told = {"before": float(scores[query, key]), "after": float(scaled[query, key])}
    script.tell(
        script.words(
            "cell" if is_on else "cell_off", **{**told, "root": math.sqrt(d_k)} if is_on else {"after": told["after"]}
        ),
        lit=[before, cell],
        travels=[Travel(before, cell)],
        fills=[cell],
        beats=3,
    )
    ends = {"low": float(scaled[query].min()), "high": float(scaled[query].max())}
    script.tell(script.words("fill", **ends), lit=[row, after], fills=[after], beats=3)
    spread = {"before": measures.variance(scores), "after": measures.variance(scaled)}
    script.rest(
        script.words("rest" if is_on else "rest_off", **spread if is_on else {}), area(here, "scaled_scores"), beats=4
    )
    return (script.end(),)
