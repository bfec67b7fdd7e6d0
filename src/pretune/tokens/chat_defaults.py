"""Templates for tokenizers that came without one."""

from typing import Any

from pretune.errors import UsageError
from pretune.tokens.encode import uncut

BEGIN, END = "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# A blank belongs to the word after it in most vocabularies, so the prompt ends before it.
PLAIN = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ (message['content'] | trim) + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'User: ' + (message['content'] | trim) + '\n' }}"
    "{% else %}{{ 'Assistant: ' + (message['content'] | trim) + eos_token + '\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def set_default(tokenizer: Any) -> str | None:
    """Give a tokenizer without a chat template one, so that the saved folder has it; return what there is to say of that.

    Raises:
        UsageError: It has no token that could end a reply.
    """
    if tokenizer.chat_template:
        return None
    added = tokenizer.get_added_vocab()
    if BEGIN in added and END in added:
        tokenizer.chat_template = CHATML
        return f"the tokenizer came without a chat template; ChatML is used, since it has {BEGIN} and {END}"
    if tokenizer.eos_token is None:
        raise UsageError(
            "the tokenizer has neither a chat template nor an end-of-text token",
            expected="one of them, so that replies can end",
            fix="set tokenizer.eos_token, or use a model whose tokenizer has one",
        )
    tokenizer.chat_template = ("{{ bos_token }}" if _begins_texts(tokenizer) else "") + PLAIN
    return f"the tokenizer came without a chat template; User: and Assistant: are used, and {tokenizer.eos_token} ends replies"


def _begins_texts(tokenizer: Any) -> bool:
    """Whether texts of this tokenizer begin with a token of their own, which templates must write themselves."""
    with uncut(tokenizer.backend_tokenizer):
        first = next(iter(tokenizer.backend_tokenizer.encode("a").ids), None)
    return first is not None and first == tokenizer.bos_token_id
