"""A page's part is drawn anew when what it shows has changed, and only then."""

from __future__ import annotations

from dash import html, no_update

from dashboard.renew import Renewed


def _part(found: dict[str, int]) -> Renewed[int]:
    return Renewed("test", found.__getitem__, lambda n: n, lambda n, of: html.P(f"{of} {n}"), lambda n: n < 2, every=500)


def test_what_was_seen_is_not_sent_again() -> None:
    found = {"a": 0}
    part = _part(found)
    body, of, store, clock = part.placed("a")
    assert (body.children.children, clock.interval, clock.max_intervals) == ("a 0", 500, -1)
    assert part.again(of.data, store.data) == (no_update, no_update, no_update)


def test_what_changed_is_drawn_and_the_clock_ends_with_it() -> None:
    found = {"a": 0}
    part = _part(found)
    _, of, store, _ = part.placed("a")
    found["a"] = 2
    drawn, seen, ticks = part.again(of.data, store.data)
    assert (drawn.children, seen, ticks) == ("a 2", ["a", 2], 0)
    assert part.again("a", seen)[0] is no_update


def test_an_answer_of_the_page_before_does_not_stay() -> None:
    part = _part({"a": 0, "b": 1})
    _, of, _, _ = part.placed("b")
    late = ["a", 0]  # what a page of "a" had asked for came when that of "b" stood
    assert part.again(of.data, late)[0].children == "b 1"
