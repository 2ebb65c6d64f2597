"""The formula of a derivation in LaTeX, in lines that fit the panel."""

import re

from attention import Derivation

ROOM = 19.0  # em of its size that the panel is wide beside the controls, on the smallest desktop window
_SIGN = 1.35  # em of "=" and of the space around it
_EM = {  # how wide KaTeX sets what a formula here consists of
    r"\sum": 1.7,
    r"\cdot": 0.73,
    r"\cdots": 1.5,
    r"\infty": 1.0,
    r"\exp": 1.6,
    r"\max": 1.9,
    r"\sin": 1.4,
    r"\cos": 1.5,
    r"\sqrt": 0.9,
    r"\,": 0.17,
    " + ": 1.23,
    " - ": 1.23,
    " = ": _SIGN,
    "=": _SIGN,
    "-": 0.78,
    ".": 0.28,
    ",": 0.45,
    "[": 0.28,
    "]": 0.28,
    "(": 0.39,
    ")": 0.39,
    "/": 0.5,
    "W": 1.1,
    "M": 1.1,
    "m": 0.9,
    "j": 0.45,
}
_LOW = 0.72  # how large what stands below or above is
_LIMITS = re.compile(r"(\\sum)_\{[^}]*\}\^\{[^}]*\}|(\\max)_\{[^}]*\}")  # they stand over and under
_BELOW = re.compile(r"[_^](?:\{([^{}]*)\}|(\w))")
_PARTS = re.compile(r"\\[a-z]+|\\,| [-+=] |\S")
_BREAK = re.compile(r" (?=[-+] (?![^{}]*\}))")  # before a sign, but not within a fraction or an exponent


def lines(derivation: Derivation) -> str:
    """The definition in symbols, with the numbers, the result; a long sum takes more lines than one."""
    left, _, right = derivation.symbols.partition(" = ")
    result = derivation.formula.rpartition(" = ")[2]
    room = ROOM - em(left) - _SIGN
    parts = [broken(part, room) for part in (right, derivation.numbers) if part and part != result]
    written = r" \\[2pt] ".join(f"&= {part}" for part in (*parts, result))
    return rf"\begin{{aligned}} {left} {written} \end{{aligned}}"


def broken(text: str, room: float) -> str:
    """A sum over as many lines as it takes, where each has room for so many em."""
    first, *others = _BREAK.split(text)
    found = [first]
    for part in others:
        longer = f"{found[-1]} {part}"
        found[-1:] = [longer] if em(longer) <= room else [found[-1], part]
    return r" \\ & \quad ".join(found)


def em(text: str) -> float:
    """About how wide KaTeX sets a text, in em of its size: rather too much than too little."""
    text = _LIMITS.sub(r"\1\2", text)
    low = sum(em(match[1] or match[2]) for match in _BELOW.finditer(text))
    return sum(map(_wide, _PARTS.findall(_BELOW.sub("", text)))) + _LOW * low


def _wide(part: str) -> float:
    if part in _EM:
        return _EM[part]
    if part in "{}" or part.startswith("\\"):  # a command that sets its letters otherwise
        return 0.0
    return 0.5 if part.isdigit() else 0.85 if part.isupper() else 0.6
