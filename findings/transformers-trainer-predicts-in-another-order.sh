#!/usr/bin/env bash
# transformers 5.23.0: TrainingArguments(train_sampling_strategy="group_by_length"), an option named for training, orders what
# Trainer.predict reads too. Row i of .predictions is then not about row i of the data set, and nothing says so: a model that
# answers every row rightly is 100 % right by the labels that predict returns beside it, and wrong by those of the data set.
#
# Guess before it was run: the option is about training; predict and evaluate read rows as they lie.
#
# Seen:
#   transformers 5.23.0, torch 2.13.0
#   random: rows answered as they lie True
#   group_by_length: rows answered as they lie False; the same answers, sorted True; the first is about row 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 torch==2.13.0 accelerate==1.15.0 numpy==2.4.6
cat >probe.py <<'PY'
import tempfile

import torch
import transformers
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments

print(f"transformers {transformers.__version__}, torch {torch.__version__.partition('+')[0]}")


class First(PreTrainedModel):
    """Answers with the first id of a text."""

    config_class = PretrainedConfig

    def __init__(self, config):
        super().__init__(config)
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.post_init()

    def forward(self, input_ids, **_):
        return {"logits": input_ids[:, :1].float() + 0 * self.unused}


def collate(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    return {"input_ids": torch.tensor([row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows])}


rows = [{"input_ids": [number] * length} for number, length in enumerate((2, 5, 9, 3, 7, 4))]
for strategy in ("random", "group_by_length"):
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out, per_device_eval_batch_size=2, train_sampling_strategy=strategy, use_cpu=True, report_to="none", disable_tqdm=True
        )
        said = Trainer(First(PretrainedConfig()), arguments, data_collator=collate).predict(rows).predictions[:, 0]
    said = [int(number) for number in said]
    lies = said == list(range(len(rows)))
    more = "" if lies else f"; the same answers, sorted {sorted(said) == list(range(len(rows)))}; the first is about row {said[0]}"
    print(f"{strategy}: rows answered as they lie {lies}{more}")
PY
venv/bin/python probe.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
transformers 5.23.0, torch 2.13.0
random: rows answered as they lie True
group_by_length: rows answered as they lie False; the same answers, sorted True; the first is about row 2
SEEN
echo "unchanged"
