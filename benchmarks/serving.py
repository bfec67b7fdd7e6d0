"""``pretune serve`` under load, under attack and while it stops, beside a plain FastAPI handler around the same model.

    python benchmarks/serving.py RUN                          # everything; the soak takes 30 minutes
    python benchmarks/serving.py RUN --only soak --soak 600   # one part; the others stay as they are in the result

RUN is a fine-tuned run. Texts are those of its validation rows; each is asked alone. `load`: 32 clients that ask again as
soon as they are answered; server and rival take turns, in processes of their own, on the same machine as the clients. `soak`:
80 % of that rate, one request in a hundred hostile. `stop`: SIGTERM under the load of 32 clients.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import production_page
import serving_page
from harness import describe_machine
from serving_load import HOST, Question, Tally, crowd, steady

HERE = Path(__file__).parent
RESULT = HERE / "results" / "production-serving.json"
CLIENTS, ROUNDS, SECONDS, WARM, STOPS = 32, 5, 12.0, 3.0, 10
LOAD_SHARE, HOSTILE_SHARE = 0.8, 0.01
MAX_DIFFERENCE = 1e-4  # of probabilities, between an answer under load and that of `pretune predict`


@dataclass(frozen=True, slots=True)
class Contender:
    """A server.

    Args:
        command: Starts it; PORT stands for the port.
        is_ours: Whether its answers are in the form of `pretune serve`.
    """

    command: list[str]
    is_ours: bool

    @contextlib.contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """Start it on a free port, and end it with the block."""
        with socket.socket() as found:
            found.bind((HOST, 0))
            port = found.getsockname()[1]
        process = subprocess.Popen([part.replace("PORT", str(port)) for part in self.command], stderr=subprocess.DEVNULL)
        try:
            _wait(process, port)
            yield process, port
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Measure, and keep what was measured."""
    asked = _parse()
    # What a run's predictions are: texts and their expected answers.
    expected = _expected(asked.run)
    contenders = {
        name: found for name, found in _contenders(asked.run, asked.serve).items() if name in (asked.servers or [name])
    }
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    about = {"measured": time.strftime("%Y-%m-%d"), "texts": len(expected), **describe_machine()}
    parts = {
        "load": lambda: measure_load(contenders, expected, asked),
        "soak": lambda: measure_soak(contenders["pretune"], expected, asked.rate or _rate_of(result), asked),
        "stop": lambda: measure_stop(contenders, expected, asked.stops),
    }
    for name in asked.only:
        result[name] = parts[name]() | {"about": about}
        result |= about | serving_page.describe(result)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps({name: result[name]}, indent=1), flush=True)
    production_page.write()


def measure_load(contenders: dict[str, Contender], expected: list[dict[str, Any]], asked: Any) -> dict[str, Any]:
    """Let the contenders take turns; return the figures of each."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(contender.running()) for name, contender in contenders.items()}
        for _ in range(asked.rounds):
            for name, (process, port) in servers.items():
                questions = _questions(expected, is_ours=contenders[name].is_ours)
                before, start = _processor_seconds(process.pid), time.monotonic()
                tally = asyncio.run(crowd(port, questions, CLIENTS, asked.seconds, warm=WARM))
                used, spent = _processor_seconds(process.pid) - before, time.monotonic() - start
                rounds[name].append(
                    _figures(tally, asked.seconds)
                    | {"processors": round(used / spent, 2), "per_processor_second": round(tally.answered / used, 1)}
                )
                print(name, rounds[name][-1], flush=True)
    found: dict[str, Any] = {name: _median(items) | {"rounds": items} for name, items in rounds.items()}
    rival = max((name for name in found if name != "pretune"), key=lambda name: found[name]["requests_per_second"])
    ours = found["pretune"]
    return found | {
        "clients": CLIENTS,
        "best_rival": rival,
        "ratio": round(ours["requests_per_second"] / found[rival]["requests_per_second"], 2),
        "ratio_of_processor_seconds": round(
            ours["per_processor_second"] / max(found[name]["per_processor_second"] for name in found if name != "pretune"), 2
        ),
        "machine_load": [round(value, 1) for value in os.getloadavg()],
        "p99_to_p50": round(ours["p99_ms"] / ours["p50_ms"], 2),
    }


def measure_soak(ours: Contender, expected: list[dict[str, Any]], rate: float, asked: Any) -> dict[str, Any]:
    """Ask at a steady rate among harm; return statuses and memory."""
    memory = list[tuple[float, float]]()
    with ours.running() as (process, port):
        questions = _questions(expected, is_ours=True)
        asyncio.run(crowd(port, questions, CLIENTS, WARM))
        look = lambda now: memory.append((now, _resident(process.pid)))  # noqa: E731
        tally = asyncio.run(steady(port, questions, rate, asked.soak, hostile_share=HOSTILE_SHARE, look=look))
        metrics = _get(port, "/metrics")
        is_there = process.poll() is None
    tenth = max(1, len(memory) // 10)
    first, last = (statistics.median(value for _, value in part) for part in (memory[tenth : 2 * tenth], memory[-tenth:]))
    return {
        "seconds": asked.soak, "rate": rate, "hostile_share": HOSTILE_SHARE, "alive": is_there,
        "statuses": dict(sorted(tally.statuses.items())), "hostile": dict(sorted(tally.hostile.items())),
        "server_statuses": _statuses(metrics), "lost": tally.lost, "wrong": tally.wrong,
        "p50_ms": tally.quantile(0.5), "p99_ms": tally.quantile(0.99),
        "memory_mb": {"first": first, "last": last, "change": round(last / first - 1, 4), "peak": max(v for _, v in memory)},
        "memory_by_time": [(round(now), value) for now, value in memory[:: max(1, len(memory) // 60)]],
    }  # fmt: skip


def measure_stop(contenders: dict[str, Contender], expected: list[dict[str, Any]], times: int) -> dict[str, Any]:
    """Send SIGTERM under load; return what became of the requests that were sent."""
    found: dict[str, Any] = {}
    for name, contender in contenders.items():
        total, codes = Tally(), list[int]()
        for _ in range(times):
            with contender.running() as (process, port):
                questions = _questions(expected, is_ours=contender.is_ours)
                ended = threading.Timer(3.0, process.send_signal, [signal.SIGTERM])
                ended.start()
                tally = asyncio.run(crowd(port, questions, CLIENTS, 20.0))
                codes.append(process.wait(60))
            total.statuses.update(tally.statuses)
            total.lost += tally.lost
            total.wrong += tally.wrong
        found[name] = {
            "times": times, "statuses": dict(total.statuses), "lost": total.lost, "wrong": total.wrong, "exit_codes": codes,
        }  # fmt: skip
        print(name, found[name], flush=True)
    return found


def _rate_of(result: dict[str, Any]) -> float:
    return round(LOAD_SHARE * result["load"]["pretune"]["requests_per_second"], 1)


def _figures(tally: Tally, seconds: float) -> dict[str, float]:
    if set(tally.statuses) != {"200"} or tally.lost:
        raise RuntimeError(f"not everything was answered: {tally.statuses}, {tally.lost} lost")
    return {
        "requests_per_second": round(tally.statuses["200"] / seconds, 1),
        "p50_ms": tally.quantile(0.5), "p95_ms": tally.quantile(0.95), "p99_ms": tally.quantile(0.99), "wrong": tally.wrong,
    }  # fmt: skip


def _median(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(item[name] for item in rounds), 2) for name in rounds[0]}


def _questions(expected: list[dict[str, Any]], *, is_ours: bool) -> list[Question]:
    def right(item: dict[str, Any]) -> Any:
        shares = item["probabilities"]

        def check(said: Any) -> bool:
            found = said["answers"][0]["probabilities"] if is_ours else {one["label"]: one["score"] for one in _flat(said)}
            return all(abs(found[name] - share) < MAX_DIFFERENCE for name, share in shares.items()) and (
                not is_ours or said["answers"][0]["predicted"] == item["predicted"]
            )

        return check

    return [Question(json.dumps({"text": item["text"]}).encode(), right(item)) for item in expected]


def _flat(said: Any) -> Any:
    """Return the classes of one answer of a pipeline, whose form differs between versions."""
    return said[0] if isinstance(said[0], list) else said


def _expected(run: str) -> list[dict[str, Any]]:
    """Return what `pretune predict` says of the validation rows."""
    from pretune.run import RunFolder

    texts = [" ".join(row.text.split()) for row in RunFolder(Path(run)).read_examples("validation")]
    command = [sys.executable, "-m", "pretune", "predict", run, "--json"]
    said = subprocess.run(command, input="\n".join(texts), capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def _contenders(run: str, flags: list[str]) -> dict[str, Contender]:
    rival = [sys.executable, str(HERE / "serving_rival.py"), f"{run}/model", "PORT"]
    return {
        "pretune": Contender([sys.executable, "-m", "pretune", "serve", run, "--port", "PORT", *flags], is_ours=True),
        "plain, threads": Contender([*rival, "def"], is_ours=False),
        "plain, one by one": Contender([*rival, "async"], is_ours=False),
    }


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(1200):
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        time.sleep(0.5)
    raise RuntimeError("the server does not listen")


def _get(port: int, path: str) -> str:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def _statuses(metrics: str) -> dict[str, int]:
    found = re.findall(r'pretune_requests_total\{route="([^"]+)",status="(\d+)"\} ([\d.e+]+)', metrics)
    return {f"{route} {status}": int(float(number)) for route, status, number in found}


def _processor_seconds(process: int) -> float:
    parts = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    return round(int(found[1]) / 1024, 1) if found else 0.0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--only", nargs="+", choices=["load", "soak", "stop"], default=["load", "soak", "stop"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--soak", type=float, default=1800.0)
    parser.add_argument("--rate", type=float, help="requests per second of the soak; 80 % of the load unless given")
    parser.add_argument("--servers", nargs="+", help="only these; all unless given")
    parser.add_argument("--stops", type=int, default=STOPS)
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="flags for pretune serve")
    return parser.parse_args()


if __name__ == "__main__":
    main()
