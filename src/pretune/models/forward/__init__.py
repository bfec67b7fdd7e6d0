"""pretune's own forward and backward passes of layers: the weights of transformers, with fewer and faster operations."""
