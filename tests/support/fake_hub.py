"""A hub on loopback, as far as sending a model needs one: repositories, one commit at a time, large files apart."""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

LARGE = (".safetensors", ".texts")  # what the hub keeps apart from git


class FakeHub(ThreadingHTTPServer):
    """Answers the requests of ``huggingface_hub``; ``files`` and ``repos`` are what it has been sent.

    Args:
        refuses: Status that it answers every commit with; ``None`` takes them.
    """

    daemon_threads = True

    def __init__(self, refuses: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refuses, self.repos, self.files, self.large = refuses, dict[str, bool](), dict[str, bytes](), dict[str, bytes]()
        self.requests: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.requests.append(f"GET {self.path}")
        found = re.match(r"/api/models/([^/]+/[^/?]+)", self.path)
        if found is None or found[1] not in self.server.repos:
            return self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        return self._answer(200, {"id": found[1], "private": self.server.repos[found[1]], "sha": "c" * 40, "tags": []})

    def do_PUT(self) -> None:
        self.server.large[self.path.rpartition("/")[2]] = self._body()
        self._answer(200, {})

    def do_POST(self) -> None:
        self.server.requests.append(f"POST {self.path}")
        body = self._body()
        if self.headers.get("authorization") != "Bearer fake-token":
            return self._answer(401, {"error": "Invalid username or password."})
        if self.path == "/api/repos/create":
            return self._create(json.loads(body))
        if self.path == "/api/validate-yaml":
            yaml.safe_load(json.loads(body)["content"].split("---")[1])
            return self._answer(200, {"warnings": [], "errors": []})
        if "/preupload/" in self.path:
            names = [item["path"] for item in json.loads(body)["files"]]
            modes = {name: "lfs" if name.endswith(LARGE) else "regular" for name in names}
            return self._answer(
                200, {"files": [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in modes.items()]}
            )
        if self.path.endswith("/info/lfs/objects/batch"):
            actions = [
                {**item, "actions": {"upload": {"href": f"{self.server.url}/large/{item['oid']}", "header": {}}}}
                for item in json.loads(body)["objects"]
            ]
            return self._answer(200, {"objects": actions, "transfer": "basic"})
        return self._commit(body)

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        status = 409 if name in self.server.repos else 200
        self.server.repos.setdefault(name, asked.get("visibility") == "private")
        self._answer(status, {"url": f"{self.server.url}/{name}"})

    def _commit(self, body: bytes) -> None:
        if self.server.refuses is not None:
            return self._answer(self.server.refuses, {"error": "the quota is used up"})
        for line in body.decode().splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server.large[value["oid"]]
        return self._answer(
            200, {"commitUrl": f"{self.server.url}/team/reviews/commit/{'c' * 40}", "commitOid": "c" * 40, "success": True}
        )

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, item in (headers or {}).items():
            self.send_header(name, item)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
