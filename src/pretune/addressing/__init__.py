"""What a flag of the command line is in Python, and messages that name the one or the other."""
