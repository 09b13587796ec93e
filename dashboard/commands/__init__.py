"""The commands of the terminal, one module for each kind of work; heavy packages are imported inside the commands."""
