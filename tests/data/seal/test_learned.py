"""What a model has learned from: texts are found again, nearly the same ones too, others are not, and damage is told."""

import random
import time
from pathlib import Path

import numpy as np
import pytest

from pretune.data.seal.learned import ABOUT, ENTRY, TEXTS, Learned, look_back, read_learned, sign
from pretune.errors import DamagedError
from pretune.hashing import fingerprint
from tiny import make_rows

WORDS = [f"word{number}" for number in range(3_000)]


def make_texts(number: int, *, length: int = 20, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=length)) for _ in range(number)]


def found(known: list[str], asked: list[str]) -> tuple[int, int]:
    past = look_back(Learned().with_texts(known), asked)
    assert past.num_texts == len(set(known))
    return len(past.exact), len(past.near)


def test_the_same_text_is_found_but_for_case_and_spacing() -> None:
    texts = make_texts(50)
    past = look_back(Learned().with_texts(texts), [texts[3].upper() + "  ", "another text"])
    assert past.exact == (fingerprint(texts[3]),)
    assert past.near == ()


def change(text: str, how: str, draw: random.Random) -> str:
    words = text.split()
    place = draw.randrange(len(words))
    if how == "replaced":
        words[place] = "another"
    elif how == "dropped":
        del words[place]
    elif how == "appended":
        words += ["and", "more"]
    return " ".join(words) + ("!!" if how == "punctuation" else "")


@pytest.mark.parametrize("how", ["replaced", "dropped", "appended", "punctuation"])
def test_nearly_the_same_texts_are_found(how: str) -> None:
    draw, texts = random.Random(1), make_texts(500)
    num_exact, num_near = found(texts, [change(text, how, draw) for text in texts[:200]])
    assert num_exact == 0
    assert num_near >= 190


@pytest.mark.parametrize("length", [3, 8, 20, 200])
def test_other_texts_are_not_found(length: int) -> None:
    assert found(make_texts(2_000, length=length), make_texts(1_000, length=length, seed=1)) == (0, 0)


def test_texts_that_share_half_of_their_words_are_hardly_ever_taken_for_the_same() -> None:
    texts, others = make_texts(1_000), make_texts(1_000, seed=1)
    mixed = [" ".join([*text.split()[:10], *other.split()[10:]]) for text, other in zip(texts, others, strict=True)]
    assert found(texts, mixed)[1] <= 2


def test_texts_without_words_are_found_as_they_are_only() -> None:
    assert found(["!!!", "?", ""], ["!!!", "!!", ":-("]) == (1, 0)


def test_a_text_takes_32_bytes_and_each_is_there_once(tmp_path: Path) -> None:
    texts = [text for text, _ in make_rows(300)]
    Learned().with_texts([*texts, *map(str.upper, texts)]).write(tmp_path)
    assert (tmp_path / TEXTS).stat().st_size == 32 * 300
    assert ENTRY.itemsize == 32


def test_what_is_written_is_read_back_and_grows(tmp_path: Path) -> None:
    first = Learned(bases=("minilm",), unknown=("why",), corpora=("c",)).with_texts(make_texts(30))
    first.write(tmp_path)
    again = read_learned(tmp_path)
    assert again is not None
    assert (again.bases, again.unknown, again.corpora) == (("minilm",), ("why",), ("c",))
    both = again.joined(Learned(bases=("other",)).with_texts(make_texts(30, seed=1)))
    assert len(both.texts) == 60
    assert both.bases == ("minilm", "other")
    assert np.array_equal(both.texts, sign([*make_texts(30), *make_texts(30, seed=1)]))
    assert read_learned(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damage", ["bit", "short", "gone", "kind", "json"])
def test_damage_is_told(tmp_path: Path, damage: str) -> None:
    Learned().with_texts(make_texts(30)).write(tmp_path)
    data = bytearray((tmp_path / TEXTS).read_bytes())
    data[100] ^= 4
    if damage in ("bit", "short"):
        (tmp_path / TEXTS).write_bytes(data if damage == "bit" else data[:-32])
    elif damage == "gone":
        (tmp_path / TEXTS).unlink()
    else:
        (tmp_path / ABOUT).write_text('{"num_texts": "30"}' if damage == "kind" else "[]")
    with pytest.raises(DamagedError):
        read_learned(tmp_path)


def test_signatures_never_change() -> None:
    """They are on users' disks: another hash function would make every model forget what it has learned from."""
    entry = sign(["The quick brown fox jumps over the lazy dog"])[0]
    assert f"{entry['exact']:016x}" == fingerprint("the quick brown fox jumps over the lazy dog")
    assert entry["near"].tolist() == GOLDEN


GOLDEN = [16300, 49712, 10357, 31401, 22087, 60654, 9370, 60880, 60869, 397, 44152, 15357]


def template(seed: int, number: int) -> list[str]:
    draw = random.Random(seed)
    return [f"Order {draw.randrange(10**6)} was delivered to street {draw.randrange(10**6)}" for _ in range(number)]


def test_texts_of_a_template_are_near_where_a_comparison_of_each_with_each_says_so():
    learned, asked = Learned().with_texts(template(0, 1500)), sign(template(1, 300))
    words = [entries["near"][:, None, :].astype(int) for entries in (asked, learned.texts)]  # (texts, 1, words)
    own, other = ((part[..., None] >> np.arange(0, 16, 4) & 15).reshape(len(part), 1, 48) for part in words)
    is_pair = ((own == other.swapaxes(0, 1)).sum(axis=2) >= 35) & (words[0] == words[1].swapaxes(0, 1)).any(axis=2)
    near = {f"{value:016x}" for value in asked["exact"][is_pair.any(axis=1)].tolist()}
    assert near
    assert set(look_back(learned, template(1, 300)).near) == near


def test_many_texts_of_a_template_are_compared_in_seconds():
    learned = Learned().with_texts(template(0, 30_000))
    start = time.process_time()
    look_back(learned, template(1, 6_000))
    assert time.process_time() - start < 6  # one by one they took 14 s, in blocks 1.4 s
