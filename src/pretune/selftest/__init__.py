"""The self-test: trainings that are killed, or refused a write, over and over, and must end with the same bits."""
