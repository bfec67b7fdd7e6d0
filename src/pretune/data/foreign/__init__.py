"""Tables that other tools wrote: predictions, scores, generated texts, prompts and replies."""
