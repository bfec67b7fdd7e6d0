"""Duplicates: exact after folding, near by verified Jaccard similarity, clustered."""

import random
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from pretune.data.alike.duplicates import WORD, find_duplicates, join_components, shingles_of
from pretune.data.alike.numbered import number_words
from pretune.data.alike.similar import jaccard
from pretune.hashing import fold

# How much is worked off at a time: rows, words, hashes, signs, pairs, texts of a band.
PLACES_OF_SIZES = [
    "pretune.data.alike.ragged.TAKEN",
    "pretune.data.alike.duplicates.PART",
    "pretune.data.alike.numbered.PART",
    "pretune.data.alike.similar.PART",
    "pretune.data.alike.similar.BLOCK",
    "pretune.data.alike.edits.PART",
    "pretune.data.alike.edits.BLOCK",
    "pretune.data.alike.edits.BAND",
]


def make_text(rng: random.Random, num_words: int, vocabulary: int = 5_000) -> str:
    """Return words drawn with a long tail, as in real text."""
    return " ".join(f"w{int(vocabulary ** rng.random())}" for _ in range(num_words))


def change_words(rng: random.Random, text: str, num_changes: int) -> str:
    words = text.split()
    for place in rng.sample(range(len(words)), num_changes):
        words[place] = f"x{rng.randrange(10**6)}"
    return " ".join(words)


def plain_similarity(first: str, second: str) -> float:
    """Return the Jaccard similarity of words and word pairs, with sets of strings: the reference."""
    sets = []
    for text in (first, second):
        words = WORD.findall(fold(text))
        sets.append({*words, *pairwise(words)})
    return len(sets[0] & sets[1]) / max(len(sets[0] | sets[1]), 1)


def plain_edits(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the Levenshtein distance by the full table, or some number over 3 where it is over 3: the reference."""
    row = list(range(len(second) + 1))
    for done, sign in enumerate(first, start=1):
        above, row = row, [done]
        for place, other in enumerate(second):
            row.append(min(above[place] + (sign != other), above[place + 1] + 1, row[place] + 1))
        if min(row) > 3:
            return min(row)
    return row[-1]


def plainly_near(first: str, second: str, threshold: float) -> bool:
    if fold(first) == fold(second) or plain_similarity(first, second) >= threshold:
        return True
    words, others = WORD.findall(fold(first)), WORD.findall(fold(second))
    if min(len(words), len(others)) * (1 - threshold) < 2 - 1e-9:
        return False
    return plain_edits(words, others) <= 1 or plain_edits("".join(words), "".join(others)) <= 3


def plain_components(texts: list[str], threshold: float) -> list[int]:
    """Return clusters by comparing every pair: the reference."""
    component = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            if plainly_near(texts[i], texts[j], threshold):
                component = [component[j] if number == component[i] else number for number in component]
    ranks = {number: rank for rank, number in enumerate(dict.fromkeys(component))}
    return [ranks[number] for number in component]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("A fine film", "a  FINE\tfilm "),  # case, spacing
        ("ｆｉｎｅ film", "fine film"),  # full width
        ("cafe\u0301 noir", "café noir"),  # combining accent
        ("straße", "STRASSE"),
        ("!!!", " !!! "),
    ],
)
def test_texts_that_differ_in_form_only_are_exact_duplicates(first: str, second: str) -> None:
    found = find_duplicates([first, "something else", second], threshold=0.8)
    assert (found.num_exact, found.num_near, found.largest) == (1, 0, 2)
    assert found.component.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the film is good, and short", "the film is good and short!"),  # punctuation only
        # 14 words, 27 shingles; one replaced takes 3 with it: 24 / 30 = 0.8
        ("a b c d e f g h i j k l m n", "a b c d e f X h i j k l m n"),
        # 8 words, 15 shingles; one added at the end: 15 / 17 = 0.88
        ("one two three four five six seven eight", "one two three four five six seven eight nine"),
        ("a b c d e f g h i j", "a b c d e f X h i j"),  # 10 words, one replaced: 16 / 22, but one word
        # three letters in three words of ten: 10 / 28, but three letters
        ("one of the finest films that we have seen lately", "one of the finst films that we hape seen latelyy"),
        ("the last train to the coast was late on a monday", "the last train tu the coast vas late on monday"),  # and a word
        ("电影很好看，我非常喜欢这部电影的音乐和画面", "电影很好看我非常喜欢这部电影的音乐和画面"),  # no spaces
    ],
)
def test_nearly_the_same_text_is_found(first: str, second: str) -> None:
    found = find_duplicates([first, "something else", second], threshold=0.8)
    assert (found.num_exact, found.num_near) == (0, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the film is good", "the film is bad"),  # {the film is} + 2 pairs of 9: 5 / 9
        ("!!!", "???"),  # no words: exact only
        ("", "..."),
        ("great 😀", "great 😡"),  # emoji are words
        ("a b c d e f g h i", "a b c d e f X h i"),  # 9 words, one replaced: 14 / 20
        ("one two three four five six seven eight nine ten", "one two film four five six seven tree nine ten"),  # two words
        (
            "one of the finest films that we have seen lately",
            "one of the finst films that we hape seen latelyyy",
        ),  # four letters
        ("b a", "a b"),  # order counts: 2 / 4
    ],
)
def test_texts_below_the_threshold_stay_apart(first: str, second: str) -> None:
    found = find_duplicates([first, second], threshold=0.8)
    assert (found.num_exact, found.num_near) == (0, 0)


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_clusters_are_those_of_comparing_every_pair(threshold: float) -> None:
    rng = random.Random(1)
    texts = [make_text(rng, rng.choice([1, 2, 3, 5, 10, 20]), vocabulary=40) for _ in range(80)]
    texts += [change_words(rng, rng.choice(texts), 1) for _ in range(80)]
    rng.shuffle(texts)
    assert find_duplicates(texts, threshold=threshold).component.tolist() == plain_components(texts, threshold)


@pytest.mark.parametrize(("num_words", "max_changes"), [(14, 1), (25, 2), (60, 4), (230, 15)])
def test_no_near_duplicate_is_missed_and_none_is_invented(num_words: int, max_changes: int) -> None:
    """Recall is asked to be 0.9; the join is exact, so it is 1."""
    rng = random.Random(2)
    originals = [make_text(rng, num_words) for _ in range(100)]
    copies = [change_words(rng, text, rng.randint(1, 2 * max_changes)) for text in originals]
    similar = [plainly_near(a, b, 0.8) for a, b in zip(originals, copies, strict=True)]
    component = find_duplicates(originals + copies, threshold=0.8).component
    found = (component[:100] == component[100:]).tolist()
    assert 20 < sum(similar) < 100
    assert found == similar


def test_three_letters_are_found_wherever_they_stand_and_four_never() -> None:
    """Texts of 12 words without a sign in common by rule; letters are replaced, inserted and deleted, also whole words."""
    rng = random.Random(6)
    originals = ["".join(rng.choice("abcdefgh   ") for _ in range(70)) + " i o u a i o u a i o" for _ in range(120)]
    copies = []
    for text in originals:
        signs = list(text)
        for _ in range(rng.randint(2, 5)):
            place = rng.randrange(len(signs))
            signs[place] = rng.choice(["", "x", signs[place] + "y"])
        copies.append("".join(signs))
    near = [plainly_near(a, b, 0.8) for a, b in zip(originals, copies, strict=True)]
    component = find_duplicates(originals + copies, threshold=0.8).component
    assert 20 < sum(near) < 110
    assert (component[:120] == component[120:]).tolist() == near


def test_a_threshold_of_one_asks_for_the_very_same_words() -> None:
    found = find_duplicates(["a b c d e f g h i j k", "a b c d e f g h i j kk"], threshold=1.0)
    assert found.num_near == 0


def test_texts_alike_in_most_but_no_near_copies_stay_apart_and_fast() -> None:
    """A template with three free numbers: all 2,000 texts share long segments, none is within three letters by chance alone."""
    rng = random.Random(7)
    texts = [
        f"your order {rng.randrange(10**9)} of {rng.randrange(10**9)} goes to box {rng.randrange(10**9)} on a monday"
        for _ in range(2_000)
    ]
    start = time.process_time()
    assert find_duplicates(texts, threshold=0.8).num_near == 0
    assert time.process_time() - start < 10


def test_hashed_similarity_is_that_of_the_sets_of_words_and_pairs() -> None:
    texts = ["a b c d", "a b c e", "", "a a a"]
    sets = shingles_of(number_words(WORD.findall(text) for text in texts))
    measured = [[jaccard(a, b) for b in sets] for a in sets]
    assert np.allclose(measured, [[plain_similarity(a, b) for b in texts] for a in texts])


def test_clusters_do_not_depend_on_the_order_of_the_texts() -> None:
    rng = random.Random(3)
    texts = [make_text(rng, 20) for _ in range(200)]
    texts += [change_words(rng, rng.choice(texts), 1) for _ in range(200)]
    order = rng.sample(range(400), 400)
    straight = find_duplicates(texts, threshold=0.8).component
    shuffled = find_duplicates([texts[i] for i in order], threshold=0.8).component
    pairs = {(a, b) for a, b in zip(straight[order].tolist(), shuffled.tolist(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_a_template_with_one_free_word_is_one_cluster_and_stays_fast() -> None:
    """2,000 texts that pairwise share all their shingles but three: 2 million pairs, if each were compared."""
    words = [f"t{i}" for i in range(20)]
    texts = [" ".join([*words[:10], f"free{i}", *words[10:]]) for i in range(2_000)]
    start = time.process_time()
    found = find_duplicates(texts, threshold=0.8)
    assert (found.num_near, found.largest) == (1_999, 2_000)
    assert time.process_time() - start < 5


def test_ten_thousand_sentences_take_seconds() -> None:
    """About one on two idle cores; the bound leaves room for a busy machine."""
    rng = random.Random(4)
    texts = [make_text(rng, 15, vocabulary=50_000) for _ in range(10_000)]
    start = time.process_time()
    find_duplicates(texts, threshold=0.8)
    assert time.process_time() - start < 6


def test_no_texts_are_no_clusters() -> None:
    found = find_duplicates([], threshold=0.8)
    assert (len(found.component), found.num_exact, found.num_near, found.largest) == (0, 0, 0, 0)


def test_clusters_with_a_group_in_common_become_one() -> None:
    joined = join_components(np.array([0, 1, 1, 2, 3, 4]), ["x", None, "y", "y", "x", None])
    assert joined.tolist() == [0, 1, 1, 1, 0, 2]


def make_edited_texts(rng: random.Random) -> list[str]:
    """Return texts of 10 to 18 words and of 20 to 90 letters, some with up to four letters of another changed."""
    texts = [" ".join("abcdefgh"[rng.randrange(8)] * rng.randint(1, 5) for _ in range(rng.randint(10, 18))) for _ in range(120)]
    for text in rng.choices(texts, k=120):
        signs = list(text)
        for place in rng.sample(range(len(signs)), rng.randint(1, 4)):
            signs[place] = rng.choice(["", "x", signs[place] + "y"])
        texts.append("".join(signs))
    return texts


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_clusters_do_not_depend_on_how_much_is_worked_off_at_a_time(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = make_edited_texts(random.Random(8))
    usual = find_duplicates(texts, threshold=0.8)
    for place in PLACES_OF_SIZES:
        monkeypatch.setattr(place, size)
    found = find_duplicates(texts, threshold=0.8)
    assert 20 < usual.num_near < 120
    assert found.component.tolist() == usual.component.tolist()


@pytest.mark.parametrize("added", ["d", "dd", "ddd", "dddd"])
def test_a_pair_is_found_across_bands_of_length(added: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a band for each length, the longer text is one to three bands further on; four letters are too many."""
    monkeypatch.setattr("pretune.data.alike.edits.BAND", 1)
    short = "one of the finest films that we have seen lately"
    changed = short.replace("films", f"films{added[:2]}").replace("lately", f"lately{added[2:]}")
    found = find_duplicates([short, "between the two a text of the same length lies there", changed], threshold=0.8)
    assert plainly_near(short, changed, 0.8) == (found.component[0] == found.component[2])
    assert found.num_near == (len(added) < 4)


def test_the_order_of_texts_decides_nothing_not_even_in_templates():
    """Of a template's many texts only so many are compared with each: which ones must not depend on where they stand."""
    generator = random.Random(0)
    words = ["".join(generator.choices("abcdefgh", k=7)) for _ in range(40)]
    names = [" ".join(generator.choices(words, k=3)) for _ in range(1_200)]
    texts = [f"What are the genetic changes related to {name} ?" for name in names]

    def clusters(order):
        found = find_duplicates([texts[place] for place in order], threshold=0.8)
        firsts, together = {}, dict(zip(order, found.component.tolist(), strict=True))
        return [firsts.setdefault(together[place], place) for place in range(len(texts))]

    order = list(range(len(texts)))
    known = clusters(order)
    for seed in range(3):
        random.Random(seed).shuffle(order)
        assert clusters(order) == known
