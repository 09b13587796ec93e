"""Everything that is derived from a plant file."""
