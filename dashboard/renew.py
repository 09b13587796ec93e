"""A part of a page that is drawn anew when what it shows has changed, and left alone as long as nothing has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids

Found = TypeVar("Found")
ALWAYS, NO_MORE = -1, 0
"""How often a clock still ticks."""


@dataclass(frozen=True)
class Renewed(Generic[Found]):
    """The part of ``page`` that follows what is recorded.

    ``read`` finds what it shows of the thing that the page names (empty where it names none), ``mark`` tells two findings
    apart, ``draw`` shows one, and ``lasts`` says whether it may still change. It asks each ``every`` ms.
    """

    page: str
    read: Callable[[str], Found]
    mark: Callable[[Found], object]
    draw: Callable[[Found, str], Component | Sequence[Component]]
    lasts: Callable[[Found], bool] = lambda _: True
    every: int = 2000

    def placed(self, of: str = "") -> list[Component]:
        """The part as it is now, with the clock that keeps it so."""
        found = self.read(of)
        return [
            html.Div(self.draw(found, of), id=ids.body(self.page)),
            dcc.Store(id=ids.of(self.page), data=of),
            dcc.Store(id=ids.seen(self.page), data=[of, self.mark(found)]),
            dcc.Interval(id=ids.tick(self.page), interval=self.every, max_intervals=self._still(found)),
        ]

    def register(self, app: Dash) -> None:
        """Keep the part up to date while it is looked at."""

        @app.callback(
            Output(ids.body(self.page), "children"),
            Output(ids.seen(self.page), "data"),
            Output(ids.tick(self.page), "max_intervals"),
            Input(ids.tick(self.page), "n_intervals"),
            State(ids.of(self.page), "data"),
            State(ids.seen(self.page), "data"),
            prevent_initial_call=True,
        )
        def update(_ticks: int, of: object, seen: object) -> Any:
            return self.again(str(of or ""), seen)

    def again(self, of: str, seen: object) -> Any:
        """The part drawn anew, its mark and its clock; nothing where this is what was seen.

        An answer that the page before had asked for may come when this one stands: what was seen then is of another thing.
        """
        found = self.read(of)
        now = [of, self.mark(found)]
        return (no_update, no_update, no_update) if now == seen else (self.draw(found, of), now, self._still(found))

    def _still(self, found: Found) -> int:
        return ALWAYS if self.lasts(found) else NO_MORE
