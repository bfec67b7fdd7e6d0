"""Samples: which replies of the test a reader should see, from the worst to the best."""

from collections.abc import Sequence

import numpy as np

from pretune.evaluate.matches import FORMULAS, count_matches
from pretune.evaluate.replies.rows import as_predictions
from pretune.records import Replies, ReplySample

NUM_SHOWN = 10


def choose_samples(sources: Sequence[Replies], *, main: str, number: int = NUM_SHOWN) -> tuple[ReplySample, ...]:
    """Return questions spread evenly from the worst reply of the judged source to its best, by chrF, with every source's reply.

    Args:
        sources: Of the test, on the same questions in the same order.
        main: The judged source.
        number: Questions; all, where there are fewer.
    """
    known = {item.source: item for item in sources if item.split == "test"}
    judged = known.get(main)
    if judged is None or not judged.ids:
        return ()
    order = np.argsort(_chrf_of_each(judged), kind="stable")
    places = order[np.unique(np.linspace(0, len(order) - 1, min(number, len(order))).round().astype(int))]
    return tuple(
        ReplySample(
            id=judged.ids[place],
            question=judged.questions[place],
            reference=judged.references[place],
            texts={source: _text_of(item, judged.ids[place]) for source, item in known.items()},
        )
        for place in places.tolist()
    )


def _chrf_of_each(replies: Replies) -> np.ndarray:
    counted = next(item for item in count_matches(as_predictions(replies)) if item.metric == "chrf")
    return FORMULAS["chrf"](counted.rows)


def _text_of(replies: Replies, name: str) -> str:
    return replies.texts[replies.ids.index(name)] if name in replies.ids else ""
