"""What a trained network says about texts."""

from pretune.predict.classify import decide, predict_logits
from pretune.predict.follow import follow
from pretune.predict.saved import check_saved, shares_of

__all__ = ["check_saved", "decide", "follow", "predict_logits", "shares_of"]
