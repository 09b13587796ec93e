"""Commands that the dashboard starts: the form that asks for one, the process that runs it, and what becomes of it."""
