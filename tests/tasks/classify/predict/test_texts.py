"""Texts from Python: every one is scored once, by the classifier that ``load_model`` gives."""

import pretune
from pretune.configs import FinetuneConfig
from pretune.predict import Scorer
from pretune.tasks.ask import predict_texts
from tiny import make_rows


def test_each_text_is_scored_once_by_the_classifier(tiny_checkpoint, tmp_path, monkeypatch):
    texts, labels = zip(*make_rows(60), strict=True)
    config = FinetuneConfig(max_length=32, calibrate=False)
    model = pretune.TextClassifier(str(tiny_checkpoint("bert")), epochs=1, config=config).fit(list(texts), list(labels))
    folder = model.save(tmp_path / "model")
    inner, scored = Scorer.logits, []
    monkeypatch.setattr(Scorer, "logits", lambda self, texts: (scored.append(len(texts)), inner(self, texts))[1])
    answers = predict_texts(str(folder), [(str(index), text) for index, text in enumerate(texts)])
    assert scored == [60]
    assert [answer["predicted"] for answer in answers] == list(model.predict(list(texts)))
