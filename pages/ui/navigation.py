"""Where you are and where you can go, in HTML: the steps, the labs, the paper's formula as a map, the way on.

Every link has a real address; a plain click on it is taken by pointer.js, which keeps the visit.
"""

from collections.abc import Mapping, Set
from functools import lru_cache
from urllib.parse import urlencode

from markupsafe import Markup

from pages import DEEPENS, GROUPS, LABS, OVERVIEW, PAGES, WALK
from pages.ui.figures.sight import Sight
from pages.ui.state.address import to_query
from pages.ui.state.settings import LANGUAGES, Settings, changed, small
from pages.ui.words import prose
from pages.ui.words.labels import label

_NAMES = {"en": "EN", "zh": "中文"}


def top(settings: Settings, here: str, seen: Set[str], solved: Mapping[str, int]) -> Markup:
    """The steps by number and name, the labs in a menu, present mode, the language.

    seen: the pages that were opened. solved: how many questions of a page were answered rightly.
    """
    lang = settings.lang
    steps = Markup("").join(_step(settings, slug, here, seen, solved) for slug in (OVERVIEW, *WALK))
    labs = Markup("").join(
        Markup("<section><b>{}</b>{}</section>").format(
            label(f"group_{group}", lang),
            Markup("").join(_link(settings, slug, label(slug, lang), here) for slug in slugs),
        )
        for group, slugs in GROUPS.items()
    )
    languages = Markup(" · ").join(_language(settings, code, here) for code in LANGUAGES)
    there, text = (
        changed(settings, present=not settings.present),
        "present_end" if settings.present else "present_begin",
    )
    present = acting("present", there, here, label(text, lang), label("present_key", lang))
    lab = f" {label(here, lang)}" if here in LABS else ""
    return Markup(
        "<div class='top'><nav class='stepper' aria-label='{}'>{}</nav><div class='top-end'><details class='labs{}'>"
        "<summary>{}</summary><div>{}</div></details>{}<span class='languages'>{}</span></div></div>"
    ).format(label("walk", lang), steps, " here" if lab else "", lab or label("labs", lang), labs, present, languages)


def _step(settings: Settings, slug: str, here: str, seen: Set[str], solved: Mapping[str, int]) -> Markup:
    lang, number = settings.lang, PAGES.index(slug)
    done = slug in seen and slug != here
    mark = Markup("<i>{}</i>").format("✓" if done else number) if number else Markup("")
    kind = "done" if done else ""
    shown = Markup("{}<span>{}</span>").format(mark, label(slug, lang))
    name = f"{number} {label(slug, lang)}" if number else label(slug, lang)
    if settings.questions and solved.get(slug):
        name += f" · {label('solved', lang, right=solved[slug])}"
    return _link(settings, slug, shown, here, kind, name)


def _link(settings: Settings, slug: str, text: str, here: str, kind: str = "", name: str = "") -> Markup:
    """name: what it is called where its text may be hidden."""
    current = Markup(" aria-current='page'") if slug == here else Markup("")
    current += Markup(" aria-label='{0}' title='{0}'").format(name) if name else ""
    return Markup("<a href='{}' data-page='{}' class='{}'{}>{}</a>").format(
        _elsewhere(settings, slug), slug, kind, current, text
    )


def link(settings: Settings, slug: str, text: str) -> Markup:
    """A link to a page that keeps the settings."""
    return _link(settings, slug, text, "")


def acting(act: str, there: Settings, page: str, text: str, about: str = "", *, kind: str = "") -> Markup:
    """A link that pointer.js takes as a wish of that name; opened by itself, it leads there."""
    return Markup("<a href='{}' data-act='{}' class='{}' title='{}'>{}</a>").format(
        _address(there, page), act, kind, about, text
    )


def _language(settings: Settings, code: str, here: str) -> Markup:
    current = Markup(" aria-current='true'") if code == settings.lang else ""
    address = f"{'' if here == OVERVIEW else here}?{urlencode({'lang': code})}"
    return Markup("<a href='/{}' data-lang='{}' lang='{}'{}>{}</a>").format(address, code, code, current, _NAMES[code])


def _address(settings: Settings, slug: str) -> str:
    return f"{_path(slug)}?{urlencode(to_query(settings))}"


def _elsewhere(settings: Settings, slug: str) -> str:
    """The address of another page with what these settings mean there."""
    return f"{_path(slug)}?{_query_elsewhere(settings)}"


def _path(slug: str) -> str:
    return f"/{'' if slug == OVERVIEW else slug}"


@lru_cache(maxsize=32)  # some thirty links of a page carry the same
def _query_elsewhere(settings: Settings) -> str:
    return urlencode(to_query(settings.elsewhere))


def ways(settings: Settings, here: str) -> Markup:
    """To the page before and to the next one; between them, on the walk, down to what is longer."""
    place, lang = PAGES.index(here), settings.lang
    before = PAGES[place - 1] if place else None
    after = PAGES[place + 1] if place + 1 < len(PAGES) else None
    links = [
        _link(settings, slug, label(name, lang, page=label(slug, lang)), here) if slug else Markup("<span></span>")
        for slug, name in ((before, "previous"), (after, "next"))
    ]
    down = Markup("<a class='down' href='#more'>{} ↓</a>").format(label("read_more", lang)) if here not in LABS else ""
    return Markup("<nav class='ways' aria-label='{}'>{}{}{}</nav>").format(
        label("way_on", lang), links[0], down, links[1]
    )


def back(settings: Settings, step: str) -> Markup:
    """The way from a lab to the step that it deepens."""
    text = label("deepens", settings.lang, page=label(step, settings.lang))
    return Markup("<p class='deeper'>{}</p>").format(link(settings, step, text))


def deeper(settings: Settings, here: str) -> Markup:
    """The labs that deepen a step."""
    labs = [_link(settings, lab, label(lab, settings.lang), here) for lab, step in DEEPENS.items() if step == here]
    if not labs:
        return Markup("")
    return Markup("<p class='deeper'>{} · {}</p>").format(label("deeper", settings.lang), Markup(" · ").join(labs))


ABLE = ("watch", "ask", "answer")  # what a reader can do on a step


def able(slug: str, lang: str) -> Markup:
    """What a reader can do after a step, to be ticked in the browser by what was done (see pointer.js)."""
    found = prose.sections(slug, lang)
    items = Markup("").join(
        Markup("<li data-did='{}'>{} <small>{}</small></li>").format(
            deed, found[f"can_{deed}"], label(f"can_{deed}", lang)
        )
        for deed in ABLE
    )
    return Markup(
        "<section class='can' data-of='{}'><h2>{}</h2><ul>{}</ul><small>{} · "
        "<button type='button' class='ask' data-forget>{}</button></small></section>"
    ).format(slug, label("can", lang), items, label("can_kept", lang), label("can_forget", lang))


# The map: each part of the paper's formula, the page that shows it, and the tensors whose shapes stand below.
_MAP: tuple[tuple[str, str, str], ...] = (
    ("X", "embedding", "x"),
    ("→", "", ""),
    ("Q, K, V", "projections", "x"),
    ("→", "", ""),
    ("softmax", "softmax", "attn_weights"),
    ("(", "", ""),
    ("Q{h}K{h}ᵀ", "scores", "scores"),
    ("/ √d{k}", "scaling", ""),
    (")", "", ""),
    ("V{h}", "weighted_sum", "head_outputs"),
    ("→", "", ""),
    ("{concat} W{O}", "heads", "output"),
)


def formula(here: Sight, page: str, *, is_small: bool = False) -> Markup:
    """softmax(Q Kᵀ / √d_k) V, then Concat(head …) W_O, this page's part lit; its parts lead to their pages.

    At its end the way to small numbers, or back from them. is_small: these are on screen.
    """
    low = {name: Markup("<sub>{}</sub>").format(name) for name in ("k", "O")} | {
        "h": Markup("<sub>{}</sub>").format(here.head)
    }
    last = here.trace.config.num_heads - 1
    heads = "head<sub>0</sub>" + (" … " if last > 1 else ", " if last else "") + f"head<sub>{last}</sub>" * bool(last)
    low["concat"] = Markup("Concat({})").format(Markup(heads))
    parts = []
    for text, slug, tensor in _MAP:
        shown = Markup(text).format(**low)
        if not slug:
            parts.append(Markup("<span>{}</span>").format(shown))
            continue
        size = " × ".join(map(str, here.own(tensor).shape)) if tensor else f"√{here.trace.config.head_dim}"
        current = Markup(" aria-current='step'") if slug == page else ""
        parts.append(
            Markup("<a href='{}' data-page='{}'{}><span>{}</span><small>{}</small></a>").format(
                _elsewhere(here.settings, slug), slug, current, shown, size
            )
        )
    text = here.name("small_back" if is_small else "small_first")
    other = acting("small", small(here.settings), page, text, here.name("small_about"), kind="small")
    made = Markup("<div class='map-line'><nav class='map' aria-label='{}'>{}</nav>{}</div>")
    return made.format(here.name("map_of"), Markup("").join(parts), other)
