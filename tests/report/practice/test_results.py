"""Results: is every answer kept at once, apart for each run, and never asked again by chance?"""

from practised import pretrained

from pretune.report.practice import draw_questions, judge_reply
from pretune.report.practice.results import by_topic, keep_answer, next_seed, read_answers, results_file


def answer(record, seed, given):
    question = draw_questions(record, seed=seed, topics=("pretraining",))[0]
    reply = judge_reply(question, given) or judge_reply(question, "1")
    return keep_answer(record, question, reply, seed=seed, is_hinted=False)


def test_answers_are_read_back_by_run():
    first, second = pretrained(1), pretrained(2)
    kept = [answer(first, 0, "a"), answer(second, 3, "b"), answer(first, 1, "c")]
    assert read_answers(first) == (kept[0], kept[2])
    assert read_answers() == tuple(kept)


def test_the_next_seed_was_not_asked_yet():
    record = pretrained(1)
    assert next_seed(read_answers(record)) == 0
    answer(record, 4, "a")
    assert next_seed(read_answers(record)) == 5


def test_topics_are_counted():
    kept = [answer(pretrained(1), seed, "a") for seed in range(4)]
    assert by_topic(kept) == {"pretraining": (sum(item.is_right for item in kept), 4)}


def test_a_torn_or_damaged_line_costs_no_other_answer():
    kept = answer(pretrained(1), 0, "a")
    with results_file().open("a") as file:
        file.write('{"schema": 1}\nno json\n{"time": "torn')
    assert read_answers() == (kept,)
    again = answer(pretrained(1), 1, "a")
    assert read_answers() == (kept, again)
