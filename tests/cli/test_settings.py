"""Flags and settings: does each reach its place, and is what does not fit named?"""

from dataclasses import fields

import pytest
from running import call

from pretune.cli.settings import PLACES, SECTIONS, build_config
from pretune.configs import RECIPES, RunConfig
from pretune.errors import UsageError

EXAMPLES = {
    "text": "a,b", "label": "mood", "group": "author", "encoding": "latin-1",
    "quoting": "none", "escape": "\\", "max_cell": 9, "max_columns": 5, "allow_rejects": True, "max_size": "4GB",
    "keep_leaks": True, "repair": True, "where": ("answer=accept", "lang!=de"), "merge_labels": True,
    "split_seed": 7, "validation": "v.csv", "test": "t.csv", "model": "m", "head": "mlp", "freeze": "last-2", "max_length": 64,
    "budget": "5m", "seeds": 3, "choose": "best",
    "epochs": 4, "lr": 0.25, "batch_size": 5, "dropout": 0.5, "monitor": "loss", "seed": 3, "device": "cpu", "threads": 1,
    "lora": 4,
    "positive": "spam", "goal": "recall", "keep": "precision=0.9",
    "time": "date", "min_pr_area": 0.4, "min_class_recall": 0.3, "max_cost": 0.2, "at_precision": 0.9, "max_alerts": 5.0,
    "prevalence": "0.005", "min_slice_accuracy": 0.8, "max_calibration_error": 0.1,
    "cost": "fn=2,fp=1", "min_precision": 0.5, "min_recall": 0.6, "min_accuracy": 0.7, "policy": "p.toml",
    "votes": "ann,ben", "human_margin": 0.02,
    "thorough": True, "prove_pretraining": True, "general_task": "g.csv",
}  # fmt: skip
NEEDED = {"general_task": {"prove_pretraining": True}}  # flags that do not stand alone


def value_at(config: RunConfig, place: str) -> object:
    for name in place.split("."):
        config = getattr(config, name)
    return config


def test_every_flag_has_an_example():
    assert EXAMPLES.keys() == PLACES.keys()


@pytest.mark.parametrize("flag", PLACES)
def test_a_flag_reaches_its_place_and_changes_nothing_else(flag):
    needed = NEEDED.get(flag, {})
    config = build_config({flag: EXAMPLES[flag], **needed})
    expected = {"text": ("a", "b"), "votes": ("ann", "ben")}.get(flag, EXAMPLES[flag])
    assert value_at(config, PLACES[flag]) == expected
    assert value_at(RunConfig(), PLACES[flag]) != expected
    changed = {place for place in every_setting() if value_at(config, place) != value_at(RunConfig(), place)}
    assert changed == {PLACES[flag], *(PLACES[other] for other in needed)}


@pytest.mark.parametrize(("flag", "field"), [("dropout", "finetune.dropout"), ("seed", "seed"), ("split_seed", "split.seed")])
def test_zero_is_a_value(flag, field, tmp_path):
    file = tmp_path / "s.toml"
    file.write_text("seed = 5\n[split]\nseed = 5\n[finetune]\ndropout = 0.5\n")
    assert value_at(build_config({flag: 0}, file=str(file)), field) == 0


@pytest.mark.parametrize("flag", ["epochs", "batch_size", "lr", "threads"])
def test_zero_where_there_must_be_some_is_an_error(flag):
    with pytest.raises(UsageError):
        build_config({flag: 0})


def test_a_rate_that_would_decay_weights_through_zero_is_an_error():
    with pytest.raises(UsageError, match="learning_rate × weight_decay"):
        build_config({"lr": 1e30})
    assert build_config({"lr": 1e30}, settings=["finetune.weight_decay=0"]).finetune.learning_rate == 1e30


def test_flags_that_were_not_given_change_nothing():
    assert build_config(dict.fromkeys(PLACES)) == RunConfig()


def test_the_later_layer_wins(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('epochs = 7\nmodel = "from-file"\n[finetune]\nbatch_size = 7\nlearning_rate = 7e-5\npatience = 7\n')
    config = build_config(
        {"batch_size": 8, "lr": 8e-5}, recipe="frozen", file=str(file), settings=["finetune.learning_rate=9e-5"]
    )
    assert (config.freeze, config.finetune.head) == ("all", "mlp"), "from the recipe"
    assert (config.epochs, config.model, config.finetune.patience) == (7, "from-file", 7), "from the file"
    assert (config.finetune.batch_size, config.finetune.learning_rate) == (8, 9e-5), "from the flag, from --set"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_valid(recipe):
    assert build_config({}, recipe=recipe) != RunConfig()


def test_the_published_recipe_is_as_published():
    config = build_config({}, recipe="frozen")
    tuned = config.finetune
    assert (config.freeze, config.epochs, tuned.head, tuned.head_size, tuned.dropout) == ("all", 20, "mlp", 64, 0.3)
    assert (tuned.learning_rate, tuned.batch_size, tuned.monitor, tuned.patience) == (1e-5, 32, "loss", 3)
    assert (tuned.weight_decay, tuned.warmup_share, tuned.decay) == (0.0, 0.0, "constant")


def test_a_recipe_that_does_not_exist_is_named():
    with pytest.raises(UsageError, match="'frosen'"):
        build_config({}, recipe="frosen")


@pytest.mark.parametrize(
    ("setting", "place", "value"),
    [
        ("finetune.label_smoothing=0.1", "finetune.label_smoothing", 0.1),
        ("finetune.class_weights=true", "finetune.class_weights", True),
        ("finetune.learning_rate=1", "finetune.learning_rate", 1.0),
        ("finetune.monitor=loss", "finetune.monitor", "loss"),
        ('finetune.monitor="loss"', "finetune.monitor", "loss"),
        ("judge.positive=1", "judge.positive", "1"),
        ("judge.positive=a=b", "judge.positive", "a=b"),
        ("read.label=2024", "read.label", "2024"),
        ("read.text=title,body", "read.text", ("title", "body")),
        ('read.text=["a,b", "c"]', "read.text", ("a,b", "c")),
        ("seed = 3", "seed", 3),
    ],
)
def test_a_setting_is_read_as_its_kind(setting, place, value):
    found = value_at(build_config({}, settings=[setting]), place)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "setting",
    [
        "finetune.batch_size=abc", "finetune.batch_size=8.5", "finetune.batch_size=true", 'finetune.patience="x"', "seed=1.5",
        "seed=", "epochs=many", "split.seed=[1]", "finetune.class_weights=1", "finetune.learning_rate=fast",
        "finetune.learning_rate=nan", "finetune.learning_rate=-1", "finetune.monitor=fame", "freeze=some", "freeze=last-0",
        "read.allow_rejects=yes", "split.test_share=2", "judge.min_recall=high",
    ],
)  # fmt: skip
def test_a_setting_that_does_not_fit_is_named(setting):
    with pytest.raises(UsageError) as caught:
        build_config({}, settings=[setting])
    assert setting.partition("=")[0].rpartition(".")[2] in caught.value.got
    assert caught.value.expected


@pytest.mark.parametrize(
    ("setting", "near"),
    [
        ("finetune.batchsize=3", "finetune.batch_size"),
        ("finetune.learning-rate=3", "finetune.learning_rate"),
        ("sed=3", "seed"),
    ],
)
def test_a_setting_that_does_not_exist_suggests_the_near_one(setting, near):
    with pytest.raises(UsageError) as caught:
        build_config({}, settings=[setting])
    assert caught.value.fix == f"did you mean {near}?"


@pytest.mark.parametrize("setting", ["finetune", "finetune.patience", "finetune=3", "=3"])
def test_half_a_setting_is_an_error(setting):
    with pytest.raises(UsageError):
        build_config({}, settings=[setting])


@pytest.mark.parametrize("text", ["epochs = ", "[finetune]\npatiens = 3", "[nothing]\na = 1", "epochs = 'three'", "a = 1"])
def test_a_settings_file_that_does_not_fit_is_an_error(text, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(UsageError):
        build_config({}, file=str(file))


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_settings_file_that_cannot_be_read_is_named(name):
    with pytest.raises(UsageError, match="cannot read") as caught:
        build_config({}, file=name)
    assert name in caught.value.got


def every_setting() -> list[str]:
    inner = [f"{section}.{field.name}" for section, kind in SECTIONS.items() for field in fields(kind)]
    return inner + [field.name for field in fields(RunConfig) if field.name not in SECTIONS]


@pytest.mark.parametrize(
    ("typed", "fix"),
    [
        (["--set", "finetune.lr=3"], "did you mean finetune.learning_rate (flag --lr)?"),
        (["--set", "finetune.batch_siz=3"], "did you mean finetune.batch_size?"),
        (["--learning-rate", "3"], "did you mean --lr?"),
        (["--batchsize", "3"], "did you mean --batch-size?"),
    ],
)
def test_a_setting_and_its_flag_are_found_by_the_name_of_the_other(typed, fix, capsys):
    assert call("finetune", "reviews.csv", *typed) == 2
    assert fix in capsys.readouterr().err
