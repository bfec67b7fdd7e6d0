"""The published movie-review recipe and what unfreezing adds: six models on the same rows, one opening of the test.

Frozen trunk first, at the published rate and at the best of four by validation loss; from each of the two, the last 2 and
the last 3 layers are then unfrozen for two epochs, at the published 1e-6 and at the better of two rates.
"""

import copy
import tempfile
import time
from dataclasses import replace
from typing import Any

from harness import row
from pretune import TextClassifier, load_data
from pretune.cli.settings import build_config
from pretune.evaluate import compare, evaluate_sources
from pretune.evaluate.baselines import fit_linear
from pretune.records import Terms

FROZEN_RATES = (1e-4, 3e-4, 1e-3, 3e-3)
UNFROZEN_RATES = (5e-5, 2e-4)
UNFROZEN_EPOCHS = 2


def main() -> None:
    """Measure, unless kept."""
    row("recipes", measure)


def measure() -> dict[str, Any]:
    """Train all of them, then open the test once for all."""
    data = load_data("movie-reviews")
    models: dict[str, TextClassifier] = {}
    seconds: dict[str, float] = {}
    tried: dict[str, Any] = {}

    def fit(name: str, model: TextClassifier, **options: Any) -> TextClassifier:
        start = time.perf_counter()
        models[name] = model.fit(data, **options)
        seconds[name] = round(time.perf_counter() - start, 1)
        print(f"  {name}: {seconds[name]} s, validation {best(model)}", flush=True)
        return model

    def pick(name: str, makers: dict[float, Any], **options: Any) -> None:
        found = {rate: fit(f"{name} at {rate:g}", make(), **options) for rate, make in makers.items()}
        tried[name] = {f"{rate:g}": best(model) for rate, model in found.items()}
        rate = min(found, key=lambda rate: best(found[rate])["loss"])
        for other in set(found) - {rate}:
            del models[f"{name} at {other:g}"]
        models[f"{name}, best rate"] = models.pop(f"{name} at {rate:g}")
        seconds[f"{name}, best rate"], tried[name]["chosen"] = seconds[f"{name} at {rate:g}"], f"{rate:g}"

    recipe = build_config({}, recipe="frozen")
    base = TextClassifier(recipe.model, epochs=recipe.epochs, freeze="all", config=recipe.finetune)
    fit("frozen, published 1e-5", copy.deepcopy(base))
    pick(
        "frozen", {rate: lambda rate=rate: copy.deepcopy(base).set_params(config__learning_rate=rate) for rate in FROZEN_RATES}
    )
    for layers in (2, 3):
        start = models["frozen, published 1e-5"]
        fit(f"last {layers}, published 1e-6", unfreeze(start, layers, 1e-6), epochs=UNFROZEN_EPOCHS, resume=True)
        start = models["frozen, best rate"]
        makers = {rate: lambda rate=rate, start=start, layers=layers: unfreeze(start, layers, rate) for rate in UNFROZEN_RATES}
        pick(f"last {layers}", makers, epochs=UNFROZEN_EPOCHS, resume=True)
    return {"rates tried": tried, "fit seconds": {name: seconds[name] for name in models}, **judge(data, models)}


def unfreeze(model: TextClassifier, layers: int, rate: float) -> TextClassifier:
    """Return a copy whose last layers learn, too, at this rate."""
    config = replace(model.config, learning_rate=rate)
    return copy.deepcopy(model).set_params(freeze=f"last-{layers}", config=config)


def judge(data: Any, models: dict[str, TextClassifier]) -> dict[str, Any]:
    """Score all models in one opening, which counts as that many comparisons."""
    opening = data.seal.open(run="benchmarks/recipes", purpose="benchmark", num_models=len(models))
    said = {name: replace(model.predictions(opening.examples, "test"), source=name) for name, model in models.items()}
    linear = fit_linear(data.train).predict(opening.examples, split="test", classes=data.classes)
    found = evaluate_sources([*said.values(), linear], Terms(confidence=opening.confidence), main=next(iter(said)))
    accuracy = [score for score in found.scores if score.metric == "accuracy"]
    pairs = [(f"last {k}, best rate", "frozen, best rate") for k in (2, 3)]
    pairs += [(f"last {k}, published 1e-6", "frozen, published 1e-5") for k in (2, 3)]
    return {
        "num_test": len(opening.examples),
        "confidence": opening.confidence,
        "accuracy": {score.source: [score.value, score.low, score.high] for score in accuracy},
        "validation": {name: best(model) for name, model in models.items()},
        "paired": [compare(said[a], said[b], Terms(confidence=opening.confidence)).to_json() for a, b in pairs],
    }


def best(model: TextClassifier) -> dict[str, float]:
    """Return the figures of the kept epoch."""
    kept = next(v for v in model.history_.validations if v.epoch == model.history_.best_epoch)
    return {"epoch": kept.epoch, "loss": round(kept.loss, 4), "accuracy": round(kept.accuracy, 4)}


if __name__ == "__main__":
    import os

    with tempfile.TemporaryDirectory() as home:
        os.environ["PRETUNE_HOME"] = home
        main()
