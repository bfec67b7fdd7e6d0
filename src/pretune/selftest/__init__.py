"""The self-test: trainings that are killed, or refused a write, again and again, and must end with the same bits."""
