"""Gymnasium environments over the compiled kernel."""
