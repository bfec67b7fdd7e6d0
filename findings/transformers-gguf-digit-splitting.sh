#!/usr/bin/env bash
# A GGUF file names how its text is split before tokens are merged (tokenizer.ggml.pre). The way called "smollm", which
# llama.cpp's converter writes for SmolLM and SmolLM2, sets every digit apart. transformers 5.23.0 reads such a file as if it
# said "gpt-2", where digits stand together: other tokens than the model was trained on, without a word.
#
# Guess before it was run: digits stand apart as the file says, or the reader refuses or warns of a way it does not know.
#
# Seen (one byte-level vocabulary that has the token "2024", written twice):
#   gpt-2: ['of', 'Ġ2024']
#   smollm: ['of', 'Ġ2024'], warnings 0
#   each digit apart, by tokenizers: ['of', 'Ġ', '2', '0', '2', '4']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers==0.23.3 gguf==0.19.0
cat >probe.py <<'PY'
import json
import logging
import pathlib
import warnings

import gguf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

TEXT = "of 2024"
learned = Tokenizer(models.BPE())
learned.pre_tokenizer, learned.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(
    vocab_size=280, special_tokens=["<|endoftext|>"], show_progress=False, initial_alphabet=alphabet
)
learned.train_from_iterator([TEXT] * 50, trainer)
vocab = learned.get_vocab()
tokens = sorted(vocab, key=vocab.__getitem__)
merges = [" ".join(pair) for pair in json.loads(learned.to_str())["model"]["merges"]]


def write(name):
    writer = gguf.GGUFWriter(f"{name}.gguf", "llama")
    for add, value in (
        (writer.add_context_length, 16), (writer.add_embedding_length, 8), (writer.add_block_count, 1),
        (writer.add_feed_forward_length, 8), (writer.add_head_count, 1), (writer.add_head_count_kv, 1),
        (writer.add_layer_norm_rms_eps, 1e-5), (writer.add_vocab_size, len(tokens)), (writer.add_tokenizer_model, "gpt2"),
        (writer.add_tokenizer_pre, name), (writer.add_token_list, tokens), (writer.add_token_merges, merges),
        (writer.add_token_types, [3] + [1] * (len(tokens) - 1)), (writer.add_bos_token_id, 0), (writer.add_eos_token_id, 0),
    ):
        add(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


told = []
catcher = logging.Handler()
catcher.emit = told.append
logging.getLogger("transformers").addHandler(catcher)
for name in ("gpt-2", "smollm"):
    write(name)
    told.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tokenizer = AutoTokenizer.from_pretrained(".", gguf_file=f"{name}.gguf")
    about = [item for item in (*told, *caught) if "pre" in str(getattr(item, "msg", item))]
    print(f"{name}: {tokenizer.tokenize(TEXT)}" + (f", warnings {len(about)}" if name == "smollm" else ""))
apart = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), learned.pre_tokenizer])
learned.pre_tokenizer = apart
print(f"each digit apart, by tokenizers: {learned.encode(TEXT).tokens}")
PY
venv/bin/python probe.py | tee seen
diff - seen <<'OUT'
gpt-2: ['of', 'Ġ2024']
smollm: ['of', 'Ġ2024'], warnings 0
each digit apart, by tokenizers: ['of', 'Ġ', '2', '0', '2', '4']
OUT
echo "unchanged"
