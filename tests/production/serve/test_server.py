"""Server: is everything that was accepted answered when it stops, and do slow and broken clients cost it nothing?"""

import http.client
import signal
import socket
import threading
import time
from collections import Counter

import pytest

pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")

from listening import ask, by_rule, connect, listening, read_answer, request_of, served_by

from pretune.errors import UsageError
from pretune.production.serve import connection as module
from pretune.production.serve.limits import Limits
from pretune.production.serve.server import open_socket


def slowly(rows, seconds=0.05):
    time.sleep(seconds)
    return by_rule(rows)


def stop(server):
    server.handle_exit(signal.SIGTERM, None)


class Client(threading.Thread):
    """Asks again and again on one connection until it is told that the connection is closed."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.address, self.ends = server.address, Counter()
        self.start()

    def run(self):
        with socket.create_connection(self.address, timeout=10) as connection:
            for _ in range(10_000):
                try:
                    connection.sendall(request_of("a good film"))
                except OSError:
                    self.ends["not sent"] += 1
                    return
                answer = read_answer(connection)
                self.ends[answer[9:12].decode() or "lost"] += 1
                if not answer or b"connection: close" in answer.lower():
                    return


def test_each_request_under_load_is_answered_when_the_server_stops():
    with listening(served_by(slowly), Limits(max_batch=8)) as server:
        clients = [Client(server) for _ in range(16)]
        time.sleep(0.4)
        stop(server)
        for client in clients:
            client.join(10)
        ends = sum((client.ends for client in clients), Counter())
        assert set(ends) == {"200"}, ends
        assert ends["200"] > 30


def test_a_request_that_comes_on_an_open_connection_while_stopping_is_answered_and_is_the_last():
    with listening(served_by()) as server, connect(server) as idle:
        idle.sendall(request_of("good"))
        assert b" 200 " in read_answer(idle)
        stop(server)
        time.sleep(0.4)  # it has stopped taking connections by now
        with pytest.raises(ConnectionRefusedError):
            connect(server)
        idle.sendall(request_of("good"))
        answer = read_answer(idle)
        assert b" 200 " in answer
        assert b"connection: close" in answer.lower()
        assert idle.recv(1) == b""


def test_while_stopping_the_probe_says_so():
    with listening(served_by(lambda rows: slowly(rows, 1.0))) as server, connect(server) as probe, connect(server) as held:
        probe.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in read_answer(probe)
        held.sendall(request_of("good"))
        time.sleep(0.1)
        stop(server)
        time.sleep(0.3)
        probe.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 503 " in read_answer(probe)
        assert b" 200 " in read_answer(held)


def test_a_second_signal_does_not_wait():
    gate = threading.Event()

    def stuck(rows):
        gate.wait(10)
        return by_rule(rows)

    start = time.monotonic()
    with listening(served_by(stuck)) as server, connect(server) as held:
        held.sendall(request_of("good"))
        time.sleep(0.1)
        stop(server)
        stop(server)
        assert server.force_exit
        gate.set()
    assert time.monotonic() - start < 5


def test_a_full_queue_sends_away_with_the_time_to_come_again():
    with listening(served_by(lambda rows: slowly(rows, 0.3)), Limits(max_waiting=2, max_texts=2)) as server:
        statuses, headers = Counter(), []

        def one():
            status, found, _ = ask(server, value={"text": "good"})
            statuses[status] += 1
            headers.append(found.get("retry-after"))

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses.keys() == {200, 429}
        assert statuses[200] >= 2
        assert sum(value is not None for value in headers) == statuses[429]
        assert ask(server, value={"text": "good"})[0] == 200


@pytest.mark.parametrize("sent", [b"", b"POST /pred", request_of("good")[:-5]], ids=["nothing", "half a head", "half a body"])
def test_a_slow_client_is_told_and_closed(sent, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_SEND", 0.2)
    with listening(served_by()) as server, connect(server) as slow:
        slow.sendall(sent)
        assert b" 408 " in read_answer(slow)
        assert slow.recv(1) == b""
        assert ask(server, value={"text": "good"})[0] == 200


def test_a_client_that_is_slow_at_its_second_request_is_closed_as_well(monkeypatch):
    with listening(served_by()) as server, connect(server) as slow:
        slow.sendall(request_of("good"))
        assert b" 200 " in read_answer(slow)
        monkeypatch.setattr(module, "SECONDS_TO_SEND", 0.2)
        slow.sendall(request_of("good")[:20])
        assert b" 408 " in read_answer(slow)


def test_a_body_that_was_refused_and_goes_on_is_closed_without_a_second_answer(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_SEND", 0.2)
    with listening(served_by()) as server, connect(server) as endless:
        endless.sendall(request_of("good").replace(b"Content-Length: ", b"Content-Length: 9000000"))
        assert b" 413 " in read_answer(endless)
        assert endless.recv(1 << 12) == b""


def test_the_time_to_send_does_not_run_while_an_answer_is_made(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_SEND", 0.2)
    with listening(served_by(lambda rows: slowly(rows, 0.6))) as server, connect(server) as patient:
        patient.sendall(request_of("good"))
        assert b" 200 " in read_answer(patient)


def test_a_client_that_does_not_read_is_closed(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_SEND", 0.3)
    with listening(served_by(name="x" * 4_000_000)) as server, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(server.address)
        for _ in range(3):
            deaf.sendall(b"GET /model HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until = time.monotonic() + 5
        while server.server_state.connections and time.monotonic() < until:
            time.sleep(0.05)
        assert not server.server_state.connections


def test_connections_beyond_the_limit_are_sent_away(monkeypatch):
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 3)
    with listening(served_by()) as server:
        held = [connect(server) for _ in range(3)]
        time.sleep(0.1)
        with connect(server) as extra:
            assert b" 429 " in read_answer(extra)
        for connection in held:
            connection.close()
        time.sleep(0.1)
        assert ask(server, "/health")[0] == 200


@pytest.mark.parametrize("cut", [40, -3, None])
def test_a_client_that_has_gone_is_no_fault(cut, caplog):
    with listening(served_by(lambda rows: slowly(rows, 0.1))) as server:
        for _ in range(10):
            with connect(server) as gone:
                gone.sendall(request_of("good")[:cut])
        time.sleep(0.3)
        assert ask(server, value={"text": "good"})[0] == 200
        assert 'status="500"' not in ask(server, "/metrics")[2]
    assert caplog.text == ""


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9, b"GET\r\n\r\n", b"\r\n" * 9, b"A" * 100_000]
)
def test_what_is_no_http_is_closed(sent):
    with listening(served_by()) as server:
        with connect(server) as other:
            other.sendall(sent)
            other.shutdown(socket.SHUT_WR)
            assert b" 200 " not in read_answer(other)
        assert ask(server, "/health")[0] == 200


def test_requests_that_come_one_behind_the_other_are_answered_in_order():
    with listening(served_by()) as server, connect(server) as connection:
        connection.sendall(request_of("good") + request_of("no"))
        assert b'"predicted":"good"' in read_answer(connection)
        assert b'"predicted":"bad"' in read_answer(connection)


def test_a_body_is_asked_for_where_the_client_waits_to_be_asked():
    with listening(served_by()) as server, connect(server) as polite:
        head, _, body = request_of("good").partition(b"\r\n\r\n")
        polite.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert b" 100 " in polite.recv(1 << 12)
        polite.sendall(body)
        assert b" 200 " in read_answer(polite)


def test_a_socket_that_is_taken_or_nowhere_is_told():
    with open_socket("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(UsageError, match="is taken"):
            open_socket("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(UsageError, match="--host"):
        open_socket("no.such.host.invalid", 0)
    with pytest.raises(UsageError):
        open_socket("127.0.0.1", 70_000)


def test_an_address_of_six_is_written_in_brackets():
    try:
        open_socket("::1", 0).close()
    except UsageError:
        pytest.skip("this machine has no IPv6")
    with listening(served_by(), host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        connection = http.client.HTTPConnection("::1", server.address[1], timeout=5)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
