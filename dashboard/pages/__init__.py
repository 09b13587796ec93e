"""The browser's pages; each offers ``layout(data, query)`` and ``register(app, data)``."""
