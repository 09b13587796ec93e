"""The browser dashboard, put together: frame, pages and guard around one store."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from dash import Dash

from dashboard import frame, router
from dashboard.access import Access
from dashboard.data import Data, Plants, open_data
from dashboard.security import secure
from plant_models.core.errors import SetpointError

_log = logging.getLogger("setpoint.dashboard")


def create_app(
    store_url: str | None = None, plants: Plants | None = None, access: Access | None = None, *, warm: bool = False
) -> Dash:
    """Build the dashboard over the store at ``store_url``, by default to look at from this machine; raises BadInput.

    ``warm`` reads the figures of all runs meanwhile, so that the first page that shows them need not wait for a large store.
    """
    access = access or Access()
    data = open_data(store_url, plants, access)
    app = Dash(
        "dashboard",
        assets_folder=str(Path(__file__).parent / "assets"),
        url_base_pathname="/",
        title="setpoint",
        update_title="",
        suppress_callback_exceptions=True,
        enable_mcp=False,
        on_error=_calm,
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    app.layout = frame.frame(data)
    frame.register(app)
    router.register(app, data)
    _quiet(app)
    secure(app, access)
    if warm:
        threading.Thread(target=_warm, args=(data,), daemon=True, name="digest").start()
    return app


def _warm(data: Data) -> None:
    try:
        data.digest.refresh()
    except SetpointError as error:
        _log.warning("%s", error)  # the page that needs it meets the same trouble, and says so


def _calm(error: Exception) -> None:
    """A callback that fails leaves the page as it is; only what nobody foresaw is logged with its trace."""
    if isinstance(error, SetpointError):
        _log.warning("%s", error)
    else:
        _log.error("a callback failed", exc_info=error)


def _quiet(app: Dash) -> None:
    """Keep Dash's developer tools off whatever the environment says: they show traces, and ask its maker for news."""
    app.enable_dev_tools(
        debug=False,
        dev_tools_ui=False,
        dev_tools_props_check=False,
        dev_tools_serve_dev_bundles=False,
        dev_tools_hot_reload=False,
        dev_tools_prune_errors=False,
        dev_tools_validate_callbacks=False,
        dev_tools_disable_version_check=True,
    )
