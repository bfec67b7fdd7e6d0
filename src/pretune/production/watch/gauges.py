"""Gauges: what a look found, as Prometheus reads it; no text, and no word of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pretune.records import WatchedWindow

HELP = {
    "pretune_watch_looks": "Looks at windows of production.",
    "pretune_watch_alarm": "1 where the last look has an alarm.",
    "pretune_watch_texts": "Texts of the last look.",
    "pretune_watch_signal_alarm": "1 where this signal of the last look has an alarm.",
    "pretune_watch_signal_before": "The test's value of a signal.",
    "pretune_watch_signal_now": "The window's value of a signal.",
    "pretune_watch_signal_change": "Change of a signal, 0 for none.",
    "pretune_watch_signal_p_value": "p value of no change.",
    "pretune_watch_figure": "A figure on all labels so far.",
    "pretune_watch_figure_least": "What a figure must at least be.",
    "pretune_watch_figure_alarm": "1 where a figure has fallen below its least.",
}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number.

    Args:
        name: One of ``HELP``.
        value: The number.
        labels: Its labels.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def gauges_of(look: WatchedWindow | None, num_looks: int) -> Iterator[Gauge]:
    """Yield the gauges of the last look; of none, that there was none."""
    yield Gauge("pretune_watch_looks", num_looks)
    if look is None:
        return
    yield Gauge("pretune_watch_alarm", look.is_alarm)
    yield Gauge("pretune_watch_texts", look.num_rows)
    for signal in look.signals:
        labels = {"signal": signal.column or signal.name, "item": signal.item, "windows": str(signal.num_windows)}
        labels |= {"unit": signal.unit}
        yield Gauge("pretune_watch_signal_alarm", signal.is_alarm, labels)
        for kind in ("before", "now", "change", "p_value"):
            value = getattr(signal, kind)
            if value is not None:
                yield Gauge(f"pretune_watch_signal_{kind}", value, labels)
    for figure in look.figures:
        labels = {"figure": figure.name, "against": figure.against}
        yield Gauge("pretune_watch_figure_alarm", figure.is_alarm, labels)
        yield Gauge("pretune_watch_figure_least", figure.least, labels)
        if figure.value is not None:
            yield Gauge("pretune_watch_figure", figure.value, labels)


def exposition(gauges: Sequence[Gauge]) -> str:
    """Return gauges in Prometheus' text format, version 0.0.4; it can follow what another exporter writes."""
    lines = list[str]()
    for name in dict.fromkeys(gauge.name for gauge in gauges):
        lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_braced(gauge.labels)} {float(gauge.value)!r}" for gauge in gauges if gauge.name == name]
    return "".join(f"{line}\n" for line in lines)


def _braced(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""
