"""The honesty benchmark in small: its instruments measure what they say, and the verdict keeps its word."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

import clean_twins
import coverage as coverage_row
import error_rates
import faults
import honesty
import many_classes
import paired
import planted_texts
import sweep
from honesty_page import write_page
from pretune.evaluate import evaluate_sources
from pretune.records import Example, Terms
from worlds import REFUSE, SHIP, World, judge_sets, predictions_of, tables_of, with_precision

SETS = 300


def texts(count: int, words: int = 14) -> list[str]:
    generator = random.Random(1)
    return [" ".join("".join(generator.choice("abcdefgh") for _ in range(6)) for _ in range(words)) for _ in range(count)]


def test_a_world_has_the_figures_it_was_made_for():
    world = with_precision(0.83, 0.9, 0.2)
    assert (world.precision, world.recall) == (pytest.approx(0.83), 0.9)
    assert world.shares().sum() == pytest.approx(1)
    counts = world.draw(200_000, 1, np.random.default_rng(0))
    tn, fp, fn, tp = tables_of(counts)[0].ravel()
    assert [tp / (tp + fp), tp / (tp + fn), (tp + tn) / 200_000] == pytest.approx([0.83, 0.9, world.accuracy], abs=0.01)


def test_simulated_sets_become_the_predictions_they_stand_for():
    counts = World(prevalence=0.3, recall=0.8, specificity=0.9).draw(500, 1, np.random.default_rng(0))[0]
    found = evaluate_sources(predictions_of(counts), Terms(positive="pos"), main="finetuned")
    rows = tables_of(counts[None])[0].astype(int).tolist()
    assert [list(row) for row in found.confusions[0].counts] == rows
    linear = next(item for item in found.comparisons if (item.b, item.metric) == ("linear", "accuracy"))
    assert linear.difference == pytest.approx((counts[:, 1, 0].sum() - counts[:, 0, 1].sum()) / 500)


@pytest.mark.parametrize(("recall", "outcome"), [(0.799, SHIP), (0.88, REFUSE)])
def test_few_verdicts_are_wrong(recall, outcome):
    """3 % of 300 and three standard errors."""
    world = World(prevalence=0.5, recall=recall, specificity=0.97 if outcome == SHIP else 0.88)
    codes = judge_sets(world.draw(1_000, SETS, np.random.default_rng(0)), error_rates.POLICY)
    assert (codes == outcome).sum() <= 18


def test_what_deserves_it_ships_and_what_does_not_is_refused():
    found = error_rates.measure_right_ship(SETS)["cells"]
    assert all(cell["rate"][0] >= 0.87 for cell in found[:4])
    assert error_rates.measure_right_refusal(SETS)["cells"][0]["rate"][0] >= 0.87


def test_judging_many_sets_at_once_agrees_with_the_verdict_itself():
    assert {tuple(cell["agrees_with_decide"]) for cell in error_rates.measure_wrong_ship(2)["cells"]} == {(2, 2)}


def test_the_rows_asked_for_mostly_decide():
    cells = error_rates.measure_rows_needed(80)["cells"]
    numbered = [cell for cell in cells if cell["decided given N more"][0] is not None]
    assert len(numbered) >= 2
    assert all(cell["decided wrongly"][0] <= 0.2 for cell in numbered)
    assert sum(cell["decided given N more"][0] for cell in numbered) / len(numbered) >= 0.6


def test_the_paired_test_has_its_level_and_more_power_than_the_unpaired():
    found = paired.measure(2_000)
    assert all(cell["mid-p McNemar"][0] < 0.07 and cell["pretune"][0] < 0.07 for cell in found["alarms"])
    assert found["power"][0]["pretune"][0] > 1.5 * found["power"][0]["unpaired z"][0]


@pytest.mark.parametrize(("rows", "prevalence"), [(50, 0.05), (1_000, 0.5)])
def test_intervals_cover_the_truth(rows, prevalence):
    """95 % of 150 and four standard errors."""
    figures = coverage_row.measure_cell(rows, prevalence, 150)["figures"]
    assert {"accuracy", "recall[pos]", "f1[macro]", "loss"} <= set(figures)
    shares = {name: item["covered"] / item["given"] for name, item in figures.items() if item["given"] >= 100}
    assert len(shares) >= 3
    assert {name: share for name, share in shares.items() if share < 0.88} == {}


@pytest.mark.parametrize("shape", many_classes.SHAPES)
@pytest.mark.parametrize("metric", many_classes.METRICS)
def test_intervals_of_macro_figures_cover_the_truth_however_small_a_class_is(shape, metric):
    """95 % of 400 and four standard errors; the long tail has classes of two rows."""
    generator = np.random.default_rng(0)
    sizes, answers = many_classes.sizes_of(20, 200, shape), many_classes.answers_of(20, 0.9, generator)
    low, high, usable = many_classes.bounds(metric, many_classes.draw(sizes, answers, 400, generator))
    if metric == "f1" and (sizes == 1).mean() > 0.05:
        assert not usable.any()
        return
    assert usable.all()
    true = many_classes.truth(metric, answers * sizes[:, None])
    assert ((low <= true) & (true <= high)).mean() > 0.906
    assert max((low > true).mean(), (high < true).mean()) < 0.065


def test_a_good_model_of_77_classes_ships_and_one_below_a_gate_does_not():
    good, edge = many_classes.measure_ship(100).values()
    assert good[0] >= 0.9
    assert edge[0] <= 0.08


@pytest.mark.parametrize(("kind", "most"), [("1 characters", 1), ("3 characters", 3), ("1 words", 1), ("5 words", 5)])
def test_a_near_copy_is_changed_as_much_as_it_says(kind, most):
    change, count = planted_texts.CHANGES[kind]
    for text in texts(20):
        words = list(zip(text.split(), change(text, count, random.Random(text)).split(), strict=True))
        assert 1 <= sum(old != new for old, new in words) <= most


def test_planted_near_copies_are_looked_for_among_real_texts(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr(planted_texts, "SOURCES", ("small",))
    monkeypatch.setattr(planted_texts.read_texts, "__defaults__", (("small",),))
    with gzip.open(tmp_path / "small.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": text, "label": "a"}) + "\n" for text in texts(300, words=30))
    found = planted_texts.measure_near(250, num_planted=20, folder=tmp_path)
    assert found["num_texts"] == 250
    assert found["curve"]["1 characters"][0] == 1
    assert found["curve"]["8 words"][0] < 0.5
    assert found["precision"][0] == 1


def test_wrong_labels_are_planted_in_other_rows_each_time():
    rows = [Example(id=str(number), text=text, label="ab"[number % 2]) for number, text in enumerate(texts(100))]
    given, wrong = planted_texts.plant_wrong_labels(rows, 0.05, 0)
    assert len(wrong) == 5
    assert {new.id for old, new in zip(rows, given, strict=True) if old.label != new.label} == wrong
    assert planted_texts.plant_wrong_labels(rows, 0.05, 1)[1] != wrong


def test_every_row_out_of_fold_is_predicted_once():
    rows = [
        Example(id=str(n), text=f"{'good fine' if n % 2 else 'bad poor'} {t}", label="ab"[n % 2])
        for n, t in enumerate(texts(120))
    ]
    found = planted_texts.out_of_fold(rows)
    assert sorted(found.ids) == sorted(row.id for row in rows)
    assert sum(a == b for a, b in zip(found.labels, found.predicted, strict=True)) > 100


def sentences(count: int, letters: str) -> list[str]:
    """Return sentences of words that recur, other ones for other letters."""
    generator = random.Random(letters)
    words = ["".join(generator.choice(letters) for _ in range(6)) for _ in range(400)]
    return [" ".join(generator.choice(words) for _ in range(14)) for _ in range(count)]


@pytest.fixture
def small_twins(monkeypatch):
    """Rows and foreign texts, without real data; splits in which every check can run."""
    monkeypatch.setattr(clean_twins, "SIZES", {"train": 500, "validation": 220, "test": 450})
    rows = [(text, "neg" if number % 3 else "pos") for number, text in enumerate(sentences(1_900, "abcdefgh"))]
    return rows, sentences(800, "stuvwxyz")


def test_every_check_is_run_on_clean_twins(small_twins):
    found = sweep.measure_clean(2, *small_twins)
    assert set(found["false alarms"]) == set(sweep.NAMES.values())
    assert set(found["ran on"].values()) == {2}
    assert found["false blocking"][0] == 0


def test_every_check_has_a_planter_and_each_planter_a_check(small_twins):
    found = sweep.measure_planted(1, *small_twins, planters=())
    assert found["without a planter"] == []
    assert {planter.check for planter in sweep.PLANTERS} == set(sweep.NAMES.values())


# These need more rows than fit a test in seconds; tests/diagnose has faults of their own for them.
LARGE = ("labels.errors", "adaptation.one_sided")
SMALL = [planter for planter in sweep.PLANTERS if planter.check not in LARGE]


@pytest.mark.parametrize("planter", SMALL, ids=lambda planter: planter.check)
def test_the_plainest_fault_of_each_kind_is_found_and_its_clean_twin_is_not(planter, small_twins):
    """One draw of each; the page has the shares."""
    rows, foreign = small_twins
    faults.FOREIGN[:] = foreign
    generator = random.Random(1)
    twin = clean_twins.make_twin(rows, generator, clean_twins.make_corpus(foreign[:300]))
    spoilt = planter.plant(twin, planter.strengths[-1], generator)
    severities = [sweep.find(item)[planter.check].severity for item in (twin, spoilt)]
    assert severities[1] in sweep.ALARMS
    assert severities[0] not in sweep.ALARMS or planter.check == "results.size"  # 450 rows are few


def test_the_page_is_written_from_the_kept_rows_and_is_the_one_in_docs():
    folder = Path(honesty.__file__).parent / "results" / "honesty"
    kept = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    page = write_page(kept, list(honesty.ROWS))
    assert page == (Path(honesty.__file__).parents[1] / "docs" / "honesty.md").read_text()
    assert all(name in page for name in honesty.ROWS if name not in kept)
