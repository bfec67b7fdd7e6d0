"""The path of conversations up to training: no question on two sides, the test sealed, every row accounted for."""

import inspect
import pickle
import random

import pytest
from talks import messages

import pretune
from pretune.configs import ReadConfig, SplitConfig
from pretune.data.conversations import load_conversations, prepare
from pretune.data.dataset import load_data
from pretune.errors import DataError, SealedError
from pretune.hashing import fold
from pretune.records import Conversation

WORDS = "lamp river stone cloud paper glass horse violin garden window copper engine letter market bridge winter".split()


def make_rows(num=300, seed=0):
    """Questions of different words; each fifth is asked twice, each seventh nearly so."""
    generator, rows = random.Random(seed), []
    for place in range(num):
        words = generator.choices(WORDS, k=12)
        row = {"prompt": f"tell me of {' '.join(words)} {place}", "response": f"it is {words[0]}", "topic": f"t{place % 40}"}
        rows.append(row)
        if place % 5 == 0:
            rows.append(row | {"prompt": row["prompt"].upper() + " ", "response": "another"})
        if place % 7 == 0:
            rows.append(row | {"prompt": row["prompt"] + " please"})
    return rows


def everything(data):
    opened = data.seal.open(run="test", purpose="test").examples
    return {"train": data.train, "validation": data.validation, "test": tuple(map(Conversation.from_example, opened))}


def test_equal_and_nearly_equal_questions_are_on_one_side():
    data = load_conversations(make_rows())
    parts = everything(data)
    side = {}
    for name, part in parts.items():
        for item in part:
            key = fold(item.question).removesuffix(" please")
            assert side.setdefault(key, name) == name
    assert data.split_by == "question"
    assert "split by question; equal and nearly equal questions stay together" in data.receipt.notes
    shares = [len(part) / sum(map(len, parts.values())) for part in parts.values()]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_groups_are_on_one_side():
    data = load_conversations(make_rows(), group="topic")
    parts = everything(data)
    groups = [{item.group for item in part} for part in parts.values()]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    assert data.split_by == "group 'topic'"


def test_every_row_is_accounted_for():
    rows = make_rows()
    data = load_conversations([*rows, {"prompt": "no reply to this", "response": None, "topic": "t"}])
    receipt = data.receipt
    assert (receipt.num_rows, receipt.num_used, receipt.num_rejected) == (len(rows) + 1, len(rows), 1)
    assert sum(split.num_rows for split in receipt.splits) == len(rows)
    assert sum(map(len, everything(data).values())) == len(rows)
    assert data.counts.num_conversations == len(rows)
    assert receipt.columns.text == ("prompt",)


def test_the_split_depends_on_the_data_and_the_seed_alone():
    rows = make_rows()
    first, again, other = (load_conversations(rows, split_seed=seed) for seed in (0, 0, 1))
    assert first.train == again.train
    assert first.train != other.train
    assert first.seal.digest == again.seal.digest


def test_the_test_cannot_be_read_without_an_opening():
    data = load_conversations(make_rows())
    with pytest.raises(SealedError, match="test conversations are sealed"):
        data.test  # noqa: B018 - the access is what is tested
    with pytest.raises(SealedError):
        pickle.dumps(data.seal)
    held = {item.id for item in everything(data)["test"]}
    assert not held & {item.id for item in (*data.train, *data.validation)}


def test_what_comes_out_of_the_seal_is_what_went_in():
    row = {"prompt": "p", "chosen": "c", "rejected": "r", "turns": "x", "topic": "t"}
    rows = [row | {"prompt": f"{word} of {number}", "topic": word} for number, word in enumerate(WORDS)]
    data = load_conversations(rows, group="topic", test=[row | {"topic": "u"}], keep_leaks=True)
    (opened,) = everything(data)["test"]
    held = (opened.question, opened.reference, opened.rejected, opened.group, opened.extra)
    assert held == ("p", "c", "r", "u", {"turns": "x"})


def test_given_splits_lose_what_later_ones_have():
    rows, test = make_rows(), [{"prompt": "tell me of " + " ".join(WORDS[:12]) + " x", "response": "a", "topic": "new"}]
    leak = test[0] | {"prompt": test[0]["prompt"] + "!", "response": "b"}
    data = load_conversations([*rows, leak], test=test)
    assert data.receipt.num_removed == 1
    assert data.receipt.shared[0].removed == (f"train/row:{len(rows) + 1}",)
    assert all(item.id != f"train/row:{len(rows) + 1}" for item in (*data.train, *data.validation))
    kept = load_conversations([*rows, leak], test=test, keep_leaks=True)
    assert kept.receipt.num_removed == 0


def test_all_splits_given_are_kept_as_they_are():
    rows = make_rows(30)
    data = load_conversations(rows[:20], validation=rows[20:30], test=rows[30:], keep_leaks=True)
    assert (len(data.train), len(data.validation), data.split_by) == (20, 10, "files")


def test_by_time_the_test_is_newest():
    rows = [
        {"prompt": f"{word} {place}", "response": "x", "day": f"2024-01-{1 + place:02}"} for place, word in enumerate(WORDS)
    ]
    data = load_conversations(rows, time="day")
    days = [[int(item.extra["day"].split("-")[2]) for item in part] for part in everything(data).values()]
    assert max(days[0]) < min(days[1]) <= max(days[1]) < min(days[2])
    assert data.split_by == "time 'day'"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prompt": "a", "response": "b"}], r"1 row cannot be divided into train, validation, test: 1 can be separated"),
        ([{"prompt": "a", "response": f"b {n}"} for n in range(50)], r"50 rows cannot be divided .*: 1 can be separated"),
    ],
)
def test_what_cannot_be_divided_is_one_message_without_classes(rows, message):
    with pytest.raises(DataError, match=message) as caught:
        load_conversations(rows)
    assert "class" not in str(caught.value)
    assert caught.value.files


def test_a_second_file_has_its_own_form_and_ids(tmp_path):
    for name, rows in (("a", make_rows(40)), ("b", make_rows(40, seed=5))):
        (tmp_path / name).mkdir()
        lines = ["prompt,response", *(f"{row['prompt']},{row['response']}" for row in rows)]
        (tmp_path / name / "talks.csv").write_text("\n".join(lines))
    data = load_conversations(tmp_path / "a" / "talks.csv", test=tmp_path / "b" / "talks.csv", keep_leaks=True)
    assert data.train[0].id.startswith("train/talks.csv:")


def test_counts_say_what_the_table_holds():
    said = [[f"{word} {place}", "yes it is</s>"] for place, word in enumerate(WORDS)]
    rows = [{"messages": messages(*texts)} for texts in said]
    rows.append({"messages": messages(*said[0], *said[1], system="x")})
    counts = load_conversations(rows).counts
    assert (counts.num_conversations, counts.num_replies, counts.num_with_turns, counts.num_with_system) == (17, 18, 1, 1)
    assert counts.control_tokens == {"</s>": 18}
    assert (counts.num_repeated_replies, counts.num_commonest_reply, counts.num_repeated_questions) == (16, 17, 0)
    assert (counts.reply_words.median, counts.reply_words.longest) == (3.0, 3)
    assert counts.from_json(counts.to_json()) == counts


def test_its_options_stand_in_the_signature_and_are_those_of_load_data_but_for_labels():
    own, others = (dict(inspect.signature(load).parameters) for load in (load_conversations, load_data))
    assert own.keys() == others.keys() - {"merge_labels"}
    assert all(own[name].default == others[name].default for name in own)


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="merge_labels"):
        load_conversations(make_rows(), merge_labels=True)


def test_it_is_public_and_prepare_takes_configs():
    assert pretune.load_conversations is load_conversations
    data = prepare(make_rows(), ReadConfig(group="topic"), SplitConfig(seed=4, test_share=0.3))
    assert data.seal.num_rows > 80
    assert "split by group 'topic'" in repr(data)


def test_a_column_of_times_that_is_not_there_is_named_beside_the_users_own():
    with pytest.raises(DataError, match=r"column 'when' is not there; the others are 'topic'\s"):
        load_conversations(make_rows(20), time="when")
