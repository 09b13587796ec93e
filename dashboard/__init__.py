"""The faces people use: the terminal and the browser."""
