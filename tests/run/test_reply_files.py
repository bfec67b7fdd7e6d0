"""Replies on disk."""

import pytest

from pretune.errors import StorageError, UsageError
from pretune.records import Decoding, Replies, ReplyScore
from pretune.run.reply_files import drop_replies, has_replies, read_all_replies, read_replies, write_replies

ODD = ("Line\u2028end\nand \u0085 more", '"quoted", \\back', "")


def replies(**changes):
    given = {
        "source": "few-shot", "split": "test", "ids": ("a:1", "a:2", "a:3"), "questions": ODD, "references": ODD[::-1],
        "texts": ODD, "ended": (True, False, True), "decoding": Decoding(repetition_penalty=1.1), "note": "3 examples",
        "scores": tuple(ReplyScore(id=f"a:{n}", nats=0.1 + n / 3, tokens=n, bytes=2 * n) for n in (1, 2, 3)),
    }  # fmt: skip
    return Replies(**(given | changes))


@pytest.mark.parametrize("changes", [{}, {"scores": None}, {"decoding": None, "note": ""}])
def test_replies_come_back_to_the_last_character(tmp_path, changes):
    write_replies(tmp_path, replies(**changes))
    assert read_all_replies(tmp_path) == (replies(**changes),)


def test_a_source_that_is_gone_is_not_read(tmp_path):
    write_replies(tmp_path, replies())
    drop_replies(tmp_path, "test", "few-shot")
    assert not has_replies(tmp_path, "test", "few-shot")
    with pytest.raises(UsageError, match="does not exist"):
        read_replies(tmp_path, "test", "few-shot")


@pytest.mark.parametrize("text", ["", "{}", "[1]\n", '{"schema": 1', '{"decoding": {"seed": "x"}, "note": ""}\n'])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "test.before.jsonl").write_text(text)
    with pytest.raises(StorageError, match=r"test\.before\.jsonl is damaged"):
        read_replies(tmp_path, "test", "before")
