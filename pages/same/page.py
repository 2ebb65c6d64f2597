"""Same thing, other code: several ways to write the layer in force, how far apart they are, what heads cost."""

from functools import partial

from pages.same import versions
from pages.ui.lab import LayerLab, asked

EXPERIMENTS = ("code", "heads")
here = LayerLab()


def code() -> None:
    here.asks(asked("largest", "rounding", "exact", "clear"), asked("why", "order", "bug", "random"))
    if here.trace.x_given or here.settings.hidden or here.trace.edits:
        here.asks()
        here.place(partial(here.say, "not_here"))
        here.tells(partial(here.say, "notice_code"), versions.batched)
        return

    def draw() -> None:
        found = here.run(partial(versions.compare, here.trace))
        if found is None:
            return
        names = [here.text(name) for name in ("version", "difference", "time")]
        rows = [
            [
                f"`{each.name}` {here.text(f'is_{each.name}')}",
                f"{each.difference:.1e}".replace("e-0", "e−"),
                f"× {each.ratio:.2f}",
            ]
            for each in found
        ]
        here.table(names, rows)
        here.caption("once")

    here.place(draw)
    here.tells(partial(here.say, "notice_code"), *versions.VERSIONS.values(), versions.as_module)


def heads() -> None:
    here.asks(asked("cost", "same", "eight", "less"), asked("extra", "exponentials", "parameters", "nothing"))
    seq_len = len(here.trace.tokens)
    one, eight = versions.counted(512, 1, seq_len), versions.counted(512, 8, seq_len)

    def draw() -> None:
        here.say("counted", tokens=seq_len)
        names = ["", *(here.text("of_heads", heads=each.heads, d_k=each.head_dim) for each in (one, eight))]
        rows = [
            [here.text(f"count_{name}"), f"{getattr(one, name):,}", f"{getattr(eight, name):,}"]
            for name in ("projections", "scores", "exponentials", "parameters")
        ]
        here.table(names, rows)

    here.place(draw)
    here.tells(partial(here.say, "notice_heads", tokens=seq_len), versions.counted)


{"code": code, "heads": heads}[here.choose(*EXPERIMENTS)]()
here.back()
