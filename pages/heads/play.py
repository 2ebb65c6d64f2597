"""How heads work together: each looks by itself, their outputs are joined, and W_O mixes them."""

from attention import measures
from pages.ui.figures.play import Area, Play, Script, Shown, Travel, area
from pages.ui.figures.sight import Sight

MOST_HEADS = 3  # told one by one


def play(here: Sight) -> tuple[Play, ...]:
    """The followed token through all heads, then one number of the output, then everything."""
    trace, query, width = here.trace, here.query, here.trace.config.head_dim
    heads, weights = range(trace.config.num_heads), trace.attention.attn_weights[:, query]
    looks = [Area("attn_weights", head) for head in heads]
    script = Script(here, "heads", "way_row", (*looks, area(here, "joined"), area(here, "output")))
    each = [(Area("attn_weights", h, (query, query + 1)), _band(here, "joined", h, width)) for h in heads]
    for head, (look, band) in enumerate(each[:MOST_HEADS]):
        facts = {"head": head, "key": script.token(measures.peak(weights[head]).column), "width": width}
        named = "head" if bool(weights[head].any()) else "head_closed"
        facts = facts if named == "head" else {"head": head}
        script.tell(
            script.words(named, query=script.token(query), **facts),
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


def _band(here: Sight, tensor: str, head: int, width: int) -> Area:
    """The columns that a head has in what is joined."""
    return area(here, tensor, here.query, (head * width, (head + 1) * width))


def _mix(here: Sight, script: Script, width: int) -> None:
    """The first number of the output row: what each head's columns add to it."""
    query, heads = here.query, here.trace.config.num_heads
    products = here.own("joined")[query] * here.own("w_o")[:, 0]
    cell, total = area(here, "output", query, 0), 0.0
    told = [
        *((head, head + 1) for head in range(min(heads, MOST_HEADS))),
        *([(MOST_HEADS, heads)] if heads > MOST_HEADS else []),
    ]
    for first, stop in told:
        part = (first * width, stop * width)
        added = float(products[part[0] : part[1]].sum())
        total += added
        lit = [area(here, "joined", query, part), area(here, "w_o", part, 0), cell]
        facts = (
            {"head": first, "added": added} if stop - first == 1 else {"first": first, "last": stop - 1, "added": added}
        )
        named = "mix" if stop - first == 1 else "mix_more"
        script.tell(
            script.words(named if first else "mix_first", **facts, **{"total": total} if first else {}),
            lit=lit,
            shown=[Shown.of(cell, [total])],
            beats=1.5,
        )
    value, bias = float(here.own("output")[query, 0]), float(here.own("b_o")[0, 0])
    script.tell(
        script.words("bias", bias=bias, value=value), lit=[area(here, "b_o", 0, 0), cell], fills=[cell], beats=1.5
    )
