"""How heads work together: each looks by itself, their outputs are joined, and W_O mixes them."""

from attention import measures
from pages.ui.figures.play import Area, Play, Range, Script, Travel, area, dot
from pages.ui.figures.sight import Sight

MOST_HEADS = 3  # told one by one


def play(here: Sight) -> tuple[Play, ...]:
    """The followed token through all heads, then one number of the output, then everything."""
    trace, query, width = here.trace, here.query, here.trace.config.head_dim
    heads, weights = range(trace.config.num_heads), trace.attention.attn_weights[:, query]
    looks = [Area("attn_weights", head) for head in heads]
    script = Script(here, "heads", "way_row", (*looks, area(here, "joined"), area(here, "output")))
    each = [
        (Area("attn_weights", h, (query, query + 1)), area(here, "joined", query, _columns((h, h + 1), width)))
        for h in heads
    ]
    for head, (look, band) in enumerate(each[:MOST_HEADS]):
        facts: dict[str, object] = {"head": head, "query": script.token(query)}
        looks_at = bool(weights[head].any())
        if looks_at:
            facts |= {"key": script.token(measures.peak(weights[head]).column), "width": width}
        script.tell(
            script.words("head" if looks_at else "head_closed", **facts),
            lit=[look, band],
            travels=[Travel(look, band)],
            fills=[look, band],
            beats=2,
        )
    if later := each[MOST_HEADS:]:
        more = [part for pair in later for part in pair]
        script.tell(script.words("heads", first=MOST_HEADS, last=heads[-1]), lit=more, fills=more, beats=2)
    row = area(here, "joined", query)
    script.tell(script.words("join", count=len(heads), width=width, d_model=trace.config.d_model), lit=[row], beats=2)
    _mix(here, script, width)
    output = area(here, "output", query)
    script.tell(
        script.words("row", query=script.token(query)), lit=[row, area(here, "w_o"), output], fills=[output], beats=2
    )
    script.rest(script.words("rest"), *looks, area(here, "joined"), area(here, "output"), beats=3)
    return (script.end(),)


def _columns(heads: Range | None, width: int) -> Range | None:
    """The columns that some heads have in what is joined."""
    return heads and (heads[0] * width, heads[1] * width)


def _mix(here: Sight, script: Script, width: int) -> None:
    """The first number of the output row: what each head's columns add to it."""
    query, heads = here.query, here.trace.config.num_heads
    cell = area(here, "output", query, 0)

    def left(heads: Range | None) -> Area:
        return area(here, "joined", query, _columns(heads, width))

    def right(heads: Range | None) -> Area:
        return area(here, "w_o", _columns(heads, width), 0)

    products = here.own("joined")[query] * here.own("w_o")[:, 0]  # (d_model,)
    dot(script, left, right, cell, products.view(heads, width).sum(dim=1).tolist())
    value, bias = float(here.own("output")[query, 0]), float(here.own("b_o")[0, 0])
    script.tell(
        script.words("bias", bias=bias, value=value), lit=[area(here, "b_o", 0, 0), cell], fills=[cell], beats=1.5
    )
