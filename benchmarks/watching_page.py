"""What ``production_page.py`` shows of watching: targets, paragraphs and tables, from what was measured."""

from typing import Any

ALL_TEXTS = "false alarms of texts"


def told(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the page for what is measured so far."""
    kept = kept | {"false alarms": [*kept.get("false alarms", ()), *kept.get(ALL_TEXTS, ())]}
    missing = [name for name in TABLES if not kept.get(name)]
    tables = [make(kept[name]) for name, make in TABLES.items() if kept.get(name)]
    return {
        "title": "Watching",
        "order": 7,
        "script": "benchmarks/watching.py",
        "targets": [
            make(kept[name]) for name, make in TARGETS if name in kept and (name != "false alarms" or ALL_TEXTS in kept)
        ],
        "text": [
            "Worlds are drawn: texts as numbers (log-normal lengths, rare unknown words and tokens, four languages, classes of known shares), or of words by a Zipf-like law over 8,000 words, of which training knows 6,000. Each series and each trial has a test of its own. News are the 7,600 test rows of AG News, answered by a linear classifier; their windows are drawn from the 3,100 rows that neither it nor the test has.",
            "The rate is shared out evenly (1e-4 per look), so the counts of p values up to 10, 100 and 1,000 times their level say more about it than the few alarms: each must stay at or under what is allowed.",
        ],
        "tables": tables,
        "notes": [
            "A class of 20 % or more that gains five points needs more than one window of 2,000 texts, whatever the method: against a test of 1,500 rows the change is 3.5 to 4 standard deviations, and a false alarm in 10,000 looks is 3.9. The next windows find it, or a larger one.",
            "All known words: the moved words are drawn evenly from the 6,000 that training knows, so most moved words were rare; spread over the words as they are, nothing would move.",
            "Accuracy without labels is not estimated.",
            *([f"Not measured yet: {', '.join(missing)}."] if missing else []),
        ],
    }


def _span(triple: list[float]) -> str:
    return f"{100 * triple[0]:.3g} % ({100 * triple[1]:.3g}–{100 * triple[2]:.3g})"


def _alarms(rows: list[dict[str, Any]]) -> dict[str, Any]:
    alarms, series = sum(row["series_with_alarm"] for row in rows), sum(row["series"] for row in rows)
    said = f"{alarms} of {series} series of 100 windows"
    return {
        "what": "watch: false alarms without a change",
        "must": "≤ 1 % per 100 windows",
        "reached": said,
        "holds": alarms <= 0.01 * series,
    }


def _words(rows: list[dict[str, Any]]) -> dict[str, Any]:
    said = "; ".join(f"{row['name']}, test of {row['test_rows']:,}: {100 * row['found'][0]:.3g} %" for row in rows)
    return {
        "what": "watch: 5 % of the words moved, 2,000 texts",
        "must": "≥ 90 % found",
        "reached": said,
        "holds": all(row["found"][0] >= 0.9 for row in rows),
    }


def _shares(rows: list[dict[str, Any]]) -> dict[str, Any]:
    own = [row for row in rows if row["test_rows"] == 1_500]
    said = "; ".join(f"from {100 * row['share']:.0f} %: {100 * row['found'][0]:.3g} %" for row in own)
    return {
        "what": "watch: share of a class + 5 points, one window of 2,000 texts, test of 1,500",
        "must": "≥ 90 % found",
        "reached": said,
        "holds": all(row["found"][0] >= 0.9 for row in own),
    }


def _table_of_alarms(rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = []
    for row in rows:
        counts = row.get("p_values_up_to") or row["told_apart_p_values_up_to"]
        what = row["name"] + (", the classifier's p values" if "told_apart_p_values_up_to" in row else "")
        cells = [f"{counts[factor][0]} of {counts[factor][1]:g}" for factor in ("1", "10", "100", "1000")]
        body.append(
            [what, f"{row['test_rows']:,} / {row['texts']:,}", f"{row['series_with_alarm']} of {row['series']}", *cells]
        )
    head = ["world", "test / window", "series with an alarm", "p ≤ level", "≤ 10 ×", "≤ 100 ×", "≤ 1,000 ×"]
    return {
        "caption": "Without a change: series of 100 looks, and p values up to multiples of their level, of how many are allowed.",
        "head": head,
        "rows": body,
    }


def _table_of_shares(rows: list[dict[str, Any]]) -> dict[str, Any]:
    sizes = sorted({row["test_rows"] for row in rows})
    by = {
        (row["share"], row["test_rows"]): f"{_span(row['found'])}; of three: {100 * row['found_within_three_windows'][0]:.3g} %"
        for row in rows
    }
    body = [[f"{100 * share:.0f} %", *(by[share, size] for size in sizes)] for share in sorted({row["share"] for row in rows})]
    return {
        "caption": "A class gains five points, one window of 2,000 texts: found, by its share before and the rows of the test (stratified, 95 % right); and found in at least one of three such windows.",
        "head": ["share before", *(f"test of {size:,}" for size in sizes)],
        "rows": body,
    }


def _table_of_larger(rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = [[f"{100 * row['share']:.0f} %", f"{row['test_rows']:,}", f"{row['texts']:,}", _span(row["found"])] for row in rows]
    return {"caption": "The same in larger windows.", "head": ["share before", "test", "window", "found"], "rows": body}


def _table_of_words(rows: list[dict[str, Any]]) -> dict[str, Any]:
    body = [
        [
            row["name"],
            f"{row['test_rows']:,}",
            _span(row["found"]),
            ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in row["signals"].items() if name != "any"),
        ]
        for row in rows
    ]
    return {
        "caption": "Five percent of all words are others instead, 2,000 texts.",
        "head": ["they are", "test", "found", "by"],
        "rows": body,
    }


def _table_of_figures(found: dict[str, Any]) -> dict[str, Any]:
    body = [
        [
            f"at its gate, {row['labels_per_look']} labels per look",
            f"{row['series_with_alarm'].get('as watched', 0)} of {row['series']} series of 100 looks; at an error of 10 % {row['series_with_alarm'].get('at an error of 10 %', 0)}",
        ]
        for row in found["at the gate"]
    ]
    body += [
        [
            f"from {row['before']} to {row['after']} after 50 looks, gate {row['gate']}",
            f"alarm after {row['labels']['median']:,} labels at the median, {row['labels']['90 %']:,} in nine of ten",
        ]
        for row in found["after a fall"]
    ]
    return {
        "caption": "Labels: a figure exactly at its gate (the worst case for a false alarm), and one that falls.",
        "head": ["figure", "alarms"],
        "rows": body,
    }


def _table_of_news(found: dict[str, Any]) -> dict[str, Any]:
    said = ", ".join(f"{name} {number}" for name, number in found["found"].items())
    body = [
        ["without a change", f"{found['series_with_alarm']} of {found['series']} series of 100 looks at 500 texts"],
        [f"`{found['topic']}` at 30 % for 25 %, windows of 2,000", f"of {found['trials']} windows: {said or 'none'}"],
    ]
    return {"caption": "News.", "head": ["", "alarms"], "rows": body}


TARGETS = (("false alarms", _alarms), ("power of words", _words), ("power of shares", _shares))
TABLES = {
    "false alarms": _table_of_alarms,
    "power of shares": _table_of_shares,
    "power of larger windows": _table_of_larger,
    "power of words": _table_of_words,
    "figures": _table_of_figures,
    "news": _table_of_news,
}
