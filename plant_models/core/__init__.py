"""The words a plant is written in."""
