"""Chat templates: ids as transformers has them, replies by prefix, and no control token from a user's text."""

import pytest
from chats import CHATML, KINDS, LLAMA_3, MISTRAL, SPECIAL, TEMPLATES, TEXTS, make_tokenizer, talk
from hypothesis import given, strategies as st

from pretune.errors import ModelLoadError, UsageError
from pretune.tokens import ChatTemplate


def as_dicts(turns):
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def of_transformers(tokenizer, turns, **how):
    return tokenizer.apply_chat_template(as_dicts(turns), tokenize=True, return_dict=False, **how)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("texts", [TEXTS[:2], TEXTS[:4], (" padded ", "reply "), ("", "x"), ("<think>a</think>", "b <|im| c")])
def test_ids_are_those_of_transformers(kind, name, texts):
    tokenizer = make_tokenizer(TEMPLATES[name], kind)
    template, turns = ChatTemplate(tokenizer), talk(*texts)
    found = template.encode(turns)
    assert found.ids.tolist() == of_transformers(tokenizer, turns)
    assert template.prompt(turns[:-1]).tolist() == of_transformers(tokenizer, turns[:-1], add_generation_prompt=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_replies_lie_between_their_prompt_and_their_stop_token(kind, name):
    tokenizer = make_tokenizer(TEMPLATES[name], kind)
    template, turns = ChatTemplate(tokenizer), talk("Tom eats", "12 apples.", "a user", "Hello there!")
    found = template.encode(turns)
    assert len(found.replies) == 2
    for place, reply in zip((1, 3), found.replies, strict=True):
        assert found.ids[: reply.start].tolist() == template.prompt(turns[:place]).tolist()
        assert found.ids[reply.end - 1] == template.stop_id
        assert template.text_of(found.ids[reply.start : reply.end]).endswith(turns[place].text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("spelled", ["<|im_end|>", "</s>", "a<|eot|>b", " <s> x </s>", "<unk>", "<|im_end|>" * 3])
def test_text_never_becomes_a_control_token(kind, name, place, spelled):
    tokenizer = make_tokenizer(TEMPLATES[name], kind)
    template = ChatTemplate(tokenizer)
    texts = ["Tom eats", "12 apples"]
    plain = template.encode(talk(*texts)).ids.tolist()
    texts[place] = f"Tom {spelled} eats"
    found = template.encode(talk(*texts))
    control = {tokenizer.convert_tokens_to_ids(name) for name in SPECIAL} - {tokenizer.unk_token_id}
    assert [number for number in found.ids.tolist() if number in control] == [number for number in plain if number in control]
    start, end = found.replies[0]
    assert template.prompt(talk(*texts)[:1]).tolist() == found.ids[:start].tolist()
    shown = tokenizer.decode(found.ids.tolist())
    assert spelled.strip() in shown or kind != "bytes"
    assert found.ids[end - 1] == template.stop_id


@given(
    st.lists(
        st.sampled_from(
            ["<|im_end|>", "<", "|", "im_end", "<s", "</s>", "\ue000", "\uf8ff", "\uf8fe", " ", "a", "\n", "<think>"]
        )
    )
)
def test_no_text_forges_a_turn(parts):
    template, text = _SHARED, "".join(["x", *parts, "x"])
    found = template.encode(talk(text, "ok"))
    assert (found.ids == template.stop_id).sum() == 2
    start, end = found.replies[0]
    assert template.text_of(found.ids[start:end]) == "ok"
    assert found.ids[:start].tolist() == template.prompt(talk(text)).tolist()
    assert text in template._tokenizer.decode(found.ids.tolist())


_SHARED = ChatTemplate(make_tokenizer())


def test_what_spells_a_control_token_is_encoded_as_text_is():
    tokenizer = make_tokenizer()
    text = "Tom <|im_end|> eats"
    ids = ChatTemplate(tokenizer).encode(talk(text, "ok")).ids.tolist()
    wanted = tokenizer(f"user\n{text}", split_special_tokens=True, add_special_tokens=False).input_ids
    assert ids[1 : 1 + len(wanted)] == wanted


def test_a_text_has_one_first_token():
    tokenizer = make_tokenizer(LLAMA_3)
    ids = ChatTemplate(tokenizer).encode(talk("a", "b")).ids
    assert (ids == tokenizer.bos_token_id).sum() == 1


def test_a_generation_prompt_that_is_not_how_replies_begin_is_one_error_with_both():
    wrong = CHATML.replace("'<|im_start|>assistant\n'", "'<|im_start|>assistant\n<think>'")
    with pytest.raises(ModelLoadError, match=r"(?s)generation prompt.*prompt: .*<think>.*whole: .*Qreplyq"):
        ChatTemplate(make_tokenizer(wrong))


def test_a_prompt_whose_last_token_a_reply_changes_is_one_error_with_both():
    """GPT-2's way of splitting reads two line ends as one token at the end of a text, and as two before a word."""
    with pytest.raises(ModelLoadError, match=r"(?s)prompt: .*'ĊĊ'\n.*whole: .*'Ċ' 'Ċ' 'b'"):
        ChatTemplate(make_tokenizer(LLAMA_3, "gpt-2")).encode(talk("a", "b"))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for", "cannot be applied"),
        ("{{ messages[9]['content'] }}", "cannot be applied"),
        ("{{ raise_exception('no') }}", "no"),
        ("hello", "leaves out the question"),
        ("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}", "leaves out the reply"),
        ("{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}", "no token of its own"),
        (CHATML.split("{% if add")[0], "between the prompt and the reply"),
    ],
)
def test_a_template_that_cannot_be_used_is_one_message(template, message):
    with pytest.raises(ModelLoadError, match=message):
        ChatTemplate(make_tokenizer(template))


def test_a_turn_that_the_template_refuses_is_one_message():
    template = ChatTemplate(make_tokenizer(MISTRAL))
    assert not template.takes_system
    with pytest.raises(ModelLoadError, match="only user and assistant"):
        template.encode(talk("a", "b", system="s"))


def test_without_a_template_marks_of_the_vocabulary_make_it_chatml():
    tokenizer = make_tokenizer(None)
    template = ChatTemplate(tokenizer)
    assert template.stop == "<|im_end|>"
    assert "ChatML" in template.notes[0]
    assert tokenizer.chat_template
    assert make_tokenizer(tokenizer.chat_template) is not None


def test_without_a_template_or_marks_the_end_of_text_ends_replies():
    tokenizer = make_tokenizer(None, special=["</s>", "<s>", "<unk>"])
    template = ChatTemplate(tokenizer)
    assert template.stop_ids == (tokenizer.eos_token_id,)
    found = template.encode(talk("Tom eats", "a b", "Hello", " there"))
    assert tokenizer.decode(found.ids.tolist()) == "User: Tom eats\nAssistant: a b</s>\nUser: Hello\nAssistant: there</s>\n"
    assert [template.text_of(found.ids[start:end]) for start, end in found.replies] == ["a b", "there"]


def test_without_anything_that_ends_replies_there_is_one_message():
    tokenizer = make_tokenizer(None, special=["<s>", "<unk>"], eos_token=None)
    with pytest.raises(UsageError, match="neither a chat template nor an end-of-text token"):
        ChatTemplate(tokenizer)


def test_only_last_replies_are_learned_where_the_template_ends_no_others():
    ending = "{% if loop.last and m.role == 'assistant' %}{{ eos_token }}{% endif %}"
    only_last = "{% for m in messages %}{{ m.role + ': ' + m.content }}" + ending + "{{ '\n' }}{% endfor %}"
    template = ChatTemplate(make_tokenizer(only_last + "{% if add_generation_prompt %}assistant:{% endif %}"))
    assert "last reply only" in template.notes[0]
    assert len(template.encode(talk("a", "b", "c", "d")).replies) == 1
