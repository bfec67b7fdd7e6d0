"""Questions about the data: what became of every row or document, and how the classes are filled."""

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template


@template(
    "data.used",
    MEDIUM,
    ask="{rows} rows were read, {rejected} were rejected and {filtered} left out by --where. How many were used?",
    hint="Every row is used, rejected or filtered, and none is two of these.",
    steps=["used = rows − rejected − filtered", "{rows} − {rejected} − {filtered} = {right}"],
    check="The parts add up to the whole: {right} + {rejected} + {filtered} = {rows}.",
    terms=["receipt", "rejection"],
    training_only="{wrong} are the rows of training; validation and test are used too.",
    added="{wrong} adds the rows that were left out, though they are part of the rows that were read.",
    splits_twice="{wrong} takes validation and test off, as if only training used rows.",
)
def used(facts: Facts) -> Drawn | None:
    """Rows read, less those that are not used."""
    receipt = facts.at("receipt")
    if not receipt:
        return None
    rows, rejected, filtered = (receipt[name] for name in ("num_rows", "num_rejected", "num_filtered"))
    right = rows - rejected - filtered
    if right == rows:
        return None  # nothing to work out
    wrong = {
        "training_only": facts.rows("train"),
        "added": rows + rejected + filtered,
        "splits_twice": right - facts.rows("validation") - facts.rows("test"),
    }
    return Drawn(right, wrong, {"rows": rows, "rejected": rejected, "filtered": filtered})


@template(
    "data.commonest",
    MEDIUM,
    ask="Of {total} training rows, {count} are labelled {name}, the commonest of {classes} classes. What share is that?",
    hint="A share is a part of the whole, not of the rest.",
    steps=["share = rows of the class ÷ rows of training", "{count} ÷ {total} = {right}"],
    check="Times the rows, it gives back the count: {right} × {total} = {count}, but for rounding.",
    terms=["share", "class", "training"],
    odds="{wrong} divides by the other rows, {rest}: these are odds, not a share.",
    rest="{wrong} is the share of all other classes.",
    even="{wrong} is what each class would have if all were equally common.",
    of_all="{wrong} divides by all rows that were used, test and validation included.",
)
def commonest(facts: Facts) -> Drawn | None:
    """Share of the commonest class in training."""
    labels = facts.at("receipt.splits[name=train].labels")
    if not labels or len(labels) < 2:
        return None
    total, name = sum(labels.values()), max(labels, key=labels.__getitem__)
    count = labels[name]
    wrong = {
        "odds": count / (total - count),
        "rest": (total - count) / total,
        "even": 1 / len(labels),
        "of_all": count / max(1, facts.at("receipt.num_used") or 0),
    }
    return Drawn(
        count / total, wrong, {"total": total, "count": count, "name": name, "classes": len(labels), "rest": total - count}
    )


@template(
    "data.outside",
    MEDIUM,
    ask="{used} rows were used; the splits hold {train}, {validation} and {test}. How many rows are in no split?",
    hint="Rows leave after reading if a later split has them too, or if --repair drops them.",
    steps=["in the splits: {train} + {validation} + {test} = {held}", "{used} − {held} = {right}"],
    check="{held} + {right} = {used}: no row is lost without being counted.",
    terms=["split", "receipt"],
    training="{wrong} counts everything outside of training, but validation and test are splits as well.",
    test="{wrong} counts the test, which is sealed and yet a split.",
    duplicates="{wrong} is the number of duplicates; these stay, on one side of the split.",
)
def outside(facts: Facts) -> Drawn | None:
    """Rows that were used and are in no split."""
    used_rows = facts.at("receipt.num_used")
    if not used_rows or not facts.splits:
        return None
    train, validation, test = (facts.rows(name) for name in ("train", "validation", "test"))
    held = train + validation + test
    if held == used_rows:
        return None  # nothing to work out
    wrong = {"training": used_rows - train, "test": test, "duplicates": facts.at("receipt.num_exact_duplicates")}
    given = {"used": used_rows, "train": train, "validation": validation, "test": test, "held": held}
    return Drawn(used_rows - held, wrong, given)


@template(
    "data.lines",
    MEDIUM,
    ask="The file {file} has {total} lines: {header} of the header, {blank} blank, {within} line ends inside cells, "
    "{other} repeated headers and separators. How many lines are rows?",
    hint="Every line is one of these five, and nothing else.",
    steps=["{total} − {header} − {blank} − {within} − {other} = {right}"],
    check="{right} + {header} + {blank} + {within} + {other} = {total}.",
    terms=["receipt"],
    header="{wrong} counts the header as a row.",
    all="{wrong} takes every line for a row.",
    twice="{wrong} takes the header off twice.",
)
def lines(facts: Facts) -> Drawn | None:
    """Rows among the lines of a delimited file."""
    file = facts.at("receipt.files[0]") or facts.at("corpus.files[0]")
    counts = file and file.get("lines")
    if not counts:
        return None
    other, header, right = counts["repeated"] + counts["separator"], counts["header"], counts["rows"]
    if right + header == counts["total"]:
        return None  # nothing to work out
    given = {"file": file["file"], "other": other} | {name: counts[name] for name in ("total", "header", "blank", "within")}
    return Drawn(right, {"header": right + header, "all": counts["total"], "twice": right - header}, given)


@template(
    "data.statement",
    EASY,
    ask="The receipt says that {used} of {rows} rows were used and lists the splits with {train}, {validation} and {test} "
    "rows. Which sentence is true of this run?",
    hint="Used rows are divided; training is a part of them.",
    steps=["{used} rows were used, and {train} of them are in training.", "So: {right}"],
    check="Look at the receipt: `data/receipt.json` of the run, or the section Data of its report.",
    terms=["receipt", "split", "training"],
    learned_all="Validation and test rows are used as well, but no weight is fitted to them.",
    learned_test="The test is sealed: nothing is fitted to it.",
    no_test="There is a test: {test} rows.",
    learned_more="{both} is training and validation; validation only chooses.",
)
def statement(facts: Facts) -> Drawn | None:
    """Which rows the weights are fitted to."""
    train, validation, test = (facts.rows(name) for name in ("train", "validation", "test"))
    if not (train and validation and test):
        return None
    both = train + validation
    given = {
        "used": facts.at("receipt.num_used"),
        "rows": facts.at("receipt.num_rows"),
        "train": train,
        "validation": validation,
        "test": test,
        "both": both,
    }
    say = "Weights are fitted to {:,} rows.".format
    wrong = {
        "learned_all": say(both + test),
        "learned_test": say(test),
        "learned_more": say(both),
        "no_test": "Every row that was used was learned, so that nothing is left to test on.",
    }
    return Drawn(say(train), wrong, given)


@template(
    "data.next",
    HARD,
    ask="The checks of this table found: conflicts {conflicts}, duplicates {duplicates}, smallest class {starved}, "
    "unreadable texts {unreadable}. What should be done first?",
    hint="Start with what makes labels wrong; then what makes rows fewer than they look; then what is too rare to learn.",
    steps=["The check that comes first among those that are not ok decides.", "So: {right}"],
    check="`pretune check DATA` shows these findings again, with their limits and fixes.",
    terms=["finding", "conflict", "duplicate"],
    conflicts="Of the conflicts the check says: {conflicts}; there is nothing to decide.",
    unreadable="Of unreadable texts the check says: {unreadable}.",
    duplicates="Of duplicates the check says: {duplicates}.",
    starved="Of the smallest class the check says: {starved}.",
    fine="One of the checks is not ok, so something is to be done first.",
)
def next_step(facts: Facts) -> Drawn | None:
    """What stands in the way, by the findings about the data."""
    checks = {
        "conflicts": "labels.conflicts",
        "unreadable": "texts.unreadable",
        "duplicates": "texts.duplicates",
        "starved": "labels.starved_class",
    }
    found = {name: facts.finding(check) for name, check in checks.items()}
    if any(item is None for item in found.values()):
        return None
    off = {name: item["severity"] in ("warning", "blocking") for name, item in found.items()}
    options = {
        "conflicts": (off["conflicts"], "Read the texts that carry two labels, and decide on one for each."),
        "unreadable": (off["unreadable"], "Read the file again with the right --encoding."),
        "duplicates": (off["duplicates"], "Count texts that differ, not rows: repeated ones teach and prove nothing new."),
        "starved": (off["starved"], "Label more rows of the smallest class, or merge it with another one."),
        "fine": (not any(off.values()), "Nothing in the table: go on to the training and its figures."),
    }
    return choose(facts, options, **{name: item["severity"].replace("_", " ") for name, item in found.items()})


@template(
    "data.kept",
    MEDIUM,
    ask="Of {documents} documents of the corpus, {dropped} were dropped. What share was kept?",
    hint="Kept are all that were not dropped.",
    steps=["kept: {documents} − {dropped} = {kept}", "{kept} ÷ {documents} = {right}"],
    check="The shares kept and dropped add up to 1.",
    terms=["corpus", "receipt"],
    dropped="{wrong} is the share that was dropped.",
    odds="{wrong} divides by the documents kept, not by all.",
    held_out="{wrong} is the share that was kept and held out.",
)
def kept(facts: Facts) -> Drawn | None:
    """Share of the documents of a corpus that was kept."""
    corpus = facts.at("corpus")
    if not corpus or not corpus["num_kept"]:
        return None
    documents, num_kept = corpus["num_documents"], corpus["num_kept"]
    dropped = documents - num_kept
    wrong = {
        "dropped": dropped / documents,
        "odds": dropped / num_kept,
        "held_out": corpus["num_validation"] / documents,
    }
    return Drawn(num_kept / documents, wrong, {"documents": documents, "dropped": dropped, "kept": num_kept})


@template(
    "data.words",
    MEDIUM,
    ask="The corpus keeps {kept} documents with {words} words and {characters} characters. How many words has a document "
    "on average?",
    hint="Divide what is counted by what it is counted in.",
    steps=["words ÷ documents", "{words} ÷ {kept} = {right}"],
    check="{right} × {kept} gives the {words} words again, but for rounding.",
    terms=["corpus"],
    upside_down="{wrong} is documents per word.",
    characters="{wrong} is characters per document.",
    letters="{wrong} is characters per word.",
)
def words(facts: Facts) -> Drawn | None:
    """Mean words of a document."""
    corpus = facts.at("corpus")
    if not corpus or not corpus["num_kept"] or not corpus["num_words"]:
        return None
    num, total, characters = corpus["num_kept"], corpus["num_words"], corpus["num_characters"]
    wrong = {"upside_down": num / total, "characters": characters / num, "letters": characters / total}
    return Drawn(total / num, wrong, {"kept": num, "words": total, "characters": characters}, digits=1)


@template(
    "data.held_out",
    MEDIUM,
    ask="{kept} documents are kept; {held} of them are held out of training. How many does training read?",
    hint="What is held out is measured on, never learned.",
    steps=["{kept} − {held} = {right}"],
    check="{right} + {held} = {kept}.",
    terms=["corpus", "validation"],
    all="{wrong} counts the documents that are held out.",
    held="{wrong} are those held out.",
    read="{wrong} takes them off all documents that were read, those dropped included.",
)
def held_out(facts: Facts) -> Drawn | None:
    """Documents that pre-training reads."""
    corpus = facts.at("corpus")
    if not corpus or not corpus["num_validation"]:
        return None
    num, held = corpus["num_kept"], corpus["num_validation"]
    wrong = {"all": num, "held": held, "read": corpus["num_documents"] - held}
    return Drawn(num - held, wrong, {"kept": num, "held": held})


DATA = (used, commonest, outside, lines, statement, next_step, kept, words, held_out)
