"""``TextClassifier``: does it behave as scikit-learn's users expect, and say no where it cannot?"""

import gc
import sys
import types
from collections.abc import Iterator
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import pretune
from pretune.configs import FinetuneConfig
from pretune.errors import DataError, MissingLabelsError, ParityError, UsageError
from pretune.predict import answers_of
from pretune.records import Example
from pretune.run.trace import Trace
from tiny import make_rows

QUICK = FinetuneConfig(learning_rate=3e-3, batch_size=16, precision="fp32", threads=1)
LEARNING = replace(QUICK, batch_size=4)  # enough steps for a tiny model to tell the generated rows apart
ROWS = make_rows(240)
TEXTS, LABELS = [text for text, _ in ROWS], [label for _, label in ROWS]


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    """Return an unfitted classifier of one epoch."""

    def make(**params):
        return pretune.TextClassifier(str(tiny_checkpoint("bert")), **({"epochs": 1, "seed": 1, "config": QUICK} | params))

    return make


@pytest.fixture(scope="module")
def fitted(model):
    """Fitted on lists until it tells the classes apart; read only."""
    return model(epochs=3, config=LEARNING).fit(TEXTS, LABELS)


def test_params_survive_clone(model):
    original = model(seed=3, freeze="last-1").set_params(config__learning_rate=1e-4)
    copied = clone(original)
    assert copied.get_params() == original.get_params()
    assert copied.config.learning_rate == 1e-4
    assert copied.get_params()["config__learning_rate"] == 1e-4


def test_a_config_field_that_does_not_exist_is_named(model):
    with pytest.raises(UsageError, match="learning_rat'"):
        model().set_params(config__learning_rat=1e-4)


def test_setting_one_config_field_leaves_other_classifiers_alone(model):
    first, second = model(), model()
    first.set_params(config__batch_size=4)
    assert (first.config.batch_size, second.config.batch_size) == (4, 16)


def test_stages_train_more_and_more_and_the_trace_says_what(model):
    told = []
    classifier = model(freeze="all:1,last-1:1,last-2:1@1e-3", epochs=None).fit(
        TEXTS, LABELS, trace=Trace(listeners=(told.append,))
    )
    stages = [(event["stage"], event["shape_in"]) for event in told if event["event"] == "stage"]
    words = [shape.partition(", ")[2] for name, shape in stages if name == "fine-tune"]
    assert words == [
        "stage 1 of 3: trunk frozen, head trained",
        "stage 2 of 3: last 1 layers and head trained",
        "stage 3 of 3: last 2 layers and head trained at 0.001",
    ]
    assert [name for name, _ in stages].count("frozen trunk") == 6  # training and validation rows, in each stage
    assert [item.stage for item in classifier.history_.validations] == ["all", "last-1", "last-2"]
    assert classifier.history_.stopped_because == "stage 3 of 3: the one epoch asked for is done"


def test_unfreezing_gradually_learns_and_validates_what_it_keeps(model):
    classifier = model(freeze="gradual", epochs=7, config=LEARNING).fit(TEXTS, LABELS)
    kept = classifier.history_.validations[classifier.history_.best_epoch - 1]
    rows = classifier.validation_
    assert kept.accuracy == pytest.approx(
        np.mean([label == answer for label, answer in zip(rows.labels, rows.predicted, strict=True)])
    )
    assert kept.accuracy > 0.9
    assert (
        classifier.score([row for row, _ in make_rows(300, seed=9)][240:], [label for _, label in make_rows(300, seed=9)][240:])
        > 0.9
    )


def test_epochs_beside_stages_that_all_have_theirs_are_refused(model):
    with pytest.raises(UsageError, match="epochs is 1, but every stage"):
        model(freeze="all:1,last-1:1").fit(TEXTS, LABELS)


@pytest.mark.parametrize("monitor", ["precision", "recall", "f1", "balanced_accuracy", "mcc"])
def test_any_metric_may_choose_the_epoch(monitor, model):
    config = replace(LEARNING, monitor=monitor, positive="good")
    history = model(epochs=2, config=config).fit(TEXTS, LABELS).history_
    values = [item.metric_value for item in history.validations]
    assert {history.monitor, *(item.metric for item in history.validations)} == {monitor}
    assert all(-1 <= value <= 1 for value in values)
    assert values[history.best_epoch - 1] == max(values)


def test_a_metric_of_a_class_is_that_of_the_class_named(model):
    found = {}
    for positive in ("good", "bad"):
        classifier = model(config=replace(LEARNING, monitor="recall", positive=positive)).fit(TEXTS, LABELS)
        rows, found[positive] = classifier.validation_, classifier.history_.validations[0].metric_value
        pairs = zip(rows.labels, rows.predicted, strict=True)
        assert found[positive] == pytest.approx(np.mean([answer == positive for label, answer in pairs if label == positive]))
    assert found["good"] != found["bad"]


def test_a_metric_of_a_positive_class_that_there_is_not_is_refused(model):
    with pytest.raises(UsageError, match="metric is f1, and there is no positive class"):
        model(config=replace(QUICK, monitor="f1")).fit(TEXTS, LABELS)
    with pytest.raises(UsageError, match="positive class is 'spam', which no row has"):
        model(config=replace(QUICK, monitor="f1", positive="spam")).fit(TEXTS, LABELS)


def test_cross_val_score_works(model):
    scores = cross_val_score(model(), TEXTS, LABELS, cv=2)
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def test_grid_search_over_the_learning_rate_finds_the_one_that_learns(model):
    search = GridSearchCV(
        model(epochs=3, config=LEARNING),
        {"config__learning_rate": [1e-7, 3e-3]},
        cv=[(range(200), range(200, 240))],
        refit=False,
    )
    search.fit(np.array(TEXTS), np.array(LABELS))
    assert search.best_params_ == {"config__learning_rate": 3e-3}


def test_it_ends_a_pipeline(model):
    pipeline = Pipeline([("lower", FunctionTransformer(lambda texts: [text.lower() for text in texts])), ("model", model())])
    assert set(pipeline.fit(TEXTS, LABELS).predict(TEXTS[:5])) <= {"good", "bad"}


def test_integer_labels_come_back_as_integers_in_numeric_order(model):
    numbers = [10 if label == "good" else 2 for label in LABELS]
    classifier = model().fit(TEXTS, numbers)
    assert classifier.classes_.tolist() == [2, 10]
    assert classifier.predict(TEXTS[:4]).dtype.kind == "i"
    assert classifier.score(TEXTS, numbers) == classifier.evaluate(TEXTS, numbers).value("accuracy")


def test_evaluate_unpacks_to_loss_and_accuracy_as_computed_by_hand(fitted):
    loss, accuracy = fitted.evaluate(TEXTS, LABELS)
    shares = fitted.predict_proba(TEXTS)
    columns = [list(fitted.classes_).index(label) for label in LABELS]
    assert loss == pytest.approx(-np.log(shares[np.arange(len(columns)), columns]).mean(), abs=1e-6)
    assert accuracy == np.mean(fitted.predict(TEXTS) == LABELS)
    assert accuracy > 0.9


def test_probabilities_add_up_to_one(fitted):
    shares = fitted.predict_proba(TEXTS[:7])
    assert shares.shape == (7, 2)
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_no_texts_give_no_predictions(fitted):
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 2)


def test_evaluating_without_labels_is_an_error(fitted):
    with pytest.raises(MissingLabelsError, match="without labels"):
        fitted.evaluate(TEXTS)


def test_fitting_without_labels_is_an_error(model):
    with pytest.raises(MissingLabelsError):
        model().fit(TEXTS)


@pytest.mark.parametrize("ask", ["predict", "predict_proba", "trace", "evaluate", "save"])
def test_an_unfitted_classifier_says_so(ask, model, tmp_path):
    argument = {"trace": "a text", "save": tmp_path}.get(ask, TEXTS)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(model(), ask)(argument)


def test_train_points_to_fit(model):
    with pytest.raises(UsageError, match=r"fit\(data"):
        model().train(TEXTS, LABELS)


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
def test_one_string_is_not_taken_for_a_list_of_letters(ask, fitted):
    with pytest.raises(UsageError, match="one string"):
        getattr(fitted, ask)("a great film")


@pytest.mark.parametrize("wrong", [None, 7, float("nan"), ["a text in a list"], np.array(["a column"])])
def test_what_is_not_a_text_is_named_with_its_place(wrong, fitted):
    with pytest.raises(DataError, match="text 1 is"):
        fitted.predict(["a text", wrong])


def test_lists_of_different_lengths_are_an_error(model):
    with pytest.raises(DataError, match="240 texts and 2 labels"):
        model().fit(TEXTS, LABELS[:2])


def test_a_validation_class_that_training_lacks_is_an_error(model):
    with pytest.raises(DataError, match="'ugly'"):
        model().fit(TEXTS, LABELS, validation_data=(["a b", "c d"], ["good", "ugly"]))


def test_holding_rows_out_is_told_and_given_ones_are_used(model):
    told: list[dict] = []
    model().fit(TEXTS, LABELS, trace=Trace(listeners=(told.append,)))
    assert any("36 of 240 rows are held out" in event.get("text", "") for event in told)
    told.clear()
    model().fit(TEXTS[:100], LABELS[:100], validation_data=(TEXTS[100:], LABELS[100:]), trace=Trace(listeners=(told.append,)))
    assert not any("held out" in event.get("text", "") for event in told)


def test_the_same_seed_gives_the_same_bits_however_often_it_is_fitted(model):
    classifier = model()
    first = classifier.fit(TEXTS, LABELS).predict_proba(TEXTS[:20])
    again = classifier.fit(TEXTS, LABELS).predict_proba(TEXTS[:20])
    other = model(seed=2).fit(TEXTS, LABELS).predict_proba(TEXTS[:20])
    assert (first == again).all()
    assert (first != other).any()


def test_resume_goes_on_from_the_weights_there_are(model):
    classifier = model(epochs=3, config=LEARNING).fit(TEXTS, LABELS)
    classifier.fit(TEXTS, LABELS, resume=True, epochs=1)
    assert classifier.history_.steps[0].loss < 0.5, "chance is 0.69"
    assert classifier.history_.validations[-1].loss < 0.69


def test_resume_with_other_classes_is_an_error(fitted):
    with pytest.raises(DataError, match="resume=True"):
        fitted.fit(TEXTS, [label.upper() for label in LABELS], resume=True)


def test_epochs_of_fit_win_over_those_of_the_constructor(model):
    assert len(model(epochs=1).fit(TEXTS, LABELS, epochs=2).history_.validations) == 2


def test_the_linear_baseline_follows_the_data_that_it_is_asked_about(model):
    classifier = model()
    flipped = [{"good": "bad", "bad": "good"}[label] for label in LABELS]
    first, second = pretune.load_data((TEXTS, LABELS)), pretune.load_data((TEXTS, flipped))
    found = [classifier.fit(data).evaluate(data) for data in (first, second)]
    linear = [s.value for e in found for s in e.scores if s.source == "linear" and s.metric == "accuracy"]
    assert min(linear) > 0.9, "a baseline kept from the first data would be wrong everywhere on the second"


def test_a_saved_model_predicts_the_same_when_loaded(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = pretune.load_model(tmp_path / "model")
    assert loaded.predict_proba(TEXTS) == pytest.approx(fitted.predict_proba(TEXTS), abs=1e-5)
    assert loaded.classes_.tolist() == ["bad", "good"]


def test_no_test_text_can_be_reached_from_what_training_gets_or_from_the_fitted_model(model):
    conflicts = [(text, {"good": "bad", "bad": "good"}[label]) for text, label in ROWS[:60]]
    data = pretune.load_data(([text for text, _ in ROWS + conflicts], [label for _, label in ROWS + conflicts]))
    sealed = set(data.seal.texts())
    assert sealed & set(strings_reachable_from(data)), "the receipt shows conflicts, so a model that keeps the data is caught"
    classifier = model(freeze="all").fit(data)
    classifier.evaluate(data)
    assert sealed & set(strings_reachable_from(data.training)) == set()
    assert sealed & set(strings_reachable_from(classifier)) == set()


def test_a_planted_test_text_is_reached():
    class Holder:
        def __init__(self, text):
            self.inner = [{"deep": (text,)}]
            self.hidden = lambda: text

    assert list(strings_reachable_from(Holder("test text"))).count("test text") == 1
    holder = Holder("x")
    holder.inner = None
    assert "x" in set(strings_reachable_from(holder)), "also through what a function closes over"


def strings_reachable_from(root: object) -> Iterator[str]:
    """Yield every string that references lead to, except through modules, classes and the globals of functions."""
    seen, waiting = {id(sys.modules)}, [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, types.ModuleType | type | types.FrameType | types.CodeType):
            continue
        seen.add(id(item))
        if isinstance(item, str):
            yield item
        elif isinstance(item, types.FunctionType):
            waiting += [item.__closure__, item.__defaults__, item.__dict__]
        else:
            waiting += gc.get_referents(item)


def interrupt_at(step):
    """Return a trace that interrupts training at a step."""

    def listen(event):
        if event.get("event") == "step" and event["index"] == step:
            raise KeyboardInterrupt

    return Trace(listeners=(listen,))


def test_an_interrupted_first_fit_leaves_an_unfitted_classifier(model):
    classifier = model()
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(TEXTS, LABELS, trace=interrupt_at(2))
    with pytest.raises(NotFittedError):
        classifier.predict(TEXTS[:1])
    assert classifier.fit(TEXTS, LABELS).predict(TEXTS[:1]).shape == (1,)


@pytest.mark.parametrize("resume", [False, True])
def test_an_interrupted_fit_leaves_the_classifier_as_it_was(resume, model):
    classifier = model().fit(TEXTS, LABELS)
    before, history = classifier.predict_proba(TEXTS[:20]), classifier.history_
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(TEXTS, LABELS, resume=resume, trace=interrupt_at(2))
    assert np.array_equal(classifier.predict_proba(TEXTS[:20]), before)
    assert classifier.history_ is history


@pytest.mark.parametrize(
    ("good", "bad"),
    [(1, 0), (True, False), (1.0, 0.5), ("01", "1"), (10, 2)],
    ids=["int", "bool", "float", "codes", "two-digit"],
)
def test_labels_come_back_as_what_they_were_after_saving_and_loading(good, bad, model, tmp_path):
    y = np.array([good if label == "good" else bad for label in LABELS])
    classifier = model(epochs=1, config=LEARNING).fit(TEXTS, y)
    before, score = classifier.predict(TEXTS), classifier.score(TEXTS, y)
    loaded = pretune.load_model(classifier.save(tmp_path / "model"))
    after = loaded.predict(TEXTS)
    assert after.dtype == before.dtype
    assert after.tolist() == before.tolist()
    assert loaded.classes_.tolist() == classifier.classes_.tolist() == sorted((bad, good))
    assert loaded.score(TEXTS, y) == score == (after == y).mean()
    assert loaded.evaluate(TEXTS, y.reshape(-1, 1)).value("accuracy") == pytest.approx(score)


def test_labels_of_a_frame_come_back_as_what_they_were(model, tmp_path):
    y = [int(label == "good") for label in LABELS]
    data = pretune.load_data(pd.DataFrame({"review": TEXTS, "stars": y}), text="review", label="stars")
    classifier = model(epochs=1, config=LEARNING).fit(data)
    loaded = pretune.load_model(classifier.save(tmp_path / "model"))
    assert loaded.predict(pd.DataFrame({"id": [1, 2], "review": TEXTS[:2]})).tolist() == classifier.predict(TEXTS[:2]).tolist()
    assert set(loaded.classes_.tolist()) == {0, 1}
    assert loaded.card_.text_columns == ("review",)


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
def test_a_frame_of_one_column_is_asked_about_its_texts(ask, fitted):
    wanted = np.asarray(getattr(fitted, ask)(TEXTS[:3]))
    for given in (pd.DataFrame({"any": TEXTS[:3]}), {"any": TEXTS[:3]}, np.array(TEXTS[:3]).reshape(-1, 1), iter(TEXTS[:3])):
        assert np.array_equal(np.asarray(getattr(fitted, ask)(given)), wanted)


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
def test_a_frame_of_several_columns_is_refused(ask, fitted):
    with pytest.raises(DataError, match="2 columns"):
        getattr(fitted, ask)(pd.DataFrame({"a": TEXTS[:3], "b": TEXTS[:3]}))


@pytest.mark.parametrize("ask", ["evaluate", "score"])
@pytest.mark.parametrize("wrong", [[None, "good"], ["good", float("nan")], np.eye(2), ["", "good"]], ids=repr)
def test_labels_that_are_missing_or_of_another_shape_are_refused(ask, wrong, fitted):
    with pytest.raises(DataError, match=r"missing|shape"):
        getattr(fitted, ask)(TEXTS[:2], wrong)


def test_labels_that_the_model_does_not_know_are_named(fitted):
    with pytest.raises(DataError, match=r"'Good' \(1 row; the model has 'good'\)"):
        fitted.evaluate(TEXTS[:2], ["Good", "bad"])


def test_spellings_that_are_one_class_are_evaluated_as_it(fitted):
    loss, accuracy = fitted.evaluate(TEXTS[:40], LABELS[:40])
    assert tuple(fitted.evaluate(TEXTS[:40], [f" {label}\u200b" for label in LABELS[:40]])) == (loss, accuracy)


def test_nothing_is_given_beside_data_with_labels_of_its_own(model):
    data = pretune.load_data((TEXTS, LABELS))
    with pytest.raises(UsageError, match="validation_data was given with a Dataset"):
        model().fit(data, validation_data=(TEXTS, LABELS))
    with pytest.raises(UsageError, match="y was given"):
        model().fit(data, LABELS)


def test_numbers_of_numpy_are_numbers(model):
    same = [
        model(seed=seed, epochs=epochs, config=replace(LEARNING, batch_size=size))
        .fit(TEXTS[:60], LABELS[:60])
        .predict_proba(TEXTS[:5])
        for seed, epochs, size in ((3, 1, 8), (np.int64(3), np.int32(1), np.int8(8)))
    ]
    assert np.array_equal(*same)
    assert pretune.load_data((TEXTS, LABELS), split_seed=np.int64(3)).receipt.split_seed == 3


def test_a_save_that_fails_leaves_the_network_where_it_was(fitted, tmp_path, monkeypatch):
    moved = []

    def refuse(*_arguments: object, **_options: object) -> None:
        raise ParityError("it differs")

    monkeypatch.setattr("pretune.tasks.classify.estimator.check_saved", refuse)
    monkeypatch.setattr(fitted.network_, "to", moved.append)
    with pytest.raises(ParityError):
        fitted.save(tmp_path / "model")
    assert moved == ["cpu", fitted.device_.kind]


def test_answers_are_those_of_predict_and_predict_proba_to_the_bit(fitted):
    texts = TEXTS[:20]
    rows = [Example(id=str(number), text=text) for number, text in enumerate(texts)]
    shares = fitted.predict_proba(texts)
    for threshold in (None, float(np.median(shares[:, 1]))):
        asked = copy(fitted)
        asked.card_ = replace(fitted.card_, positive="good", threshold=threshold)
        found = answers_of(asked.scorer, rows)
        assert found.predicted == tuple(asked.predict(texts))
        assert np.array_equal(found.probabilities, asked.predict_proba(texts))
