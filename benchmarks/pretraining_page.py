"""docs/pretraining.md from what ``tasks/pretrain.py`` and ``pretrain_speed.py`` have kept."""

from collections.abc import Iterator
from typing import Any

from wrapped import wrapped

TITLES = {
    "scratch": "From scratch, on film reviews",
    "films": "Continued: minilm on film reviews",
    "imdb": "The same language model, fine-tuned for IMDb",
    "medicine": "Continued: minilm on medical text",
    "smollm2": "Continued: smollm2 on medical questions and answers",
}
NAMES = {"pretrained": "pre-trained", "random": "random weights", "before": "the checkpoint before"}
SIDES = {"pretune": "pretune", "trainer": "Trainer, bf16", "trainer-sparse": "Trainer, bf16, sparse prediction"}


def write_page(rows: dict[str, dict[str, Any]], speed: dict[str, dict[str, Any]], classic: list[dict[str, Any]]) -> str:
    """Return the page."""
    parts = [
        "# Pre-training",
        "Whether pre-training pays, and how fast it is, as measured. Written by `python benchmarks/pretraining.py` and "
        "`python benchmarks/pretrain_speed.py` from `benchmarks/results/`; rows that are not there were not measured.",
    ]
    parts += [part for name, title in TITLES.items() for part in _row(title, rows.get(name))]
    parts += [*_classic(classic), *_speed(speed)]
    return wrapped("\n\n".join(parts) + "\n")


def _row(title: str, found: dict[str, Any] | None) -> Iterator[str]:
    yield f"## {title}"
    if found is None:
        yield "Not measured yet."
        return
    if "note" in found:
        yield found["note"]
    yield ", then ".join(f"`{found[kind]}`" for kind in ("command", "task_command") if kind in found)
    if "pretraining" in found:
        yield from _language_model(found["pretraining"])
    if "task" in found:
        yield from _task(found["task"])
    yield f"Measured {found['measured']}, at {found['commit']}."


def _language_model(made: dict[str, Any]) -> Iterator[str]:
    corpus = made["corpus"]
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in (corpus["dropped"] or {}).items() if count) or "none"
    yield (
        f"Corpus: {corpus['num_documents']:,} documents, {corpus['num_kept']:,} kept (dropped: {dropped}), {corpus['num_words']:,} words. "
        f"{made['weights']:,} weights, {made['tokens']:,} tokens read, {made['milestones'][-1]['seconds'] / 60:.1f} minutes of training "
        f"({made['device']}), the whole command {made['seconds'].get('pretraining', 0) / 60:.1f} minutes."
    )
    yield _table(
        ("tokens", "what is predicted", "training loss", "held-out loss", "accuracy", "tokens a second", "first guess"),
        [
            (
                f"{item['num_tokens']:,}", _predicted(item, made),
                f"{item['training_loss']:.3f}", f"{item['loss']:.3f}", f"{item['accuracy']:.3f}",
                f"{item['tokens_per_second']:,.0f}", _guesses(item),
            )
            for item in made["milestones"]
        ],
    )  # fmt: skip
    scores = {(item["metric"], item["split"], item["source"]): item for item in made["scores"]}
    lines = [
        f"- {metric.replace('_', ' ')} on {split} text: {_before(scores.get((metric, split, 'before')))}, {after['value']:.3f} after"
        for (metric, split, source), after in scores.items()
        if source == "pretrained"
    ]
    if lines:
        yield "\n".join(lines)


def _predicted(milestone: dict[str, Any], made: dict[str, Any]) -> str:
    """Return what was predicted up to a milestone, and by what alone where not all weights learned."""
    usual = "next words" if made["objective"] == "causal" else "hidden words"
    is_alone = 0 < milestone["step"] <= made.get("num_head_steps", 0)
    return (milestone.get("task") or usual) + (", the head alone" if is_alone else "")


def _before(score: dict[str, Any] | None) -> str:
    if score is None:
        return "no figure before (it had no head for words)"
    _, _, when = score["method"].partition("no interval; ")
    return f"{score['value']:.3f} {when or 'before'}"


def _guesses(item: dict[str, Any]) -> str:
    if not item["guesses"]:
        return ""
    first = item["guesses"][0]
    best = ", ".join(f"{guess['token']} {guess['probability']:.2f}" for guess in first["guesses"][:3])
    return f"*{first['prompt']}*: {best}".replace("|", "\\|")


def _task(task: dict[str, Any]) -> Iterator[str]:
    proof = task["proof"]
    if proof is None:
        return
    arms: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for arm in proof["arms"]:
        arms.setdefault((arm["num_labels"], arm["source"]), []).append(arm)
    compared = {item["b"]: item for item in proof["comparisons"]}
    lines = []
    for (number, source), held in sorted(arms.items(), key=lambda item: (item[0][0], list(NAMES).index(item[0][1]))):
        gain = compared.get(f"{source}@{number}")
        lines.append((
            f"{number:,}", NAMES[source], _mean([arm["validation_accuracy"] for arm in held]), _mean([arm["test_accuracy"] for arm in held]),
            "" if gain is None else f"{100 * gain['difference']:+.1f} ({100 * gain['low']:+.1f} to {100 * gain['high']:+.1f})",
            "" if gain is None else f"{gain['p_value']:.2g}",
        ))  # fmt: skip
    yield _table(("labels", "start", "validation accuracy", "test accuracy", "gain of pre-training, points", "p (Holm)"), lines)
    yield f"**{proof['statement'][:1].upper()}{proof['statement'][1:]}.** Verdict of the run: {task['verdict'].replace('_', ' ')}."
    for finding in task["findings"]:
        if finding["severity"] != "not_applicable":
            yield f"- {finding['check']}: {finding['summary']}"


def _mean(values: list[float | None]) -> str:
    held = [value for value in values if value is not None]
    if not held:
        return "–"
    mean = sum(held) / len(held)
    return f"{mean:.3f}" if len(held) == 1 else f"{mean:.3f} ({min(held):.3f}–{max(held):.3f}, {len(held)} seeds)"


def _classic(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## The classic size: a million texts, 10,000 labels, a verdict, in one command"
    if not rows:
        yield "Not measured yet (`python benchmarks/classic.py`)."
        return
    pieces = ", ".join(f"{count:,} from {name}" for name, count in rows[0]["pieces"].items())
    corpus = rows[0]["corpus"]
    yield f"Pieces of 50 words: {pieces}. {corpus['num_kept']:,} kept, {corpus['num_words']:,} words."
    for found in rows:
        yield from _classic_row(found)


def _classic_row(found: dict[str, Any]) -> Iterator[str]:
    accuracy = next(item for item in found["scores"] if (item["metric"], item["source"]) == ("accuracy", "finetuned"))
    yield f"`{found['command']}`"
    yield (
        f"**{found['command_seconds'] / 60:.0f} minutes** for the whole command ({found['device']}), peak anonymous memory {found['peak_anonymous_mb']:,} MB. "
        f"{found['tokens_read']:,} tokens read, masked accuracy {found['milestones'][-1]['accuracy']:.3f}; test accuracy {accuracy['value']:.3f} "
        f"({accuracy['low']:.3f} to {accuracy['high']:.3f}), verdict: {found['verdict'].replace('_', ' ')}."
    )
    yield _table(("stage", "in", "out", "seconds"), [
        tuple(str(item[name] if item[name] is not None else "").replace("|", "\\|") for name in ("stage", "shape_in", "shape_out", "seconds"))
        for item in found["stages"]
    ])  # fmt: skip
    yield f"Measured {found['measured']}, at {found['commit']}."


def _speed(speed: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield "## Speed beside transformers' Trainer"
    if not speed:
        yield "Not measured yet."
        return
    for name, found in speed.items():
        lines = []
        for side, figures in found["median"].items():
            ratios = found["ratios"].get(side)
            lines.append((
                SIDES[side], f"{figures['tokens_per_second']:,.0f}", f"{figures['share_of_peak']:.0%}",
                f"{figures['share_of_own_products']:.0%}",
                "" if ratios is None else f"{sorted(ratios)[len(ratios) // 2]:.1f} × ({min(ratios):.1f}–{max(ratios):.1f})",
            ))  # fmt: skip
        yield f"**{name}**, windows of 128 tokens, 64 an update; median of {len(next(iter(found['runs'].values())))} runs each, in turn."
        yield _table(("side", "tokens a second", "share of peak", "of the model's own products", "pretune is faster by"), lines)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
