"""Compare: several controllers, or several runs, on the same scenarios and seeds."""

from dashboard.pages.compare.page import layout, register

__all__ = ["layout", "register"]
