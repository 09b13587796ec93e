"""One run: live while it trains, then its result, its episodes, its policy, its configuration and its files."""

from dashboard.pages.run.page import layout, register

__all__ = ["layout", "register"]
