"""Batcher: do texts keep their answers, does a batch keep its size, and is the queue bounded?"""

import asyncio
import threading

import pytest

pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")

from pretune.production.serve.batcher import Batcher, QueueFullError
from pretune.production.serve.limits import MAX_RETRY, Limits
from pretune.tasks.classify.predict import Answer


def echo(texts):
    return [Answer(id="", text=text, predicted=text) for text in texts]


def run(scene, answer=echo, **limits):
    """Run a scene with a batcher that works beside it; return what it returns, and the sizes of the batches."""
    sizes = []

    async def play():
        batcher = Batcher(answer, Limits(**limits), lambda number, _: sizes.append(number))
        working = asyncio.create_task(batcher.run())
        try:
            return await asyncio.wait_for(scene(batcher), 20)
        finally:
            assert not working.done(), "the batcher works until it is cancelled"
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    return asyncio.run(play()), sizes


def test_each_request_gets_the_answers_to_its_own_texts_in_order():
    asked = [[f"{request}-{text}" for text in range(1 + request % 7)] for request in range(40)]

    async def scene(batcher):
        found = await asyncio.gather(*map(batcher.ask, asked))
        return [[answer.text for answer in answers] for answers in found]

    found, sizes = run(scene, max_batch=8)
    assert found == asked
    assert max(sizes) <= 8
    assert sum(sizes) == sum(map(len, asked))
    assert len(sizes) < len(asked), "they went together"


def test_a_request_of_more_texts_than_a_batch_takes_is_cut_into_batches():
    texts = [str(number) for number in range(25)]
    found, sizes = run(lambda batcher: batcher.ask(texts), max_batch=8, max_texts=25)
    assert [answer.text for answer in found] == texts
    assert sizes == [8, 8, 8, 1]


def test_while_the_model_is_busy_what_comes_is_the_next_batch():
    gate = threading.Event()

    def slow(texts):
        gate.wait(10)
        return echo(texts)

    async def scene(batcher):
        tasks = [asyncio.create_task(batcher.ask([str(number)])) for number in range(5)]
        await asyncio.sleep(0.05)  # the first is being answered
        tasks += [asyncio.create_task(batcher.ask([str(number)])) for number in range(5, 9)]
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(*tasks)

    assert run(scene, slow)[1] == [5, 4]


def test_a_delay_waits_for_company_and_no_longer_than_that():
    async def scene(batcher):
        loop = asyncio.get_running_loop()
        start = loop.time()
        first = asyncio.create_task(batcher.ask(["a"]))
        await asyncio.sleep(0.02)
        await asyncio.gather(first, batcher.ask(["b"]))
        return loop.time() - start

    seconds, sizes = run(scene, delay=200.0)
    assert sizes == [2]
    assert 0.15 < seconds < 5
    quick, sizes = run(scene, delay=10_000.0, max_batch=2)
    assert sizes == [2]
    assert quick < 5, "a full batch waits for nobody"


def test_a_full_queue_refuses_all_of_a_request_and_takes_others_again():
    gate = threading.Event()

    def slow(texts):
        gate.wait(10)
        return echo(texts)

    async def scene(batcher):
        held = asyncio.create_task(batcher.ask(["a"] * 6))
        await asyncio.sleep(0.02)
        with pytest.raises(QueueFullError) as full:
            await batcher.ask(["b"] * 3)
        assert batcher.num_waiting == 6, "nothing of it was taken"
        fits = asyncio.create_task(batcher.ask(["c"] * 2))
        gate.set()
        await asyncio.gather(held, fits)
        assert batcher.num_waiting == 0
        await batcher.ask(["d"] * 8)
        return full.value

    error, _ = run(scene, slow, max_waiting=8, max_texts=8)
    assert 1 <= error.seconds <= MAX_RETRY
    assert str(error.seconds) in error.fix


def test_one_text_that_breaks_the_model_takes_no_other_request_with_it():
    def picky(texts):
        if "poison" in texts:
            raise ValueError("no such thing")
        return echo(texts)

    async def scene(batcher):
        asked = [["a"], ["poison"], ["b", "c"]]
        found = await asyncio.gather(*map(batcher.ask, asked), return_exceptions=True)
        again = await batcher.ask(["d"])
        return found, again, batcher.num_waiting

    (found, again, waiting), _ = run(scene, picky)
    assert [answer.text for answer in found[0] + found[2] + again] == ["a", "b", "c", "d"]
    assert isinstance(found[1], ValueError)
    assert waiting == 0


def test_work_on_one_text_is_done_between_batches_and_counts_as_waiting():
    names = []

    def work(text):
        names.append(threading.current_thread().name)
        return text.upper()

    async def scene(batcher):
        with pytest.raises(QueueFullError):
            await asyncio.gather(*(batcher.call(work, "a") for _ in range(3)))
        await asyncio.sleep(0.05)
        return await batcher.call(work, "b"), batcher.num_waiting

    assert run(scene, max_waiting=2, max_texts=1)[0] == ("B", 0)
    assert len({name.partition("_")[0] for name in names}) == 1


def test_a_request_that_was_given_up_is_no_fault():
    async def scene(batcher):
        gone = asyncio.create_task(batcher.ask(["a"]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        return [answer.text for answer in await batcher.ask(["b"])], batcher.num_waiting

    assert run(scene)[0] == (["b"], 0)
