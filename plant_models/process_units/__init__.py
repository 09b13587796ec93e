"""Plants of this family: one file is one plant."""
