"""Dockerfile: does the image hold what serving needs, nothing of training, and a user that may do little?"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
# What `pip install pretune` brings and the image goes without: answering from an export loads none of it.
TRAINING = {"torch", "transformers", "scikit-learn", "safetensors", "jinja2"}
# What packages of the image name and only downloads need.
UNUSED = {"huggingface-hub"}
EXPORT = {"onnxruntime"}  # what reads an export


def name_of(requirement: str) -> str:
    return re.split(r"[ ;<>=!~\[]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def pinned(file: str) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines())
    return {name_of(line): line.partition("==")[2] for line in lines if line}


IMAGE, LOCK = pinned("deploy/requirements.txt"), pinned("requirements/lock.txt")


def steps() -> list[tuple[str, str]]:
    """Return the instructions, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip() and not line.startswith("#")]  # type: ignore[misc]


def roots() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    return (set(map(name_of, declared)) - TRAINING) | EXPORT


def test_every_package_that_is_declared_for_serving_is_in_the_image():
    assert roots() <= IMAGE.keys()


def test_nothing_of_training_is_in_the_image():
    assert IMAGE.keys().isdisjoint(TRAINING | UNUSED | {"scipy", "pandas", "peft"})


def test_versions_are_those_of_the_lock():
    assert {name: pin for name, pin in IMAGE.items() if LOCK.get(name, pin) != pin} == {}
    assert all(IMAGE.values()), "each has one"


def test_the_list_is_closed_and_holds_nothing_that_nobody_needs():
    """Every package of the list is installed here in that version, as the lock says, but what reads exports."""
    needed, waiting = set[str](), list(roots())
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        try:
            found = requires(name) or []
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed here")
        waiting += [name_of(item) for item in found if _is_meant(item)]
    assert needed - UNUSED == IMAGE.keys()


def _is_meant(requirement: str) -> bool:
    from packaging.requirements import Requirement

    found = Requirement(requirement)
    return name_of(requirement) not in UNUSED and (found.marker is None or found.marker.evaluate({"extra": ""}))


def test_there_are_two_stages_and_the_second_copies_nothing_else():
    froms = [place for place, (word, _) in enumerate(steps()) if word == "FROM"]
    assert len(froms) == 2
    second = steps()[froms[1] :]
    assert [rest for word, rest in second if word == "COPY"] == ["--from=build /opt/pretune /opt/pretune"]
    assert not [rest for word, rest in second if word == "RUN" and "pip" in rest]


def test_the_user_is_not_root_and_the_image_says_whether_it_works():
    words = dict(steps())
    assert int(words["USER"]) > 0
    assert "/ready" in words["HEALTHCHECK"]
    assert words["STOPSIGNAL"] == "SIGTERM"


def test_the_command_is_one_that_pretune_has():
    from pretune.cli.signature import flags_of

    words = re.findall(r'"([^"]+)"', dict(steps())["ENTRYPOINT"])
    assert words[:2] == ["pretune", "serve"]
    assert {word for word in words if word.startswith("--")} <= {flag.typed for flag in flags_of("serve")}
    assert words[words.index("--port") + 1] == dict(steps())["EXPOSE"]
    assert "127.0.0.1:8000/ready" in DOCKERFILE


def test_what_is_copied_is_there_and_what_is_ignored_is_not_needed():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for word, rest in steps():
        if word == "COPY" and not rest.startswith("--from"):
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored


def test_python_is_one_that_pretune_takes():
    wanted = re.search(r"ARG PYTHON=(\d+\.\d+)", DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert wanted is not None
    least = tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
    assert tuple(map(int, wanted[1].split("."))) >= least


def test_the_lock_has_the_packages_in_the_versions_that_are_tested():
    pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")
    assert {name for name in ("fastapi", "uvicorn", "starlette", "prometheus-client") if version(name) != LOCK[name]} == set()
