"""Which tokens of a window are hidden, and what the model reads instead.

Shapes: ids (batch, time), targets and labels (targets,).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

# Of the tokens chosen, under the 80/10/10 rule: so many are hidden, so many replaced by a random token, the rest left.
HIDDEN_SHARE, RANDOM_SHARE = 0.8, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What masking has to know of a tokenizer.

    Args:
        mask_id: Of the token that hides another.
        is_special: (vocabulary,), tokens that are never hidden and never put in.
        continues: (vocabulary,), tokens that continue the word of the token before.
    """

    mask_id: int
    is_special: NDArray[np.bool_]
    continues: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A window with words hidden: what is read, where something is to be predicted (flattened), and what."""

    ids: Ids
    targets: Ids
    labels: Ids


def vocabulary_of(tokenizer: Any) -> Vocabulary:
    """Read it from a fast tokenizer: WordPiece goes on with a word by ``##``, byte-level BPE begins one by ``Ġ``."""
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    special = set(tokenizer.all_special_ids)
    is_piece = any(token.startswith("##") for token in tokens if token)
    begins = [bool(token) and token[0] in "ĠĊ▁" for token in tokens]
    continues = [bool(token) and token.startswith("##") for token in tokens] if is_piece else [not item for item in begins]
    is_special = np.array([index in special or not token for index, token in enumerate(tokens)])
    return Vocabulary(mask_id=int(tokenizer.mask_token_id), is_special=is_special, continues=np.array(continues) & ~is_special)


def mask_tokens(
    ids: Ids,
    vocabulary: Vocabulary,
    *,
    share: float,
    generator: np.random.Generator,
    whole_words: bool = False,
    keep_some: bool = False,
) -> Masked:
    """Hide a share of the tokens of a window; special tokens stay.

    Args:
        ids: (batch, time).
        vocabulary: Of the tokenizer.
        share: Of the tokens that are not special; their number is this share, rounded, and at least one.
        generator: Of the choice.
        whole_words: Hide all tokens of a word or none.
        keep_some: Replace a tenth of the tokens chosen by random ones and leave a tenth, in place of hiding all.

    Source:
        Devlin et al. (2019), BERT, section 3.1; Wettig et al. (2023), Should you mask 15 % in masked language modeling?
    """
    flat = ids.reshape(-1)
    may = np.flatnonzero(~vocabulary.is_special[flat])
    wanted = min(len(may), max(1, round(share * len(may))))
    if whole_words:
        targets = _choose_words(flat, may, ids.shape[1], vocabulary, wanted, generator)
    else:
        targets = np.sort(generator.choice(may, wanted, replace=False, shuffle=False))
    read = flat.copy()
    hidden = targets
    if keep_some:
        drawn = generator.random(len(targets))
        hidden, swapped = targets[drawn < HIDDEN_SHARE], targets[drawn >= 1 - RANDOM_SHARE]
        usual = np.flatnonzero(~vocabulary.is_special)
        read[swapped] = usual[generator.integers(len(usual), size=len(swapped))]
    read[hidden] = vocabulary.mask_id
    return Masked(ids=read.reshape(ids.shape), targets=targets, labels=flat[targets])


def _choose_words(flat: Ids, may: Ids, time: int, vocabulary: Vocabulary, wanted: int, generator: np.random.Generator) -> Ids:
    """Return the places of whole words, drawn until there are enough tokens; the last word may be too many by its length."""
    follows = np.zeros(len(may), dtype=np.bool_)
    follows[1:] = (may[1:] == may[:-1] + 1) & (may[1:] % time != 0)
    word = np.cumsum(~(vocabulary.continues[flat[may]] & follows)) - 1
    order = generator.permutation(int(word[-1]) + 1 if len(word) else 0)
    sizes = np.bincount(word, minlength=len(order))
    num_words = int(np.searchsorted(np.cumsum(sizes[order]), wanted)) + 1
    chosen = np.zeros(len(order), dtype=np.bool_)
    chosen[order[:num_words]] = True
    found: Ids = may[chosen[word]]
    return found


def next_tokens(ids: Ids, documents: NDArray[np.int32]) -> Masked:
    """Return windows one token shorter whose every place predicts the next token of its document.

    Args:
        ids: (batch, time + 1).
        documents: (batch, time + 1).
    """
    read, following = ids[:, :-1], ids[:, 1:]
    targets = np.flatnonzero((documents[:, :-1] == documents[:, 1:]).reshape(-1))
    return Masked(ids=np.ascontiguousarray(read), targets=targets, labels=following.reshape(-1)[targets])
