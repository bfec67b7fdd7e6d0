"""Questions about the split and the seal: which rows serve what, and what looking again costs."""

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

LAST = "last"  # monitor of a training whose last epoch is kept


@template(
    "split.test_share",
    MEDIUM,
    ask="The splits hold {train} training, {validation} validation and {test} test rows. What share of them is the test?",
    hint="The whole is all three together.",
    steps=["all: {train} + {validation} + {test} = {total}", "{test} ÷ {total} = {right}"],
    check="The shares of the three splits add up to 1.",
    terms=["split", "share", "test"],
    to_training="{wrong} divides by the training rows.",
    to_known="{wrong} divides by training and validation, without the test itself.",
    unseen="{wrong} counts validation with the test.",
    training="{wrong} is the share of training.",
)
def test_share(facts: Facts) -> Drawn | None:
    """Share of the rows that is the test."""
    train, validation, test = (facts.rows(name) for name in ("train", "validation", "test"))
    if not (train and test):
        return None
    total = train + validation + test
    wrong = {
        "to_training": test / train,
        "to_known": test / (train + validation),
        "unseen": (test + validation) / total,
        "training": train / total,
    }
    return Drawn(test / total, wrong, {"train": train, "validation": validation, "test": test, "total": total})


@template(
    "split.stratified",
    MEDIUM,
    ask="{count} of {train} training rows are {name}. If the test of {test} rows keeps the shares, how many of its rows are "
    "{name}, rounded?",
    hint="Stratified means: the same share on every side.",
    steps=["share in training: {count} ÷ {train} = {share}", "{share} × {test} rows, rounded: {right}"],
    check="The receipt counts {right} of them in the test.",
    terms=["stratified", "class"],
    same_count="{wrong} is the count of training; the test is smaller.",
    even="{wrong} gives every class the same number.",
    others="{wrong} are the rows of all other classes.",
)
def stratified(facts: Facts) -> Drawn | None:
    """Rows of a class in a stratified test; asked only where the record agrees."""
    held = {name: facts.at(f"receipt.splits[name={name}].labels") for name in ("train", "test")}
    if not held["train"] or not held["test"]:
        return None
    train, test = (sum(labels.values()) for labels in held.values())
    name = facts.pick(sorted(held["train"]))
    count, right = held["train"][name], held["test"].get(name, 0)
    if not train or right != round(count / train * test):
        return None
    wrong = {"same_count": count, "even": round(test / len(held["train"])), "others": test - right}
    return Drawn(right, wrong, {"count": count, "train": train, "test": test, "name": name, "share": count / train})


@template(
    "split.chooses",
    EASY,
    ask="This run has {train} training, {validation} validation and {test} test rows; its epoch is chosen by: {monitor}. "
    "Which rows chose the epoch that was kept?",
    hint="What chooses must not be what is learned from, nor what is judged at the end.",
    steps=["The epoch is chosen by: {monitor}.", "So: {right}"],
    check="The history of the run names what chose: `history.monitor`.",
    terms=["validation", "epoch", "early stopping"],
    train="Figures of training rows rise as long as they are learned by heart.",
    test="Then the test would have been chosen on, and its figures would be too good.",
    validation="Nothing was chosen here: the last epoch is kept.",
    nobody="Something was chosen here: the best epoch by {monitor}.",
    all="Test rows are sealed until the end.",
)
def chooses(facts: Facts) -> Drawn | None:
    """Which rows chose the epoch."""
    train, validation, test = (facts.rows(name) for name in ("train", "validation", "test"))
    monitor = facts.at("history.monitor")
    if not (train and validation and test and monitor and facts.at("history.best_epoch")):
        return None
    is_last = monitor == LAST
    options = {
        "validation": (not is_last, "The {validation} validation rows."),
        "nobody": (is_last, "None: the last epoch is kept, and nothing is chosen."),
        "train": (False, "The {train} training rows."),
        "test": (False, "The {test} test rows."),
        "all": (False, "All rows together, those of the test included."),
    }
    said = "nothing, the last one is kept" if is_last else f"{monitor.replace('_', ' ')} on rows held out of training"
    return choose(facts, options, train=train, validation=validation, test=test, monitor=said)


@template(
    "split.lucky_seed",
    HARD,
    ask="Somebody runs this {tries} times, each time with another --split-seed, and shows the best. Each 95 % interval "
    "misses the truth with probability 0.05. How probable is it that at least one of {tries} independent ones misses "
    "it?",
    hint="Ask first how probable it is that none of them misses.",
    steps=["none misses: 0.95 to the power of {tries} = {none}", "at least one: 1 − {none} = {right}"],
    check="It is less than {tries} × 0.05 = {sum}, because several may miss at once.",
    terms=["split seed", "confidence", "interval"],
    sum="{wrong} adds the probabilities; several may miss at once.",
    one="{wrong} is the probability for a single one.",
    none="{wrong} is the probability that none misses.",
    product="{wrong} is the probability that all of them miss.",
)
def lucky_seed(facts: Facts) -> Drawn | None:
    """What showing the best of several splits does to confidence."""
    if not facts.splits or facts.at("receipt.split_seed") is None:
        return None
    tries = facts.draw.randint(3, 12)
    none = 0.95**tries
    wrong = {"sum": 0.05 * tries, "one": 0.05, "none": none, "product": 0.05**tries}
    return Drawn(1 - none, wrong, {"tries": tries, "none": none, "sum": 0.05 * tries})


@template(
    "split.repeated",
    MEDIUM,
    ask="The split {split} has {rows} rows with {texts} different texts, near copies counted once. How many of its rows repeat "
    "another one?",
    hint="The first row of each text repeats none.",
    steps=["{rows} − {texts} = {right}"],
    check="{texts} + {right} = {rows}.",
    terms=["near copy", "unit"],
    different="{wrong} are the different texts.",
    all="{wrong} are all rows of the split.",
    doubled="{wrong} counts both sides of each pair.",
)
def repeated(facts: Facts) -> Drawn | None:
    """Rows of a split that repeat another one."""
    known = [name for name, item in facts.splits.items() if item["num_texts"] not in (None, item["num_rows"])]
    if not known:
        return None
    name = facts.pick(sorted(known))
    rows, texts = facts.rows(name), facts.at(f"receipt.splits[name={name}].num_texts")
    wrong = {"different": texts, "all": rows, "doubled": 2 * (rows - texts)}
    return Drawn(rows - texts, wrong, {"split": name, "rows": rows, "texts": texts})


@template(
    "split.next",
    HARD,
    ask="The checks say: seen texts {seen}, hidden groups {groups}, label shares {shift}. What should be done about the split?",
    hint="Ask of each check whether it is ok. A split is not drawn again because a figure could be better.",
    steps=["The first check that is not ok decides; if all are, the split stays.", "So: {right}"],
    check="The findings of the run are in its report, with limit and fix.",
    terms=["leak", "group", "distribution shift"],
    seen="Of seen texts the check says: {seen}.",
    groups="Of hidden groups the check says: {groups}.",
    shift="Of label shares the check says: {shift}.",
    keep="One of the checks is not ok.",
    reseed="That chooses the split by its figures, and figures chosen for being good say nothing.",
)
def next_split(facts: Facts) -> Drawn | None:
    """What to do about the split, by the findings."""
    names = {"seen": "leakage.seen_texts", "groups": "leakage.hidden_groups", "shift": "shift.labels"}
    found = {name: facts.finding(check) for name, check in names.items()}
    if any(item is None for item in found.values()):
        return None
    off = {name: item["severity"] in ("warning", "blocking") for name, item in found.items()}
    options = {
        "seen": (off["seen"], "Take the texts that training has too out of training: --repair does it."),
        "groups": (off["groups"], "Name the column that holds groups with --group, and run again."),
        "shift": (off["shift"], "Find out why the test has other label shares than training, before any figure is trusted."),
        "keep": (not any(off.values()), "Keep it: nothing crosses it."),
        "reseed": (False, "Draw other splits until one gives a better figure."),
    }
    return choose(facts, options, **{name: item["severity"].replace("_", " ") for name, item in found.items()})


SPLIT = (test_share, stratified, chooses, lucky_seed, repeated, next_split)
