"""What each colour means, in light and in dark. The same meaning has the same colour on every page."""

from dataclasses import dataclass

Stops = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Colors:
    """One theme: signed numbers from purple over the page's own ground (0) to orange, weights from 0 to 1 in teal."""

    ink: str
    quiet: str
    line: str
    plain: str
    masked: str
    changed: str
    q: str
    k: str
    v: str
    signed: Stops
    weight: Stops
    heads: tuple[str, ...]
    pointer: str  # frames around the number asked about
    halo: str
    code_word: str
    paper: str  # the page's own ground
    accent: str  # where you are, and what to press
    lines: tuple[str, ...]  # a sentence's lines, by head

    @property
    def plain_map(self) -> Stops:
        """One ground for every number: no colour to read anything into."""
        return ((0.0, self.plain), (1.0, self.plain))

    def of_head(self, head: int) -> str:
        """The colour of a head; after the last one they begin again."""
        return self.heads[head % len(self.heads)]

    def of(self, role: str) -> str:
        """The colour of a tensor's title and outlines: q, k and v have their own, everything else is ink."""
        return {"q": self.q, "k": self.k, "v": self.v}.get(role, self.ink)


# PuOr of ColorBrewer, a diverging map safe for colour-blind readers, with the theme's ground as its middle.
LIGHT = Colors(
    ink="#1f2430",
    quiet="#5b6270",
    line="#d5d9e0",
    plain="#eef0f4",
    masked="#c9cdd6",
    changed="#b0107a",
    q="#1d5fd1",
    k="#c62a3a",
    v="#1a7f45",
    signed=(
        (0.0, "#3b1768"),
        (0.15, "#6a54a3"),
        (0.26, "#a99fce"),
        (0.38, "#d0cae6"),
        (0.5, "#fbfaf8"),
        (0.62, "#fbd3a1"),
        (0.74, "#f3ab62"),
        (0.85, "#c4640f"),
        (1.0, "#7a3600"),
    ),
    weight=((0.0, "#f6fafb"), (0.15, "#cfe9ee"), (0.38, "#8ccddb"), (0.56, "#23788f"), (1.0, "#06394a")),
    heads=("#5e7fb8", "#c98b2d", "#7f6bb3", "#4f9a94", "#b0637f", "#8a8f3c", "#6f7f8f", "#a8734f"),
    pointer="#1f2430",
    halo="#ffffffcc",
    code_word="#1a5fae",
    paper="#ffffff",
    accent="#1f3a64",
    lines=("#2b67b8", "#c9711a", "#7a4fb0", "#1f8a7d", "#b23a63", "#7c8325", "#52677c", "#99592e"),
)
DARK = Colors(
    ink="#e8eaf0",
    quiet="#a3abba",
    line="#3a4150",
    plain="#252b38",
    masked="#4a5160",
    changed="#ff7ad1",
    q="#7fb0ff",
    k="#ff8b94",
    v="#6fd49a",
    signed=(
        (0.0, "#d9cdff"),
        (0.15, "#b0a0e6"),
        (0.27, "#5f50a0"),
        (0.38, "#453a72"),
        (0.5, "#1b202b"),
        (0.62, "#633f13"),
        (0.73, "#9c5f17"),
        (0.85, "#f0a347"),
        (1.0, "#ffe0b0"),
    ),
    weight=((0.0, "#171d27"), (0.15, "#173642"), (0.38, "#1b6578"), (0.56, "#57bcd3"), (1.0, "#d3f6ff")),
    heads=("#86a5dc", "#e0aa55", "#a794dc", "#72bdb6", "#d58aa5", "#b3b865", "#98a7b6", "#cc9a77"),
    pointer="#ffffff",
    halo="#10141dcc",
    code_word="#6fb3ff",
    paper="#11151c",
    accent="#9dbcf0",
    lines=("#7fb0ff", "#f0a55a", "#bf9cf0", "#63c9bb", "#ec8fb0", "#c3c96f", "#a5b6c8", "#d8a27c"),
)


def colors(dark: bool) -> Colors:
    """The colours of the reader's theme."""
    return DARK if dark else LIGHT
