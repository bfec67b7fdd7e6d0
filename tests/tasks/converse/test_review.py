"""Reviewing: blind, resumable, one pair of each unit, and only the replies that the run has now count."""

import io
import json

import pytest
from replying import make_conversations, make_replies
from running import call

from pretune.data.seal.seal import Seal
from pretune.errors import StorageError, UsageError
from pretune.evaluate.replies import assess_replies
from pretune.records import Copies, RunRecord
from pretune.run import RunFolder
from pretune.run.reply_files import write_replies
from pretune.tasks.converse.review import Shown, ask, open_review, read_review
from pretune.verdict.converse import decide_conversation
from pretune.verdict.reply_policy import load_reply_policy

ROWS = make_conversations("test", 60)


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    """A judged run on conversations, without a model."""
    found = RunFolder(tmp_path / "talk")
    for part in (found.data, found.path / "predictions"):
        part.mkdir(parents=True)
    sources = [make_replies(ROWS, 0.6), make_replies(ROWS, 0.4, source="retrieval"), make_replies(ROWS, 0.1, source="constant")]
    for item in sources:
        write_replies(found.path, item)
    seal = Seal([row.as_example() for row in ROWS])
    seal.save(found.sealed)
    opening = seal.open(run="talk", purpose="judge", copy=found.openings)
    found.write_kept(Copies(threshold=None))
    evaluation = assess_replies(sources)
    verdict = decide_conversation(evaluation, (), load_reply_policy())
    record = RunRecord(
        run="talk", status="judged", task="converse", scores=evaluation.scores, comparisons=evaluation.comparisons,
        verdict=verdict, look=opening.look, ledger_head=opening.head,
    )  # fmt: skip
    found.write_record(record)
    return found


class Person:
    """Prefers what stands in a set of replies; says it by the number under which it is shown."""

    def __init__(self, liked, stop_after=1_000):
        self.liked, self.shown, self.left = set(liked), list[Shown](), stop_after

    def show(self, pair):
        self.shown.append(pair)

    def answer(self, _question, _keys):
        self.left -= 1
        if self.left < 0:
            return None
        first, second = (reply in self.liked for reply in self.shown[-1].replies)
        return "t" if first == second else "1" if first else "2"


def test_a_person_who_likes_the_models_replies_says_so_without_knowing_whose_they_are(folder):
    found = open_review(folder, pairs=30)
    person = Person(found.model.texts)
    assert found.go_on(person.show, person.answer) == 30
    review = read_review(folder)
    assert (review.num_pairs, review.num_model, review.num_rival, review.rival) == (30, 30, 0, "retrieval")
    assert review.p_value == pytest.approx(2 * 0.5**31)
    firsts = [pair.replies[0] in person.liked for pair in person.shown]
    assert 5 < sum(firsts) < 25, "the order is drawn"


def test_pairs_are_one_of_each_group(folder):
    """60 conversations in 30 groups of two."""
    plan = open_review(folder, pairs=50).plan
    assert len({row.group for row in ROWS if row.id in plan.ids}) == len(plan.ids) == 30


def test_a_review_goes_on_where_it_was_and_shows_no_pair_twice(folder):
    first, second = Person((), stop_after=7), Person(())
    open_review(folder, pairs=20, seed=3).go_on(first.show, first.answer)
    again = open_review(folder, pairs=99, seed=8)
    assert (again.plan.seed, len(again.left)) == (3, 13)
    again.go_on(second.show, second.answer)
    assert not {pair.question for pair in first.shown[:7]} & {pair.question for pair in second.shown}
    assert [pair.number for pair in second.shown] == list(range(8, 21))
    assert read_review(folder).num_ties == 20


def test_several_people_are_counted_by_conversation(folder):
    mine = open_review(folder, pairs=10, name="anna")
    likes = Person(mine.model.texts)
    mine.go_on(likes.show, likes.answer)
    for name in ("ben", "cleo"):
        other = open_review(folder, pairs=10, name=name)
        dislikes = Person(other.rival.texts)
        other.go_on(dislikes.show, dislikes.answer)
    review = read_review(folder)
    assert (review.num_pairs, review.num_rival, review.reviewers) == (10, 10, ("anna", "ben", "cleo"))


def test_replies_of_another_judging_do_not_count(folder):
    found = open_review(folder, pairs=5)
    person = Person(found.model.texts)
    found.go_on(person.show, person.answer)
    write_replies(folder.path, make_replies(ROWS, 0.6, seed=1))
    assert read_review(folder) is None
    with pytest.raises(UsageError, match="earlier judging"):
        open_review(folder)
    assert open_review(folder, name="anna", pairs=5).left


def test_a_changed_answer_is_noticed(folder):
    found = open_review(folder, pairs=5)
    person = Person(found.model.texts)
    found.go_on(person.show, person.answer)
    found.path.write_text(found.path.read_text().replace('"picked": "model"', '"picked": "rival"', 1))
    with pytest.raises(StorageError, match="damaged"):
        read_review(folder)


def test_harm_is_marked_before_the_choice():
    keys = iter(["h", "2", "1"])
    pick = ask("test-1", "rival", lambda _question, _keys: next(keys))
    assert (pick.picked, pick.harmful, pick.first) == ("rival", ("model",), "rival")


@pytest.mark.parametrize(("typed", "picked"), [("t", "tie"), ("s", "skip"), ("2", "rival"), ("1", "model")])
def test_each_key_means_what_help_says(typed, picked):
    assert ask("a", "model", lambda _question, _keys: typed).picked == picked


@pytest.mark.parametrize("typed", ["q", None])
def test_stopping_keeps_no_answer(typed):
    assert ask("a", "model", lambda _question, _keys: typed) is None


def test_a_run_that_was_not_judged_has_nothing_to_review(folder):
    record = folder.read_record()
    folder.write_record(RunRecord(run=record.run, status="trained", task="converse"))
    with pytest.raises(UsageError, match="has no verdict"):
        open_review(folder)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(folder, name):
    with pytest.raises(UsageError, match="letters, digits"):
        open_review(folder, name=name)


def test_the_command_reads_keys_and_tells_the_result(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nx\n2\nt\nq\n"))
    assert call("review", str(folder.path), "--pairs", "10") == 0
    shown = capsys.readouterr().out
    assert " 1 of 10 " in shown
    assert "3 of 10 pairs, 7 left" in shown
    assert call("review", str(folder.path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["left"] == 7
