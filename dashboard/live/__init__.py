"""The operator's page: what the browser is told of live sessions, and what it may order."""
