"""Hashing: what makes two texts, values, lists of lines or files the same."""

import hashlib
import os
from pathlib import Path

import pytest
from running import count_reads

from pretune import hashing
from pretune.hashing import digest_of, digest_of_file, digest_of_lines, fingerprint, fold, forget_digests, known_digest


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  A \t B\n", "a b"),
        ("ＦＵＬＬ width", "full width"),
        ("cafe\u0301", "café"),
        ("ﬁne", "fine"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("no\u00a0break\u2003space", "no break space"),
        ("", ""),
        ("Don't!", "don't!"),  # punctuation makes another text
    ],
)
def test_folding_drops_form_case_and_spacing_only(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["ß ǅ İ ſ", "A  B", "ﬀ Å", "\u1e9e"])
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_fingerprint_is_64_bits_of_the_folded_text() -> None:
    assert fingerprint("A b") == hashlib.blake2b(b"a b", digest_size=8).hexdigest()
    assert fingerprint("A b") != fingerprint("a c")


def test_a_text_that_is_not_valid_unicode_has_a_fingerprint() -> None:
    assert len(fingerprint("\ud800")) == 16


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest_of({"a": 1, "b": [2, None]}) == digest_of({"b": [2, None], "a": 1})
    assert digest_of([1, 2]) != digest_of([2, 1])


@pytest.mark.parametrize(("one", "other"), [(["ab", "c"], ["a", "bc"]), (["a\nb"], ["a", "b"]), ([], [""])])
def test_lists_of_lines_do_not_collide_by_joining(one: list[str], other: list[str]) -> None:
    assert digest_of_lines(one) != digest_of_lines(other)


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest_of_file(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_is_read_again_once_it_was_written_to_whatever_its_times_say(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"a")
    then = file.stat().st_mtime_ns
    monkeypatch.setattr(hashing, "SETTLED_SECONDS", -1)
    assert known_digest(file) == digest_of_file(file)
    file.write_bytes(b"b")
    os.utime(file, ns=(then, then))
    assert known_digest(file) == digest_of_file(file)
    file.unlink()
    file.write_bytes(b"c")
    os.utime(file, ns=(then, then))
    assert known_digest(file) == digest_of_file(file)


def test_a_file_that_was_just_written_is_always_read(tmp_path, monkeypatch):
    file, reads = tmp_path / "file", count_reads(monkeypatch)
    monkeypatch.setattr(hashing, "SETTLED_SECONDS", 60)
    file.write_bytes(b"a")
    assert known_digest(file) == known_digest(file)
    assert reads[file] == 2
    monkeypatch.setattr(hashing, "SETTLED_SECONDS", -1)
    assert known_digest(file) == known_digest(file)
    assert reads[file] == 3
    forget_digests()
    known_digest(file)
    assert reads[file] == 4
