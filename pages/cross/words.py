"""The words of the small parallel grammar: English and Chinese, one word for one word, from en.md and zh.md."""

from pages.ui.words.prose import sections


def parallel(kind: str) -> list[tuple[str, str]]:
    """The words of one kind with their translations."""
    english, chinese = (sections("cross", lang)[f"words_{kind}"].split(" · ") for lang in ("en", "zh"))
    return list(zip(english, chinese, strict=True))


PEOPLE, THINGS, VERBS = map(parallel, ("people", "things", "verbs"))
ADJECTIVES, PLACES, TIMES = map(parallel, ("adjectives", "places", "times"))
