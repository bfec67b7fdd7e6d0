"""What a language model would put in a place: hidden words for a masked model, the next word for a causal one."""

from collections.abc import Sequence
from typing import Any

import torch

from pretune.errors import UsageError
from pretune.models import LanguageNetwork, Windows
from pretune.records import Guess, PromptGuesses

# A sentence with one likely end, for English; asked for where its words are in the vocabulary.
USUAL_PROMPT = "the sun rises in the [MASK]"
NUM_GUESSES = 5
WORDS_SHOWN = 9  # of a held-out text


class WordGuesser:
    """Guesses for prompts, as the network stands.

    Args:
        network: A language model.
        tokenizer: Its own.
    """

    def __init__(self, network: LanguageNetwork, tokenizer: Any) -> None:
        self._network, self._tokenizer = network, tokenizer

    def guess(self, prompt: str, number: int = NUM_GUESSES) -> PromptGuesses:
        """Return the likeliest tokens for the first ``[MASK]`` of a prompt, or for what follows it.

        Raises:
            UsageError: A masked model, and nothing is hidden.
        """
        was_training = self._network.training
        self._network.eval()
        windows = read_prompt(prompt, self._network, self._tokenizer)
        windows = Windows(ids=windows.ids, targets=windows.targets[:1])
        with torch.inference_mode():
            logits = list(self._network.guesses(windows))[-1]
        self._network.train(was_training)
        return PromptGuesses(prompt=prompt, guesses=best_guesses(logits[0], self._tokenizer, number))


def read_prompt(prompt: str, network: LanguageNetwork, tokenizer: Any) -> Windows:
    """Return the prompt's tokens and the places to be guessed; ``[MASK]`` is whatever this tokenizer calls it.

    Raises:
        UsageError: A masked model, and nothing is hidden.
    """
    kind = next(network.parameters()).device.type
    if network.is_causal:
        ids = tokenizer(prompt, return_tensors="pt", split_special_tokens=True)["input_ids"]
        if not ids.shape[1]:
            raise UsageError("the text is empty", expected="a few words to continue", fix="pass the beginning of a sentence")
        return Windows(ids=ids.to(kind), targets=torch.tensor([ids.shape[1] - 1], device=kind))
    ids = tokenizer(prompt.replace("[MASK]", tokenizer.mask_token), return_tensors="pt")["input_ids"]
    targets = (ids[0] == tokenizer.mask_token_id).nonzero().flatten()
    if not len(targets):
        raise nothing_hidden(prompt)
    return Windows(ids=ids.to(kind), targets=targets.to(kind))


def nothing_hidden(prompt: str) -> UsageError:
    """Return the error of a prompt that asks a masked model nothing."""
    return UsageError(
        f"nothing is hidden in {prompt[:80]!r}", expected="[MASK] in place of a word", fix=f"such as {USUAL_PROMPT!r}"
    )


def best_guesses(logits: torch.Tensor, tokenizer: Any, number: int = NUM_GUESSES) -> tuple[Guess, ...]:
    """Return the likeliest tokens of logits (vocabulary,), with their probabilities."""
    shares, ids = logits[: len(tokenizer)].float().softmax(dim=0).topk(min(number, len(tokenizer)))
    return tuple(
        Guess(token=tokenizer.decode([index]).strip() or tokenizer.convert_ids_to_tokens(index), probability=round(share, 6))
        for index, share in zip(ids.tolist(), shares.tolist(), strict=True)
    )


def default_prompts(tokenizer: Any, texts: Sequence[str], network: LanguageNetwork) -> tuple[str, ...]:
    """Return prompts to watch: a usual sentence, and the beginnings of two held-out texts with a word hidden."""
    chosen = [words for words in (text.split() for text in texts) if len(words) >= WORDS_SHOWN][:2]
    if network.is_causal:
        return ("the sun rises in the", *(" ".join(words[: WORDS_SHOWN - 1]) for words in chosen))
    parts = []
    for words in chosen:
        hidden = max(range(2, WORDS_SHOWN - 1), key=lambda place: (words[place].isalpha(), -abs(len(words[place]) - 5)))
        parts.append(" ".join("[MASK]" if place == hidden else word for place, word in enumerate(words[:WORDS_SHOWN])))
    unknown = tokenizer.unk_token_id
    usual = tokenizer(USUAL_PROMPT.replace("[MASK]", tokenizer.mask_token))["input_ids"]
    return (*(() if unknown in usual else (USUAL_PROMPT,)), *parts)
