"""What runs the graph of an exported classifier: a file for each, with ``open_runtime(folder, threads)``."""
