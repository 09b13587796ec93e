"""Measurements with committed results."""
