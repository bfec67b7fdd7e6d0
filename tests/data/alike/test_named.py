"""Questions that differ in nothing but the names of their subjects."""

import pytest

from pretune.data.alike.duplicates import find_duplicates
from pretune.data.alike.units import find_copies
from pretune.data.conversations import load_conversations
from pretune.data.split.divide import split_examples
from pretune.records import Example

ASKED = "What research (or clinical trials) is being done for {} ?"
LONG = (
    "My sister was told last week by the doctor who looks after all of us that she has {} and now I would like to know what "
    "research has been done on it so far, where I can read about it, whether there is anything new since {}, and whom to ask"
)
SUBJECTS = [
    f"{first}{last}" for first in ("neur", "gastr", "derm", "arthr", "nephr") for last in ("itis", "algia", "osis", "oma")
]


def clusters(*rows):
    """Return the cluster of each (text, group)."""
    texts, groups = zip(*rows, strict=True)
    return find_duplicates(texts, threshold=0.8, groups=groups).component.tolist()


def test_one_template_about_two_named_subjects_is_two_questions():
    rows = [(ASKED.format(name), name) for name in ("Migraine", "Stroke", "Chronic Pain", "Whiplash")]
    assert clusters(*rows) == [0, 1, 2, 3]
    assert find_duplicates([text for text, _ in rows], threshold=0.8).component.tolist() == [0, 0, 1, 0]  # by words alone


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((ASKED.format("Stroke"), "Stroke"), (ASKED.format("stroke"), "Other")),  # equal
        ((ASKED.format("Stroke"), "Stroke"), (ASKED.format("a stroke"), "Stroke")),  # one subject
        ((ASKED.format("Stroke"), "Stroke"), (ASKED.format("Stroke").replace("done", "made"), "Other")),  # no name differs
        ((LONG.format("Stroke", "May"), "Stroke"), (LONG.format("Migraine", "June"), "Migraine")),  # a month differs, too
        ((ASKED.format("Stroke"), "Stroke"), (ASKED.format("Migraine"), None)),
        ((ASKED.format("Stroke"), None), (ASKED.format("Migraine"), None)),
        ((ASKED.format("Stroke"), "patient 1"), (ASKED.format("Migraine"), "patient 2")),  # groups that name nothing
        ((ASKED.format("Stroke"), "Brain"), (ASKED.format("Migraine"), "Brain")),
    ],
)
def test_nearly_equal_questions_stay_together_where_names_do_not_explain_the_difference(first, second):
    texts = [first[0], second[0]]
    if find_duplicates(texts, threshold=0.8).component.tolist() == [0, 0]:
        assert clusters(first, second) == [0, 0]
    else:
        pytest.fail("these two are not nearly equal to begin with")


def test_a_name_that_is_part_of_another_is_apart():
    rows = [(ASKED.format("hereditary sensory neuropathy"), "hereditary sensory neuropathy"),
            (ASKED.format("hereditary sensory neuropathy 2"), "hereditary sensory neuropathy 2")]  # fmt: skip
    assert clusters(*rows) == [0, 1]
    assert find_duplicates([text for text, _ in rows], threshold=0.8).component.tolist() == [0, 0]


def test_a_template_without_a_subject_ties_none_together():
    rows = [(ASKED.format("Stroke"), "Stroke"), (ASKED.format(""), None), (ASKED.format("Migraine"), "Migraine")]
    assert clusters(*rows) == [0, 1, 2]
    assert clusters(rows[0], (ASKED.format("Migraine"), None)) == [0, 0]  # a word of its own, of which nobody says what it is


def test_a_question_that_two_subjects_share_is_near_to_neither_by_name():
    """One text of two groups is explained only where both names explain it."""
    text = ASKED.format("Stroke")
    assert clusters((text, "Stroke"), (text, "Stroke of fate"), (ASKED.format("Migraine"), "Migraine")) == [0, 0, 1]
    assert clusters((text, "Stroke"), (text, "Brain"), (ASKED.format("Migraine"), "Migraine")) == [0, 0, 0]


def table(**more):
    asked = (ASKED, "What are the symptoms of {} ?", "What is {} ?")
    return [
        {"prompt": form.format(name), "response": f"{name} {number}.", "focus": name, **more}
        for name in SUBJECTS
        for number, form in enumerate(asked)
    ]


def test_conversations_by_subject_have_as_many_units_as_subjects():
    data = load_conversations(table(), group="focus")
    assert data.receipt.num_near_duplicates == 0
    assert data.counts.are_names_apart
    assert not any("largest cluster" in note for note in data.receipt.notes)
    sides = {}
    for split in ("train", "validation"):
        for row in getattr(data, split):
            sides.setdefault(row.group, set()).add(split)
    assert all(len(names) == 1 for names in sides.values())
    assert len({*sides}) + len({*data.seal.groups()}) == len(SUBJECTS)


def test_without_groups_they_stay_together():
    assert load_conversations(table()).receipt.num_near_duplicates == len(SUBJECTS) - 1


def test_copies_by_name_are_fewer():
    rows = [Example(id=name, text=ASKED.format(name), group=name) for name in SUBJECTS]
    assert len(find_copies(rows).texts) == len(SUBJECTS)
    assert find_copies(rows, by_name=True).texts == {}


def test_texts_with_classes_are_divided_as_before():
    rows = [Example(id=str(n), text=ASKED.format(name), group=name, label="ab"[n % 2]) for n, name in enumerate(SUBJECTS)]
    rows += [Example(id=f"x{n}", text=f"a text of its own {n * 7919}", label="ab"[n % 2]) for n in range(40)]
    assert split_examples(rows).num_near_duplicates == len(SUBJECTS) - 1
