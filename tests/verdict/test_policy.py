"""The policy is data, and wrong data is an error."""

import pytest

from pretune.errors import UsageError
from pretune.verdict import Gate, Policy, load_policy


def gates_of(policy):
    return {gate.metric: gate.minimum for gate in policy.gates}


def test_the_default_policy_is_that_of_the_design():
    policy = load_policy()
    assert gates_of(policy) == {"precision": 0.80, "recall": 0.80, "accuracy": 0.85}
    assert [gate.metric for gate in policy.gates if gate.only_balanced] == ["accuracy"]
    assert (policy.better_than, policy.simple_baseline, policy.min_gain) == (("majority", "linear"), "linear", 0.01)
    assert (policy.rows_needed.probability, policy.rows_needed.max_rows, policy.rows_needed.max_factor) == (0.9, 20_000, 10)


def test_it_survives_a_trip_through_json():
    assert Policy.from_json(load_policy().to_json()) == load_policy()


def test_the_users_gates_replace_those_of_the_policy():
    policy = load_policy(min_recall=0.9, min_accuracy=0.95)
    assert gates_of(policy) == {"precision": 0.80, "recall": 0.9, "accuracy": 0.95}
    assert not any(gate.only_balanced for gate in policy.gates)


@pytest.mark.parametrize(
    ("goal", "gates"),
    [("precision", {"precision": 0.8, "recall": 0.5}), ("recall", {"recall": 0.8, "precision": 0.5}), ("f1", {"f1": 0.8})],
)
def test_a_goal_states_its_own_gates(goal, gates):
    assert gates_of(load_policy(goal=goal)) == gates
    assert gates_of(load_policy(goal=goal, min_accuracy=0.9)) == {**gates, "accuracy": 0.9}


def test_a_policy_file_is_read(tmp_path):
    file = tmp_path / "strict.toml"
    file.write_text('name = "strict"\n[[goals.balanced]]\nmetric = "recall"\nminimum = 0.99\n')
    policy = load_policy(file)
    assert (policy.name, policy.gates, policy.required_checks) == ("strict", (Gate(metric="recall", minimum=0.99),), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "cannot read the policy"),
        ('name = "x"\ngaols = 1\n', "unknown key 'gaols'"),
        ('name = "x"\n', "goals"),
        ('name = "x"\n[[goals.balanced]]\nmetric = "recal"\nminimum = 0.8\n', "a gate on 'recal'"),
        ('name = "x"\n[[goals.balanced]]\nmetric = "recall"\nminimum = 80\n', "recall of at least 80"),
        ('name = "x"\n[[goals.balanced]]\nmetric = "recall"\nminimum = 0.8\nmaximum = 1\n', "unknown key 'maximum'"),
        ('name = "x"\n[[goals.precision]]\nmetric = "recall"\nminimum = 0.8\n', "no goal 'balanced'"),
    ],
)
def test_a_policy_that_cannot_be_is_an_error(tmp_path, text, message):
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_policy(tmp_path / "policy.toml")


def test_unknown_goals_and_gates_in_percent_are_errors(tmp_path):
    with pytest.raises(UsageError, match="no goal 'speed'"):
        load_policy(goal="speed")
    with pytest.raises(UsageError, match="--min-recall: recall of at least 80"):
        load_policy(min_recall=80)
    with pytest.raises(UsageError, match="cannot read"):
        load_policy(tmp_path / "missing.toml")
