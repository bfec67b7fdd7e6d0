"""Routes: the answers, and one message below 500 for whatever else is sent."""

import json
import shutil
import subprocess

import pytest

pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")

from listening import ask, by_rule, connect, listening, read_answer, served_by

from pretune.production.serve import app as module
from pretune.production.serve.limits import Limits
from pretune.production.serve.openapi_page import draw_openapi
from pretune.production.serve.served import Journal
from pretune.records import LayerView, PredictionTrace

GOOD = {"predicted": "good", "probabilities": {"bad": 0.1, "good": 0.9}, "error": None}
BAD = {"predicted": "bad", "probabilities": {"bad": 0.9, "good": 0.1}, "error": None}
EMPTY = {"predicted": None, "probabilities": None, "error": "the text is empty"}


def follow(text):
    views = tuple(
        LayerView(name=name, shape=(1, 3, 4), norm=1.0, probabilities=(0.4, 0.6)) for name in ("embeddings", "layer 1")
    )
    return PredictionTrace(
        text=text, tokens=("[CLS]", text, "[SEP]"), ids=(1, 2, 3), layers=views, logits=(0.0, 1.0), probabilities=(0.3, 0.7),
        classes=("bad", "good"), decision="good",
    )  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with listening(served_by(follow=follow), Limits(max_texts=4, max_chars=50, max_batch=2)) as found:
        yield found


def test_one_text_gets_one_answer_and_several_get_theirs_in_order(server):
    assert ask(server, value={"text": "a good film"})[2] == {"schema": 1, "answers": [GOOD]}
    texts = ["no", "good", " \u200b\n", "bad"]
    assert ask(server, value={"texts": texts})[2]["answers"] == [BAD, GOOD, EMPTY, BAD]
    assert ask(server, value={"texts": []})[2]["answers"] == []
    assert ask(server, value={"text": ""})[2]["answers"] == [EMPTY], "as predict has it"


def test_texts_are_cleaned_as_predict_cleans_them(server):
    assert ask(server, value={"text": "<b>go\u200bod</b>"})[2]["answers"] == [GOOD]


@pytest.mark.parametrize(
    ("value", "status", "named"),
    [
        (b"", 422, "required"), (b"{", 422, "no JSON"), (b"null", 422, "object"), (b"[]", 422, "dictionary"),
        (b"\xff\xff", 400, "read"),
        (b"[" * 5000, 400, "read"), (b'{"text": NaN}', 422, "text"), (b"9" * 5000, 400, "read"), ({}, 422, "text or texts"),
        ({"text": 1}, 422, "text"), ({"text": None}, 422, "text"), ({"text": ["a"]}, 422, "text"),
        ({"texts": "a"}, 422, "texts"),
        ({"texts": ["a", 1]}, 422, "texts.1"), ({"texts": [None]}, 422, "texts.0"),
        ({"text": "a", "texts": ["b"]}, 422, "both"),
        ({"text": "a", "temperature": 1}, 422, "temperature"), ({"texts": ["a"] * 5}, 413, "5 texts"),
        ({"text": "a" * 51}, 413, "51 characters"), ({"text": "a" * (1 << 20)}, 413, "too large"),
        ({"text": {"text": {"text": "a"}}}, 422, "text"), (json.dumps({"t" * 10_000: 1}).encode(), 422, "ttt"),
    ],
)  # fmt: skip
def test_what_is_no_request_gets_one_message_that_repeats_no_text(server, value, status, named):
    found, _, said = ask(server, value=value)
    assert (found, said["schema"]) == (status, 1)
    assert named in said["error"]["got"]
    assert len(json.dumps(said)) < 600
    assert said["error"].keys() == {"code", "got", "expected", "fix"}


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "\u202e", "<script>alert(1)</script>", "{{7*7}}", "🙂" * 40, "%s%n", "' OR 1=1 --"]
)
def test_a_hostile_text_is_a_text(server, text):
    status, _, said = ask(server, value={"text": text})
    assert (status, len(said["answers"])) == (200, 1)
    status, _, _ = ask(server, "/trace", {"text": text})
    assert status in (200, 422), "422 where nothing of it is left"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/predict", 405), ("DELETE", "/predict", 405), ("PUT", "/", 405),
     ("GET", "/../etc/passwd", 404),
     ("GET", "/page%2e", 404), ("BREW", "/", 405)],
)  # fmt: skip
def test_other_paths_and_methods_are_told_in_the_same_form(server, method, path, status):
    found, _, said = ask(server, path, method=method)
    assert (found, said["error"]["code"]) == (status, "usage")


def test_a_body_in_chunks_is_bounded_as_well(server):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head + b"40000\r\n" + b" " * 0x40000 + b"\r\n")
        for _ in range(5):
            connection.sendall(b"40000\r\n" + b" " * 0x40000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert b" 413 " in read_answer(connection)


def test_the_layers_of_a_text_are_those_that_were_followed(server):
    status, _, said = ask(server, "/trace", {"text": "<b>fine</b>"})
    assert status == 200
    assert said == json.loads(json.dumps(follow("fine").to_json()))
    assert ask(server, "/trace", {"text": "  "})[0] == 422
    assert ask(server, "/trace", {"text": "a" * 51})[0] == 413


def test_a_model_without_layers_says_so():
    with listening(served_by()) as server:
        status, _, said = ask(server, "/trace", {"text": "a"})
        assert (status, said["error"]["got"]) == (404, "rule has no layers to follow")
        assert ask(server, "/model")[2]["can_follow"] is False


def test_probes_and_the_model_say_what_is_there(server):
    assert ask(server, "/health")[::2] == (200, {"status": "ok"})
    assert ask(server, "/ready")[::2] == (200, {"status": "ready"})
    said = ask(server, "/model")[2]
    assert (said["classes"], said["verdict"], said["digest"], said["can_follow"]) == (["bad", "good"], "ship", "0" * 64, True)


def test_what_the_description_promises_is_what_comes(server):
    described = ask(server, "/openapi.json")[2]
    assert {"/predict", "/trace", "/model", "/health", "/ready", "/metrics"} == described["paths"].keys()
    forms = described["components"]["schemas"]
    assert forms["Answered"]["properties"].keys() == GOOD.keys()
    assert forms["Model"]["properties"].keys() == ask(server, "/model")[2].keys()
    assert forms["Fault"]["properties"].keys() == ask(server, "/nowhere")[2]["error"].keys()
    page = ask(server, "/docs")[2]
    for path in described["paths"]:
        assert f"{path}</code>" in page
    assert "<script" not in page
    assert "https://" not in page


def test_the_page_comes_with_a_strict_policy_and_nothing_from_elsewhere(server):
    for path in (*module.FILES, "/docs"):
        status, headers, body = ask(server, path)
        assert status == 200
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "https://" not in body
    script = (module.PAGE / "page.js").read_text(encoding="utf-8")
    sinks = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "localStorage")
    assert [word for word in sinks if word in script] == []


def test_the_description_is_escaped():
    route = {"description": "<script>alert(1)</script>", "responses": {"200": {"description": "<b>"}}}
    page = draw_openapi({"info": {"title": "<i>", "version": "1"}, "paths": {"/<a>": {"get": route}}})
    assert not [mark for mark in ("<script", "<b>", "<i>", "<a>") if mark in page]


def test_the_page_shows_answer_and_layers_in_a_real_browser(server, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no Chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000"]
    url = f"{server.url}#text=good%20%3Cimg%20src%3Dx%3E"
    done = subprocess.run([browser, *flags, "--dump-dom", url], capture_output=True, text=True, timeout=120, check=False)
    assert '<p class="said">good</p>' in done.stdout
    assert "verdict: ship" in done.stdout
    assert done.stdout.count("<meter") == 2 + 2 * 2, "of the answer, and of two layers"
    assert "<img" not in done.stdout


def test_counts_are_what_happened_and_no_client_chooses_a_label():
    with listening(served_by(name='a"b\n')) as server:
        for value in ({"text": "good"}, {"texts": ["good", "no", ""]}, {"text": 1}):
            ask(server, value=value)
        for path in ("/nowhere/1", "/nowhere/2"):
            ask(server, path)
        status, headers, text = ask(server, "/metrics")
    lines = text.splitlines()
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'pretune_answers_total{predicted="good"} 2.0' in lines
    assert 'pretune_answers_total{predicted="bad"} 1.0' in lines
    assert 'pretune_answers_total{predicted="(none)"} 1.0' in lines
    assert 'pretune_requests_total{route="/predict",status="200"} 2.0' in lines
    assert 'pretune_requests_total{route="/predict",status="422"} 1.0' in lines
    assert 'pretune_requests_total{route="other",status="404"} 2.0' in lines
    assert "pretune_confidence_count 3.0" in lines
    assert "pretune_waiting_texts 0.0" in lines
    assert "nowhere" not in text
    assert [line for line in lines if line.startswith("process_resident_memory_bytes")]


def test_a_fault_is_told_without_its_words_and_the_server_goes_on(caplog):
    def breaks(rows):
        if any("secret" in row.text for row in rows):
            raise RuntimeError(f"cannot read {rows[0].text}")
        return by_rule(rows)

    with listening(served_by(breaks)) as server:
        status, headers, said = ask(server, value={"text": "my secret"})
        assert (status, said["error"]["code"]) == (500, "internal")
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "secret" not in json.dumps(said) + caplog.text
        assert "RuntimeError" in caplog.text
        assert ask(server, value={"text": "good"})[2]["answers"] == [GOOD]


def test_texts_are_kept_where_they_were_asked_for_and_nowhere_else(tmp_path, caplog):
    caplog.set_level("DEBUG")
    with listening(served_by()) as server:
        ask(server, value={"text": "a good secret"})
    assert "secret" not in caplog.text
    file = tmp_path / "new" / "texts.jsonl"
    file.parent.mkdir()
    with listening(served_by(), keeping=module.Keeping(journal=Journal(file))) as server:
        ask(server, value={"texts": ["a good secret", "no\nline"]})
        ask(server, value={"text": ""})
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line.pop("time") > 1.7e9 for line in lines] == [True] * 3
    assert lines == [{"text": "a good secret", **GOOD}, {"text": "no\nline", **BAD}, {"text": "", **EMPTY}]


def test_answers_that_cannot_be_written_down_are_given_and_counted(tmp_path, caplog):
    folder = tmp_path / "logs"
    folder.mkdir()
    journal = Journal(folder / "texts.jsonl")
    folder.rmdir()
    folder.write_text("in the way")
    with listening(served_by(), keeping=module.Keeping(journal=journal)) as server:
        for _ in range(2):
            assert ask(server, value={"text": "good"})[0] == 200
        assert "pretune_unlogged_answers_total 2.0" in ask(server, "/metrics")[2]
    assert caplog.text.count("not written to") == 1


class Counted:
    """A monitor that looks at five answers at a time."""

    def __init__(self):
        self.texts, self.looks, self.is_broken = [], 0, False

    def add(self, answers):
        self.texts += [answer.text for answer in answers]
        return len(self.texts) >= 5 * (self.looks + 1)

    def look(self):
        self.looks += 1
        if self.is_broken:
            raise ValueError(self.texts[0])

    def exposition(self):
        return f"pretune_watch_looks {self.looks}.0\n"


def test_answers_are_watched_beside_answering_and_what_was_found_is_in_the_metrics(caplog):
    monitor = Counted()
    with listening(served_by(), keeping=module.Keeping(monitor=monitor)) as server:
        ask(server, value={"texts": ["a secret"] * 6})
        for _ in range(100):
            if "pretune_watch_looks 1.0" in (shown := ask(server, "/metrics")[2]).splitlines():
                break
        assert monitor.texts == ["a secret"] * 6
        assert "pretune_watch_looks 1.0" in shown.splitlines()
        monitor.is_broken = True
        for _ in range(2):
            assert ask(server, value={"texts": ["a secret"] * 6})[0] == 200
    assert "secret" not in caplog.text
