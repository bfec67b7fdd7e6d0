"""What a trained network says about texts."""

from pretune.predict.answers import answer, decide_by_card
from pretune.predict.classify import decide, predict_logits
from pretune.predict.follow import follow
from pretune.predict.saved import check_saved, shares_of, shift_of

__all__ = ["answer", "check_saved", "decide", "decide_by_card", "follow", "predict_logits", "shares_of", "shift_of"]
