"""The shell around a controller that nobody has to trust: what it checks, foresees, allows and does instead."""
