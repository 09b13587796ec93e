"""The contract that every plant keeps: the plants of this package in its tests, and a user's own by ``setpoint check``."""
