"""What ``production_page.py`` shows of scoring on engines: targets and a table, from what ``warehouse.py`` measured."""

from typing import Any

MOST_TIME, MANY = 1.3, 1_000_000
TEXT = (
    "`benchmarks/warehouse.py RUN` writes a table of short texts, scores it by `pretune predict --file` before and after, and by "
    "each engine with two workers on the same two cores, once as it is and once with a worker that kills its own process in the "
    "middle. Answers are compared row by row with those of `predict`. Time against `predict` is the mean of its two runs; "
    "processor seconds count the processes that are children of the command."
)

HARDER = "The linear model answers 15,000 texts a processor second, so what an engine adds weighs most; Ray and Spark start processes that are not children of theirs, whose processor seconds are not counted."


def told(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the page for the models that are measured."""
    models = {name: found for name, found in kept.items() if isinstance(found, dict) and "sides" in found}
    return {
        "title": "Engines of tables",
        "order": 6,
        "script": "benchmarks/warehouse.py",
        "targets": [_target(name, found) for name, found in models.items() if found["rows"] >= MANY],
        "text": [TEXT],
        "tables": [_table(name, found) for name, found in models.items()],
        "notes": [f"The encoder has scored {_most(models):,} rows on engines, not a million.", HARDER],
    }


def _most(models: dict[str, dict[str, Any]]) -> int:
    """Rows that the encoder has scored on engines."""
    return int(models.get("minilm", {"rows": 0})["rows"])


def _engines(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: side for name, side in found["sides"].items() if not name.startswith("predict")}


def _of_predict(found: dict[str, Any], what: str) -> float:
    sides = [side[what] for name, side in found["sides"].items() if name.startswith("predict")]
    return float(sum(sides) / len(sides))


def _target(name: str, found: dict[str, Any]) -> dict[str, Any]:
    sides = _engines(found)
    is_right = all(side["every_row_once"] and side["same_answers"] == 1 for side in sides.values())
    died = all(side.get("killed", True) for side in sides.values())
    times = {engine: side["seconds"] / _of_predict(found, "seconds") for engine, side in sides.items()}
    slowest = max(times, key=times.__getitem__)
    right = "every row once, the same answers" if is_right else "rows or answers differ"
    return {
        "what": f"{found['rows']:,} texts on an engine, with a worker killed: {name}",
        "must": f"every row once, same answers, ≤ {MOST_TIME} × the time of `predict`",
        "reached": f"{right}; " + ", ".join(f"{engine} {value:.2f} ×" for engine, value in times.items()),
        "holds": is_right and died and times[slowest] <= MOST_TIME and found["rows"] >= MANY,
    }


def _table(name: str, found: dict[str, Any]) -> dict[str, Any]:
    rows = [
        [
            side, f"{of['seconds']:,.0f}", f"{of['processor_seconds']:,.0f}", f"{of['seconds'] / _of_predict(found, 'seconds'):.2f} ×",
            "yes" if of.get("every_row_once") else "", f"{100 * of['same_answers']:.4g} %" if "same_answers" in of else "",
            f"{of['largest_difference']:.0e}" if "largest_difference" in of else "",
        ]
        for side, of in found["sides"].items()
    ]  # fmt: skip
    head = [
        "side",
        "seconds",
        "processor seconds",
        "time against `predict`",
        "every row once",
        "same answers",
        "largest difference",
    ]
    return {"caption": f"{name}: `{found['run']}`, {found['rows']:,} texts", "head": head, "rows": rows}
