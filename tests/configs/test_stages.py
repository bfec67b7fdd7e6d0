"""What ``--freeze`` spells out: boundaries, epochs, rates."""

import pytest

from pretune.configs import RunConfig
from pretune.configs.stages import TrainingStage, parse_stages, plan_stages
from pretune.errors import UsageError


def stages_of(freeze, *, epochs=None, num_layers=3):
    return [(stage.freeze, stage.epochs, stage.rate) for stage in plan_stages(freeze, epochs=epochs, num_layers=num_layers)]


@pytest.mark.parametrize(
    ("freeze", "epochs", "expected"),
    [
        ("none", None, [("none", None, None)]),
        ("last-2", 4, [("last-2", 4, None)]),
        ("all:2,last-1:1,last-2:3", None, [("all", 2, None), ("last-1", 1, None), ("last-2", 3, None)]),
        ("all, last-2:2@1e-6", 5, [("all", 5, None), ("last-2", 2, 1e-6)]),
        ("all@0.001,last-3@1E-6".lower(), None, [("all", None, 1e-3), ("last-3", None, 1e-6)]),
        ("last-2:3@2e-5", None, [("last-2", 3, 2e-5)]),
    ],
)
def test_stages_are_those_written(freeze, epochs, expected):
    assert stages_of(freeze, epochs=epochs) == expected


@pytest.mark.parametrize(
    ("epochs", "num_layers", "expected"),
    [
        (None, 3, [("all", 1), ("last-1", 1), ("last-2", 1), ("last-3", 1), ("none", 6)]),
        (5, 3, [("all", 1), ("last-1", 1), ("last-2", 1), ("last-3", 1), ("none", 1)]),
        (3, 3, [("all", 1), ("last-1", 1), ("last-2", 1)]),
        (1, 3, [("all", 1)]),
        (None, 12, [("all", 1), *((f"last-{count}", 1) for count in range(1, 10))]),
        (4, 0, [("all", 1), ("none", 3)]),  # a family whose layers are not known
    ],
)
def test_gradual_unfreezes_a_layer_an_epoch_and_gives_the_rest_to_the_last_stage(epochs, num_layers, expected):
    found = plan_stages("gradual", epochs=epochs, num_layers=num_layers)
    assert [(stage.freeze, stage.epochs) for stage in found] == expected
    assert sum(stage.max_epochs for stage in found) == (epochs or 10)
    assert {stage.rate for stage in found} == {None}


def test_a_stage_without_epochs_has_at_most_ten():
    assert TrainingStage(freeze="all").max_epochs == 10


@pytest.mark.parametrize(
    "freeze",
    ["", "some", "last", "last-0", "last-x", "all:", "all:0", "all:1.5", "all@", "all@0", "all@-1", "all@1.5", "all@1.2.3",
     "all@x", "all@nan", "all:1:2", "auto:2", "gradual:2", "none,,all", "all:2,gradual", "all:2;none", ",", "last-2 x"],
)  # fmt: skip
def test_what_is_no_stage_is_refused_and_shown(freeze):
    with pytest.raises(UsageError, match="freeze is") as caught:
        parse_stages(freeze)
    assert repr(freeze) in str(caught.value)
    assert "all:2,last-2:1@1e-6" in caught.value.expected
    with pytest.raises(UsageError):
        RunConfig(freeze=freeze)


def test_the_stage_that_is_wrong_is_named():
    with pytest.raises(UsageError, match="whose stage 'last2:1' is not known"):
        parse_stages("all:2,last2:1")


def test_epochs_that_no_stage_would_take_are_refused():
    with pytest.raises(UsageError, match="epochs is 3, but every stage"):
        RunConfig(freeze="all:2,last-1:1", epochs=3)
    with pytest.raises(UsageError, match="epochs is 3"):
        plan_stages("last-2:2", epochs=3, num_layers=3)
    assert RunConfig(freeze="all:2,last-1", epochs=3).epochs == 3
    assert RunConfig(freeze="gradual", epochs=3).epochs == 3


def test_a_config_with_stages_survives_json():
    config = RunConfig(freeze="all:2,last-2:1@1e-6")
    assert RunConfig.from_json(config.to_json()) == config
