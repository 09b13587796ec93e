"""Jobs: what was started from the dashboard, a form for a new one, and one job with its log."""
