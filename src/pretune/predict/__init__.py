"""What a trained network says about texts.

Names are resolved on first use, so that an exported form answers without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Name → the module of this package that defines it.
_HOMES = {
    "Scorer": "scorer",
    "TextScorer": "text_scorer",
    "answer": "answers",
    "answers_of": "text_scorer",
    "check_saved": "saved",
    "decide": "text_scorer",
    "predict_logits": "classify",
}

__all__ = [*_HOMES]

if TYPE_CHECKING:  # what type checkers and editors see
    from pretune.predict.answers import answer as answer
    from pretune.predict.classify import predict_logits as predict_logits
    from pretune.predict.saved import check_saved as check_saved
    from pretune.predict.scorer import Scorer as Scorer
    from pretune.predict.text_scorer import TextScorer as TextScorer, answers_of as answers_of, decide as decide


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
