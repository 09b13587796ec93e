"""One plant: what its file declares, where it comes to rest, and how its loops answer to steps."""

from dashboard.pages.plant.page import layout, register

__all__ = ["layout", "register"]
