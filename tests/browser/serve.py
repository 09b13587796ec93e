"""Serve the dashboard over a store with the test's plant cards; prints its address."""

from __future__ import annotations

import sys

from dashboard.app import create_app
from dashboard.server import address, bind, listen
from tests.browser.plants import Cards

if __name__ == "__main__":
    bound = bind()
    server = listen(create_app(sys.argv[1], Cards()), bound)
    print(address(bound), flush=True)
    server.run()
