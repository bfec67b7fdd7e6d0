"""What is drawn for a terminal."""
