"""The worlds in which gates are tried have the truths that they are said to have."""

import numpy as np
import pytest

import asked_gates
import asked_rows
import at_precision
import gates
import growing
import people
import units
from gates_page import draw_gates
from people_page import draw_people


def test_groups_of_every_kind_have_the_mean_and_the_agreement_that_were_asked_for():
    for kind in ("beta", "logit-normal", "good and bad"):
        rates = units.rates_of([1] * 200_000, 0.85, 0.1, np.random.default_rng(0), kind)
        assert rates.mean() == pytest.approx(0.85, abs=0.002)
        assert rates.var() / (0.85 * 0.15) == pytest.approx(0.1, abs=0.003)


def test_copies_of_a_text_are_labelled_and_answered_alike():
    made, rows = units.simulate_copies(np.random.default_rng(0))
    answers: dict[str | None, set[tuple[str | None, str]]] = {}
    for row, label, said in zip(rows, made.labels, made.predicted, strict=True):
        answers.setdefault(row.group, set()).add((label, said))
    assert (len(rows), len(answers)) == (745, 677)
    assert all(len(found) == 1 for found in answers.values())


@pytest.mark.parametrize(("wanted", "prevalence"), [(0.8, 0.2), (0.55, 0.05)])
def test_scores_have_the_area_that_was_asked_for(wanted, prevalence):
    far, generator = gates.distance_of(wanted, prevalence), np.random.default_rng(0)
    is_positive = generator.random(200_000) < prevalence
    found = gates.pr_area(is_positive, generator.standard_normal(200_000) + far * is_positive).value
    assert found == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("kept", ["precision", "alerts"])
def test_at_the_edge_no_threshold_keeps_what_is_asked_and_has_the_recall(kept):
    precision, recall, alerts = at_precision.truth(np.linspace(-2, 5, 5_001), at_precision.distance_with(kept, 0.6))
    keeps = precision > 0.8 if kept == "precision" else alerts < 0.15
    assert recall[keeps].max() == pytest.approx(0.6, abs=0.002)


def test_a_gate_is_tried_at_its_edge_and_above_it():
    found = gates.rates(gates.GATES["mean cost, balanced, fn=1, fp=1"], 40)
    assert found["wrong"][0] <= 0.15
    assert found["power"][0] == 1.0
    page = draw_gates({"rows": 2_000, "sets": 40, "cells": [{"gate": "mean cost", **found}]})
    assert "| mean cost |" in page


def test_people_of_a_world_have_the_figures_that_were_counted_for_it():
    world, wide = (3, 2, 20_000, 1), people.truth_of((3, 2, 20_000, 1), 0.05)
    votes, made, terms = people.draw(np.random.default_rng(0), world, 0.05)
    found = {score.name: score.value for score in people.score_people(votes, made, terms)}
    assert found == pytest.approx(wide[0], abs=0.01)
    assert people.compare_with_person(votes, made, terms).difference == pytest.approx(wide[1], abs=0.01)


@pytest.mark.slow
def test_the_margin_to_people_is_tried_at_its_edge_and_above_it():
    cell = people.measure_world((3, 2, 300, 1), 30)
    assert cell["wrong"][0] <= 0.17
    assert cell["power"][0] > cell["wrong"][0]
    assert "| 3 | 2 | 300 |" in draw_people({"sets": 30, "margin": people.MARGIN, "cells": [cell]})


@pytest.mark.parametrize("metric", ["precision", "accuracy"])
def test_a_model_at_class_shares_of_production_has_the_figure_that_it_was_made_for(metric):
    values = [
        asked_gates.at_shares(np.random.default_rng(n), 0.0, metric=metric, share=0.2, least=0.8)[1][0] for n in range(40)
    ]
    assert np.mean(values) == pytest.approx(0.8, abs=0.012)


def test_validation_chooses_the_best_of_three_models_and_the_gate_is_tried_at_its_edge():
    found = [asked_gates.chosen(np.random.default_rng(n), 0.0, spread=0.05) for n in range(40)]
    assert np.mean([value for _, (value,) in found]) == pytest.approx(0.85, abs=0.006)
    assert sum(passed for passed, _ in found) <= 6


def test_rows_that_a_limit_asks_for_mostly_decide_it():
    draw, policy = asked_rows.worlds()["accuracy at 5 % positive, 20 % in the test"]
    found = asked_rows.follow(draw, policy, 6)
    assert found["decided"][0] >= 0.6
    assert found["median"] > 100


def test_further_rows_are_pooled_with_the_first():
    generator = np.random.default_rng(0)
    first, rows = units.simulate([2] * 5, 0.1, generator)
    more, added = units.simulate([2] * 3, 0.1, generator)
    pooled, both = growing._pool(first, rows, more, added)
    assert len(pooled.ids) == len(both) == 16
    assert len({row.group for row in both}) == 8
