#!/usr/bin/env bash
# transformers 5.23.0 writes the rotary base of Llama as rope_parameters alone. transformers 4.57.6 opens the folder
# without a word and computes with its default base, 10,000: other hidden states from the same weights.
#
# Guess before it was run: 4.57 refuses the folder, warns of a key it does not know, or gives the same states.
#
# Seen (sum of the absolute last hidden states of a random model with a base of 500,000):
#   5.23.0 saved with rope_theta in config.json: False
#   4.57.6 base 10000.0, warnings 0, same states: False
#   with rope_theta put beside it: base 500000.0, same states: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/pip install --quiet --disable-pip-version-check --target new transformers==5.23.0
venv/bin/pip install --quiet --disable-pip-version-check --target old transformers==4.57.6
cat >probe.py <<'PY'
import json
import pathlib
import sys
import warnings

import torch
import transformers
from transformers import LlamaConfig, LlamaModel

ids = torch.arange(48).reshape(1, 48)
config = pathlib.Path("model/config.json")


def total(model):
    with torch.no_grad():
        return model.eval()(ids).last_hidden_state.abs().double().sum().item()


if sys.argv[1] == "save":
    torch.manual_seed(0)
    made = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0}, initializer_range=0.5,
    )
    model = LlamaModel(made)
    model.save_pretrained("model")
    pathlib.Path("total").write_text(str(total(model)))
    print(f"{transformers.__version__} saved with rope_theta in config.json: {'rope_theta' in json.loads(config.read_text())}")
else:
    known = float(pathlib.Path("total").read_text())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = LlamaModel.from_pretrained("model")
    same = abs(total(model) - known) < 1e-3 * known
    print(f"{transformers.__version__} base {model.config.rope_theta}, warnings {len(told)}, same states: {same}")
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rope_theta": 500_000.0}))
    model = LlamaModel.from_pretrained("model")
    print(f"with rope_theta put beside it: base {model.config.rope_theta}, same states: {abs(total(model) - known) < 1e-3 * known}")
PY
{
  PYTHONPATH=new venv/bin/python probe.py save
  PYTHONPATH=old venv/bin/python probe.py load
} | tee seen
diff - seen <<'OUT'
5.23.0 saved with rope_theta in config.json: False
4.57.6 base 10000.0, warnings 0, same states: False
with rope_theta put beside it: base 500000.0, same states: True
OUT
echo "unchanged"
