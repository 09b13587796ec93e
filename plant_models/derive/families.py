"""Lines that differ in nothing but a counted index, set as one line over that index."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from plant_models.derive.signs import MARK, marked, name

LEAST = 3
"""Members from which quantities with a counted index are a family."""
_COUNTED = re.compile(r"(.*?)_?(\d+)")


class Line(NamedTuple):
    """What is defined, and as what: LaTeX with its names marked."""

    name: str
    text: str


def member(text: str) -> tuple[str, int]:
    """Return a name without its counted index, and this; the name and -1 where it has none."""
    found = _COUNTED.fullmatch(text)
    return (found[1], int(found[2])) if found else (text, -1)


def families(names: Iterable[str]) -> set[str]:
    """Return what large families of names have in common."""
    count = Counter(stem for stem, k in map(member, names) if k >= 0)
    return {stem for stem, members in count.items() if members >= LEAST}


def together(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with each large family side by side, where its first one stood."""
    large = families(line.name for line in lines)
    first: dict[str, int] = {}
    for k, line in enumerate(lines):
        stem, _ = member(line.name)
        first.setdefault(stem if stem in large else line.name, k)

    def place(line: Line) -> tuple[int, int]:
        stem, k = member(line.name)
        return (first[stem], k) if stem in large else (first[line.name], 0)

    return sorted(lines, key=place)


def merged(lines: Sequence[Line], left: Callable[[str], str]) -> Iterator[str]:
    """Yield the lines set for print, ``left`` around what they define; those of a family over their index."""
    letter = next(each for each in "ijknm" if not any(each in re.split(r"[_']", word) for word in _words(lines)))
    rest = list(lines)
    while rest:
        count = _run(rest)
        first, *_ = rest
        moving = _moving(first, rest[1]) if count > 1 else ()
        _, k = member(first.name)
        text = _set(f"{left(marked(first.name))} = {first.text}", moving, k, letter)
        yield rf"{text}, \quad {letter} = {k}, \ldots, {k + count - 1}" if moving else text
        rest = rest[count:]


def _words(lines: Iterable[Line]) -> set[str]:
    return {word for line in lines for word in (line.name, *MARK.findall(line.text))}


def _run(lines: Sequence[Line]) -> int:
    """How many of the first lines can be one; 1 where they are too few."""
    if len(lines) < LEAST or not (pattern := _moving(lines[0], lines[1])):
        return 1
    count = 2
    while count < len(lines) and _moving(lines[count - 1], lines[count]) == pattern:
        count += 1
    return count if count >= LEAST else 1


def _moving(a: Line, b: Line) -> tuple[bool, ...]:
    """Which names' index is one more in the second line, what they define first; nothing where more than this differs."""
    if MARK.sub("", a.text) != MARK.sub("", b.text):
        return ()
    pairs = list(zip((a.name, *MARK.findall(a.text)), (b.name, *MARK.findall(b.text)), strict=True))
    moving = tuple(_next(old, new) for old, new in pairs)
    return moving if moving[0] and all(moves or old == new for moves, (old, new) in zip(moving, pairs, strict=True)) else ()


def _next(old: str, new: str) -> bool:
    (stem, k), (other, m) = member(old), member(new)
    return stem == other and k >= 0 and m == k + 1


def _set(line: str, moving: Sequence[bool], first: int, letter: str) -> str:
    """A line with its names set for print, those that move with their index relative to the first one's."""
    *fragments, last = MARK.split(line)
    pairs = zip(fragments[::2], fragments[1::2], strict=True)
    moves = iter(moving)
    return (
        "".join(before + (_relative(text, first, letter) if next(moves, False) else name(text)) for before, text in pairs) + last
    )


def _relative(text: str, first: int, letter: str) -> str:
    stem, k = member(text)
    index = letter if k == first else f"{letter} {'+' if k > first else '-'} {abs(k - first)}"
    return name(f"{stem}_0").removesuffix("0}") + index + "}"
