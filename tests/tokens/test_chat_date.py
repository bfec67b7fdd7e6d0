"""Templates that print the date."""

from datetime import datetime

import pytest
from chats import CHATML, make_tokenizer, talk
from transformers import PreTrainedTokenizerFast

from pretune.tokens.chat import ChatTemplate
from pretune.tokens.chat_date import fix_date, now

DATED = (
    "{%- if strftime_now is defined %}{%- set day = strftime_now('%d %b %Y') %}"
    "{%- else %}{%- set day = '26 Jul 2024' %}{%- endif %}"
    "{{ '<|im_start|>system\nToday is ' + day + '.<|im_end|>\n' }}" + CHATML
)
LONG_AGO = "2020-02-29T23:59:59+01:00"


def test_the_date_of_training_stays_in_the_saved_tokenizer(tmp_path):
    tokenizer = make_tokenizer(DATED)
    assert "2020-02-29" in fix_date(tokenizer, LONG_AGO)
    ids = ChatTemplate(tokenizer).encode(talk("Hello", "there")).ids
    assert "Today is 29 Feb 2020." in tokenizer.decode(ids)
    tokenizer.save_pretrained(tmp_path)
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "there"}]
    assert again.apply_chat_template(messages)["input_ids"] == ids.tolist()


def test_a_model_that_was_not_trained_here_is_told_today():
    tokenizer = make_tokenizer(DATED)
    days = {datetime.now().strftime("%d %b %Y")}
    text = tokenizer.decode(ChatTemplate(tokenizer).prompt(talk("Hello")))
    days.add(datetime.now().strftime("%d %b %Y"))
    assert any(f"Today is {day}." in text for day in days)


@pytest.mark.parametrize(
    "call", ["strftime_now('%Y')", 'strftime_now( "%Y" )', "strftime_now(format='%Y')", "strftime_now('%Y',)"]
)
def test_every_way_of_asking_for_the_date_is_fixed(call):
    tokenizer = make_tokenizer("{{ " + call + " }}" + CHATML)
    assert fix_date(tokenizer, LONG_AGO)
    assert tokenizer.chat_template == '{{ "2020" }}' + CHATML


def test_quotes_in_a_date_stay_text():
    tokenizer = make_tokenizer("""{{ strftime_now('"%Y"') }}""" + CHATML)
    fix_date(tokenizer, LONG_AGO)
    assert tokenizer.apply_chat_template([{"role": "user", "content": ""}], tokenize=False).startswith('"2020"<|im_start|>')


def test_a_template_without_a_date_stays_as_it_is():
    tokenizer = make_tokenizer(CHATML)
    assert fix_date(tokenizer, LONG_AGO) == ""
    assert tokenizer.chat_template == CHATML


def test_a_date_that_cannot_be_fixed_is_said():
    tokenizer = make_tokenizer("{% set how = '%Y' %}{{ strftime_now(how) }}" + CHATML)
    assert "cannot be fixed" in fix_date(tokenizer, LONG_AGO)


def test_now_is_read_back():
    assert datetime.fromisoformat(now()).tzinfo is not None
