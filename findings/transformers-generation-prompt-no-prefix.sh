#!/usr/bin/env bash
# transformers 5.23.0 with tokenizers 0.23.3: the text of a prompt made with add_generation_prompt=True begins the text of
# the whole conversation, and its ids do not begin the ids of the whole. A model trained on wholes reads other tokens
# before its first word than it is asked with. It takes a template that puts an empty line before a reply (the form of
# Llama 3) and a byte-level vocabulary that splits text as GPT-2's does; with Llama 3's own splitting the ids agree.
#
# Guess before it was run: as the text is a prefix and a reply begins with a letter, the ids are a prefix in both.
#
# Seen:
#   transformers 5.23.0, tokenizers 0.23.3
#   gpt-2: text is a prefix True, ids are a prefix False; the prompt ends in ['ĊĊ'], the whole goes on with ['Ċ', 'Ċ', 'H', 'i']
#   llama-3: text is a prefix True, ids are a prefix True; the prompt ends in ['ĊĊ'], the whole goes on with ['ĊĊ', 'H', 'i']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.23.0 tokenizers==0.23.3 jinja2==3.1.6 numpy==2.4.6
cat >probe.py <<'PY'
import tokenizers
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

print(f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
words = {letter: number for number, letter in enumerate([*alphabet, "ĊĊ"])}
newer = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
splitting = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "llama-3": pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(newer), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    ),
}
template = (
    "{% for turn in messages %}<{{ turn.role }}>\n\n{{ turn.content }}|{% endfor %}"
    "{% if add_generation_prompt %}<assistant>\n\n{% endif %}"
)
asked = [{"role": "user", "content": "Who?"}]
whole = [*asked, {"role": "assistant", "content": "Hi"}]
for name, way in splitting.items():
    inner = Tokenizer(models.BPE(words, [("Ċ", "Ċ")]))
    inner.pre_tokenizer, inner.decoder = way, decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)
    tokenizer.chat_template = template
    texts = [
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=begun)
        for turns, begun in ((asked, True), (whole, False))
    ]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    shared = next((place for place, (a, b) in enumerate(zip(*ids)) if a != b), len(ids[0]))
    start = min(shared, len(ids[0]) - 1)
    ends, goes_on = (tokenizer.convert_ids_to_tokens(item[start:]) for item in ids)
    print(
        f"{name}: text is a prefix {texts[1].startswith(texts[0])}, ids are a prefix {ids[1][: len(ids[0])] == ids[0]}; "
        f"the prompt ends in {ends}, the whole goes on with {goes_on[:-1]}"
    )
PY
venv/bin/python probe.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
transformers 5.23.0, tokenizers 0.23.3
gpt-2: text is a prefix True, ids are a prefix False; the prompt ends in ['ĊĊ'], the whole goes on with ['Ċ', 'Ċ', 'H', 'i']
llama-3: text is a prefix True, ids are a prefix True; the prompt ends in ['ĊĊ'], the whole goes on with ['ĊĊ', 'H', 'i']
SEEN
echo "unchanged"
