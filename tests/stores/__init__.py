"""Stores as older versions left them."""
