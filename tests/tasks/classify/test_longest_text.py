"""A classifier reads no more tokens than its checkpoint has positions for, whatever length was asked for."""

import pytest

from pretune import TextClassifier
from pretune.configs import FinetuneConfig
from tiny import make_rows


@pytest.mark.parametrize(("asked", "expected"), [(512, 128), (128, 128), (16, 16)])
def test_a_length_beyond_the_positions_is_cut_to_them(asked, expected, tiny_checkpoint):
    rows = make_rows(40)
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    texts[0] = " ".join(texts * 2)  # longer than the 128 positions that RoBERTa's 130 leave
    config = FinetuneConfig(max_length=asked, precision="fp32")
    classifier = TextClassifier(str(tiny_checkpoint("roberta")), epochs=1, config=config)
    classifier.fit(texts, labels, validation_data=(texts[:20], labels[:20]))
    assert classifier.card_.max_length == expected
    assert classifier.token_counts_[0].num_cut_texts >= 1
    assert classifier.predict_proba([texts[0] * 3]).shape == (1, 2)
