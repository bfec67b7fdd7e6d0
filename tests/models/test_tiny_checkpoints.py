"""The tiny checkpoints that other tests stand on: do they load and run as real ones do?"""

import pytest

from tiny import FAMILIES, make_rows


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tiny_checkpoint_loads_in_plain_transformers_and_reads_a_padded_batch(family, tiny_checkpoint):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tiny_checkpoint(family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
    batch = tokenizer(["A great film.", "The plot was dull and the music boring."], padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**batch).logits
    assert model.config.model_type == family
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tiny_tokenizer_knows_the_words_of_the_generated_rows(family, tiny_checkpoint):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint(family))
    for text, _ in make_rows(20, seed=1):
        ids = tokenizer(text)["input_ids"]
        assert ids[0] == tokenizer.cls_token_id
        assert ids[-1] == tokenizer.sep_token_id
        assert tokenizer.unk_token_id not in ids


def test_the_checkpoint_is_built_once(tiny_checkpoint):
    assert tiny_checkpoint("bert") == tiny_checkpoint("bert")


def test_generated_rows_are_distinct_balanced_and_the_same_for_a_seed():
    rows = make_rows(300)
    assert len({text for text, _ in rows}) == 300
    assert sum(label == "good" for _, label in rows) == 150
    assert rows == make_rows(300)
    assert rows != make_rows(300, seed=1)
