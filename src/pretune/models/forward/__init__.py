"""pretune's own forward and backward of layers: the weights of transformers, fewer and faster operations around them."""
