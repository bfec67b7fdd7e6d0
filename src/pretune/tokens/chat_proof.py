"""Proof: are conversations the same tokens in training and in the saved folder, and what of them does the loss count?

The saved folder's template and tokenizer, read back, render the conversations anew, and say where replies are. So nothing here
rests on what training thinks of its own rows.
"""

from collections.abc import Sequence

import numpy as np

from pretune.errors import ModelLoadError
from pretune.hashing import digest_of_lines
from pretune.records import Conversation, TemplateProof
from pretune.tokens.chat import ChatTemplate, Ids, Reply
from pretune.tokens.replies import EncodedReplies

# Conversations that are compared; a template that differs does so in most of them.
MAX_COMPARED = 200
AROUND = 6  # tokens shown before and after the first that differs


def prove_template(
    conversations: Sequence[Conversation], encoded: EncodedReplies, saved: ChatTemplate, *, is_reply: object = None
) -> TemplateProof:
    """Return what training saw of some conversations, evenly chosen, beside what the saved folder makes of them.

    Args:
        conversations: Those that were encoded.
        encoded: As training has them.
        saved: Of the folder that was saved, read back.
        is_reply: What the loss counts, (tokens,); ``None``: the marks of ``encoded``.
    """
    marks = encoded.marks if is_reply is None else np.asarray(is_reply, bool)
    rows = np.unique(np.linspace(0, len(encoded) - 1, min(len(encoded), MAX_COMPARED)).astype(int)).tolist()
    chosen = [conversations[int(encoded.rows[row])] for row in rows]
    trained, again, shown = dict[str, str](), dict[str, str](), None
    num_targets = num_prompt = num_replies = num_stops = 0
    for row, item, found in zip(rows, chosen, saved.encode_all([item.turns for item in chosen]), strict=True):
        start, stop = int(encoded.tokens.offsets[row]), int(encoded.tokens.offsets[row + 1])
        ids, counted = encoded.tokens.ids[start:stop], marks[start:stop]
        trained[item.id] = _digest(ids)
        if isinstance(found, ModelLoadError):
            again[item.id] = f"refused: {found.got}"
            continue
        rendered = found.ids[: encoded.counts.max_length]
        again[item.id] = _digest(rendered)
        if again[item.id] != trained[item.id]:
            shown = shown or _first_difference(ids, rendered, saved)
            continue
        whole = [reply for reply in found.replies if reply.end <= len(ids)]
        num_targets += int(counted.sum())
        num_prompt += int((counted & ~_places(found.replies, len(ids))).sum())
        num_replies += len(whole)
        num_stops += sum(bool(counted[reply.end - 1]) and int(ids[reply.end - 1]) in saved.stop_ids for reply in whole)
    return TemplateProof(
        trained=trained,
        saved=again,
        num_targets=num_targets,
        num_prompt_targets=num_prompt,
        num_replies=num_replies,
        num_stops=num_stops,
        shown=shown,
    )


def _digest(ids: Ids) -> str:
    return digest_of_lines([" ".join(map(str, ids.tolist()))])[:16]


def _places(replies: Sequence[Reply], length: int) -> np.ndarray:
    places = np.zeros(length, bool)
    for start, end in replies:
        places[start:end] = True
    return places


def _first_difference(trained: Ids, saved: Ids, template: ChatTemplate) -> tuple[str, str]:
    length = min(len(trained), len(saved))
    differing = np.flatnonzero(trained[:length] != saved[:length])
    place = int(differing[0]) if len(differing) else length
    part = slice(max(0, place - AROUND), place + AROUND)
    return template.shown(trained[part]), template.shown(saved[part])
