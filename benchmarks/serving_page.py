"""What ``docs/production.md`` says of the server, from the figures that ``serving.py`` keeps."""

from typing import Any

MOST_P99, LEAST_RATIO, MOST_MEMORY = 5.0, 1.5, 0.05
WHOLE_SOAK = 1_800.0  # seconds; a shorter one can fail, and cannot pass
TEXT = (
    "`pretune serve RUN` beside a plain FastAPI handler around transformers' `pipeline` with the same model, both in fp32, each in "
    "a process of its own on the machine that the clients run on. Each request has one text, of the validation rows of the run; "
    "32 clients ask again as soon as they are answered. The handler is tried as `def` (threads) and as `async def` (one by one), "
    "and the faster is the rival. Every answer of the server is compared with that of `pretune predict`: same class, "
    "probabilities within 1e-4.",
)


def describe(result: dict[str, Any]) -> dict[str, Any]:
    """Return the section; parts that were not measured are said to be."""
    return {
        "title": "Serving",
        "order": 2,
        "script": "benchmarks/serving.py",
        "targets": [*_load_targets(result.get("load")), _soak_target(result.get("soak")), _stop_target(result.get("stop"))],
        "text": list(TEXT),
        "tables": [*_load_table(result.get("load")), *_soak_table(result.get("soak")), *_stop_table(result.get("stop"))],
        "notes": _notes(result),
    }


def _load_targets(load: dict[str, Any] | None) -> list[dict[str, Any]]:
    whats = ("server: single-text requests, 32 clients, against the same model behind a plain handler", "server: p99 of that")
    musts = (f"≥ {LEAST_RATIO} × requests/s", f"≤ {MOST_P99:g} × p50")
    if load is None:
        return [_target(what, must) for what, must in zip(whats, musts, strict=True)]
    ours, rival = load["pretune"], load[load["best_rival"]]
    reached = f"{load['ratio']:.2f} × ({ours['requests_per_second']:g} against {rival['requests_per_second']:g})"
    spread = f"{load['p99_to_p50']:.2f} × ({ours['p99_ms']:g} ms, p50 {ours['p50_ms']:g} ms)"
    return [
        _target(whats[0], musts[0], reached, load["ratio"] >= LEAST_RATIO),
        _target(whats[1], musts[1], spread, load["p99_to_p50"] <= MOST_P99),
    ]


def _soak_target(soak: dict[str, Any] | None) -> dict[str, Any]:
    minutes = "30 minutes" if soak is None else f"{soak['seconds'] / 60:g} minutes"
    what = f"server: {minutes} at 80 % of that load, 1 % hostile requests"
    must = "0 × 5xx, memory ± 5 %, every accepted request answered (30 minutes)"
    if soak is None:
        return _target(what, must)
    faults = _faults(soak)
    reached = f"{faults} × 5xx, memory {100 * soak['memory_mb']['change']:+.1f} %, {soak['lost']} not answered"
    holds = not faults and not soak["lost"] and not soak["wrong"] and abs(soak["memory_mb"]["change"]) <= MOST_MEMORY
    is_whole = soak["seconds"] >= WHOLE_SOAK
    return _target(what, must, reached, holds if is_whole or not holds else None)


def _stop_target(stop: dict[str, Any] | None) -> dict[str, Any]:
    what, must = "server: kill -TERM under load", "every accepted request answered"
    if stop is None:
        return _target(what, must)
    ours = stop["pretune"]
    reached = f"{ours['lost']} of {_count(ours) + ours['lost']:,} not answered, {ours['times']} kills"
    return _target(what, must, reached, not ours["lost"])


def _load_table(load: dict[str, Any] | None) -> list[dict[str, Any]]:
    if load is None:
        return []
    names = [name for name, item in load.items() if isinstance(item, dict) and "rounds" in item]
    rows = [
        [
            name,
            *(f"{load[name][key]:g}" for key in ("requests_per_second", "p50_ms", "p95_ms", "p99_ms", "per_processor_second")),
        ]
        for name in names
    ]
    head = ["server", "requests/s", "p50, ms", "p95, ms", "p99, ms", "requests per processor second"]
    rounds = len(load[names[0]]["rounds"])
    return [{"caption": f"Medians of {rounds} rounds, in which the servers took turns:", "head": head, "rows": rows}]


def _soak_table(soak: dict[str, Any] | None) -> list[dict[str, Any]]:
    if soak is None:
        return []
    hostile = sorted({name.partition(": ")[0] for name in soak["hostile"]})
    rows = [
        [
            name,
            ", ".join(
                f"{number} × {key.partition(': ')[2]}" for key, number in soak["hostile"].items() if key.startswith(f"{name}:")
            ),
        ]
        for name in hostile
    ]
    memory = soak["memory_mb"]
    caption = (
        f"The soak: {soak['rate']:g} requests per second for {soak['seconds'] / 60:g} minutes, {_count(soak):,} friendly ones, all "
        f"answered with {', '.join(sorted(soak['statuses']))} (p50 {soak['p50_ms']:g} ms, p99 {soak['p99_ms']:g} ms); memory "
        f"{memory['first']:g} MB in the second tenth, {memory['last']:g} MB in the last, {memory['peak']:g} MB at most. What became of the "
        "hostile ones (*gone*: the client cut the connection; *closed*: the server did):"
    )
    return [{"caption": caption, "head": ["hostile requests", "what became of them"], "rows": rows}]


def _stop_table(stop: dict[str, Any] | None) -> list[dict[str, Any]]:
    if stop is None:
        return []
    rows = [
        [name, item["times"], f"{_count(item):,}", item["lost"], ", ".join(map(str, sorted(set(item["exit_codes"]))))]
        for name, item in stop.items()
        if isinstance(item, dict) and "lost" in item
    ]
    head = ["server", "kills", "answered", "sent and not answered", "exit codes"]
    return [{"caption": "SIGTERM after three seconds of that load:", "head": head, "rows": rows}]


def _notes(result: dict[str, Any]) -> list[str]:
    notes = []
    soak = result.get("soak")
    if soak is not None and soak["seconds"] < 1800:
        notes.append(f"The soak ran {soak['seconds'] / 60:g} minutes of the 30 that are asked for.")
    return notes


def _faults(soak: dict[str, Any]) -> int:
    """Count 5xx of any route; a probe that says that the server stops is none, and it was not stopped."""
    return sum(number for name, number in soak["server_statuses"].items() if name.rpartition(" ")[2].startswith("5"))


def _count(item: dict[str, Any]) -> int:
    return sum(number for status, number in item["statuses"].items() if status.isdigit())


def _target(what: str, must: str, reached: str = "", holds: bool | None = None) -> dict[str, Any]:
    return {"what": what, "must": must, "reached": reached, "holds": holds}
