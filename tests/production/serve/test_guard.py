"""Guard: who may ask, and who may not?"""

import json

import pytest

pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")

from listening import ask, listening, served_by

from pretune.production.serve.guard import Door

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def server():
    with listening(served_by()) as found:
        yield found


@pytest.fixture(scope="module")
def locked():
    with listening(served_by(name="runs/secret"), token=TOKEN) as found:
        yield found


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403), ({"Host": "127.0.0.1.evil.example:80"}, 403), ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403), ({"Content_Type": "text/plain"}, 415), ({"Content_Type": ""}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Host": "localhost:9", "Origin": "http://localhost:9", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Host": "[::1]:9"}, 200), ({"Content_Type": "application/json; charset=utf-8"}, 200),
    ],
)  # fmt: skip
def test_pages_of_other_sites_cannot_ask(server, headers, status):
    assert ask(server, value={"text": "a"}, **headers)[0] == status


def test_a_server_for_other_machines_knows_no_names_but_takes_no_other_site_either():
    door, scope = Door(is_local=False), {"type": "http", "method": "GET", "path": "/model"}
    named = [(b"host", b"models.example")]
    assert door.refuse(scope | {"headers": named}) is None
    assert door.refuse(scope | {"headers": [*named, (b"origin", b"https://models.example")]}) is None
    refusal = door.refuse(scope | {"headers": [*named, (b"origin", b"https://evil.example")]})
    assert refusal is not None
    assert refusal.status_code == 403


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_without_the_token_nothing_is_answered(locked, said):
    given = {"Authorization": said} if said else {}
    for path in ("/model", "/metrics", "/nowhere"):
        status, headers, _ = ask(locked, path, **given)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
    status, _, said_back = ask(locked, value={"text": "a"}, **given)
    assert status == 401
    assert TOKEN not in json.dumps(said_back)


def test_with_the_token_everything_is(locked):
    for said in (f"Bearer {TOKEN}", f"bearer  {TOKEN} "):
        assert ask(locked, value={"text": "a"}, Authorization=said)[0] == 200
    assert ask(locked, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize("path", ["/health", "/ready", "/", "/page.js", "/page.css", "/docs", "/openapi.json"])
def test_probes_and_the_pages_themselves_need_no_token_and_do_not_tell_the_model(locked, path):
    status, _, said = ask(locked, path)
    assert status == 200
    assert "runs/secret" not in str(said)


def test_a_length_that_is_none_is_refused(server):
    assert ask(server, value=b"{}", Content_Length="9" * 15)[0] == 413
