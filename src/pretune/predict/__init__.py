"""What a trained network says about texts."""

from pretune.predict.answers import answer
from pretune.predict.classify import decide, predict_logits
from pretune.predict.follow import follow
from pretune.predict.saved import check_saved
from pretune.predict.scorer import Scorer

__all__ = ["Scorer", "answer", "check_saved", "decide", "follow", "predict_logits"]
