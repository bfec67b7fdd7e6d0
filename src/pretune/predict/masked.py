"""Words that a language model would put in a place, after the embeddings and after every layer."""

from typing import Any

import torch

from pretune.errors import UsageError
from pretune.models import LanguageNetwork, Windows
from pretune.predict.words import NUM_GUESSES, best_guesses, read_prompt
from pretune.records import LayerGuesses, WordPlace, WordTrace


@torch.inference_mode()
def follow_words(network: LanguageNetwork, tokenizer: Any, prompt: str, *, number: int = NUM_GUESSES) -> WordTrace:
    """Trace the guesses for each ``[MASK]`` of a prompt, or for the word that follows it, through the layers.

    What follows the last layer (its norm, the head's transform, the output layer) is put after every layer. It was trained on
    the last one only; read earlier, it shows how far the guess has formed.

    Args:
        network: A language model, masked or causal.
        tokenizer: Its own.
        prompt: With one ``[MASK]`` or several for a masked model; the beginning of a text for a causal one.
        number: Guesses a layer.

    Raises:
        UsageError: Nothing is hidden in the prompt of a masked model, that of a causal one is empty, or it is too long.

    Source:
        nostalgebraist (2020), interpreting GPT: the logit lens.
    """
    return follow_windows(network, tokenizer, read_prompt(prompt, network, tokenizer), prompt, number=number)


@torch.inference_mode()
def follow_windows(
    network: LanguageNetwork, tokenizer: Any, windows: Windows, prompt: str, *, number: int = NUM_GUESSES
) -> WordTrace:
    """Trace the guesses at the targets of one window; arguments as for ``follow_words``, the prompt only to be shown."""
    was_training = network.training
    network.eval()
    _check_length(windows.ids.shape[1], network.model.config.max_position_embeddings)
    by_layer = [logits[:, : len(tokenizer)].float() for logits in network.guesses(windows)]  # (places, vocabulary) each
    network.train(was_training)
    ids, final = windows.ids[0].tolist(), by_layer[-1].argmax(dim=1)
    return WordTrace(
        prompt=prompt,
        objective="causal" if network.is_causal else "masked",
        tokens=tuple(tokenizer.convert_ids_to_tokens(ids)),
        ids=tuple(ids),
        places=tuple(
            WordPlace(
                place=target,
                layers=tuple(
                    LayerGuesses(
                        name="embeddings" if index == 0 else f"layer {index}",
                        guesses=best_guesses(logits[row], tokenizer, number),
                        final_probability=float(logits[row].softmax(dim=0)[final[row]]),
                    )
                    for index, logits in enumerate(by_layer)
                ),
            )
            for row, target in enumerate(windows.targets.tolist())
        ),
    )


def _check_length(num_tokens: int, limit: int) -> None:
    if num_tokens > limit:
        raise UsageError(
            f"the text is {num_tokens:,} tokens long", expected=f"at most {limit:,}, which the model can take", fix="shorten it"
        )
