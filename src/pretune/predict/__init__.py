"""What a trained network says about texts."""

from pretune.predict.classify import decide, predict_logits
from pretune.predict.follow import follow

__all__ = ["decide", "follow", "predict_logits"]
