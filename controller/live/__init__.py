"""Twin plants that are operated while they run: commands, faults, alarms, a clock of their own, and everything repeatable."""
