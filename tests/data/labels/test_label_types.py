"""Label types: a label that came as a number is answered as one."""

import numpy as np
import pytest

from pretune.data.labels.types import LABEL_TYPES, type_of_labels, typed


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1], "int"), ([np.int8(3), 4], "int"), ([0.5, 1.0], "float"), ([np.float32(0.5)], "float"), ([1, 0.5], "float"),
        ([True, np.False_], "bool"), ([True, 1], "str"), (["01", "1"], "str"), (["1", 1], "str"), ([], "str"),
    ],
)  # fmt: skip
def test_the_type_of_labels_is_the_one_that_all_have(values, kind):
    assert type_of_labels(values) == kind
    assert kind in LABEL_TYPES


@pytest.mark.parametrize(
    ("names", "kind", "values"),
    [
        (("2", "10"), "int", [2, 10]), (("1.0", "2"), "int", [1, 2]), (("0.5", "1.0"), "float", [0.5, 1.0]),
        (("true", "False"), "bool", [True, False]), (("01", "1"), "str", ["01", "1"]),
    ],
)  # fmt: skip
def test_classes_come_back_in_their_order_as_what_they_were(names, kind, values):
    found = typed(names, kind).tolist()
    assert found == values
    assert [type(item) for item in found] == [type(item) for item in values]


@pytest.mark.parametrize(("name", "kind"), [("good", "int"), ("1.5", "int"), ("good", "float"), ("1", "bool")])
def test_a_class_that_is_no_value_of_the_type_is_refused(name, kind):
    with pytest.raises(ValueError, match=r"could not convert|invalid literal|is no|is neither"):
        typed((name,), kind)
