"""How a plant is run: controllers, training, scores, the run store."""
