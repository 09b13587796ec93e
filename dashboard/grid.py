"""A large table: sorted, filtered and scrolled in the browser, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid
from dash.development.base_component import Component

_THEME = {
    "backgroundColor": "var(--panel)", "foregroundColor": "var(--ink)", "chromeBackgroundColor": "var(--panel)",
    "headerBackgroundColor": "var(--panel)", "headerTextColor": "var(--soft)", "headerFontSize": 11.5, "headerFontWeight": 550,
    "borderColor": "var(--grid)", "accentColor": "var(--accent)", "rowHoverColor": "var(--hover)",
    "selectedRowBackgroundColor": "var(--hover)", "menuBackgroundColor": "var(--raised)", "inputBackgroundColor": "var(--raised)",
    "fontFamily": "var(--font)", "fontSize": 12.5, "rowHeight": 30, "headerHeight": 34, "wrapperBorder": False,
    "cellHorizontalPadding": 8, "browserColorScheme": "inherit",
}  # fmt: skip
_WORDS = ", ".join(f"{key}: {value!r}" for key, value in _THEME.items()).replace("False", "false")
COLUMN = {"sortable": True, "resizable": True, "filter": True, "minWidth": 50, "sortingOrder": ["desc", "asc", None]}


def grid(
    id: str,  # noqa: A002 - Dash's own word
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str = "id",
    options: Mapping[str, Any] | None = None,
) -> Component:
    """A grid of ``rows``, each known by what it has under ``key``, that fills its page; ``options`` are AG Grid's own."""
    usual = {
        "theme": {"function": f"themeQuartz.withParams({{{_WORDS}}})"},
        "suppressFieldDotNotation": True,  # a figure's name may have a dot in it
        "animateRows": False,
        "tooltipShowDelay": 300,
        "enableCellTextSelection": True,
    }
    table: Component = dash_ag_grid.AgGrid(
        id=id,
        columnDefs=list(columns),
        rowData=list(rows),
        getRowId=f"params.data[{key!r}]",
        defaultColDef=COLUMN,
        dashGridOptions={**usual, **(options or {})},
        className="grid",
        style={"height": "100%", "width": "100%"},
    )
    return table
