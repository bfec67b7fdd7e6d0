"""Programs of torch: written without pickles, and refused where one is inside."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from networks import open_network

from pretune.errors import ModelLoadError
from pretune.models import ModelCard
from pretune.models.formats import torch_program
from pretune.models.formats.graph import whole


@pytest.fixture(scope="module")
def program(tiny_checkpoint, tmp_path_factory):
    """A folder with a program; read only."""
    folder = tmp_path_factory.mktemp("program")
    network, _ = open_network(tiny_checkpoint("bert"))
    with whole(network, ModelCard(classes=("a", "b", "c"))) as (module, _):
        torch_program.write(folder, module, max_length=32)
    return folder, network


@torch.no_grad()
def test_a_program_answers_as_the_network_for_any_number_of_texts_and_tokens(program):
    folder, network = program
    read = torch_program.read(folder)
    with whole(network, ModelCard(classes=("a", "b", "c"))) as (module, _):
        for size in ((1, 1), (1, 7), (5, 1), (64, 32)):
            ids, mask = torch.randint(5, 40, size), torch.ones(size, dtype=torch.int64)
            torch.testing.assert_close(read(ids, mask), module(ids, mask), atol=1e-5, rtol=1e-4)


def rewritten(source: Path, target: Path, change: dict[str, bytes]) -> Path:
    """Copy an archive, with other contents of some parts, or further ones."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        parts = {item.filename: old.read(item) for item in old.infolist()}
        for name, data in (parts | change).items():
            new.writestr(name, data)
    return target.parent


class Planted:
    def __reduce__(self):
        return (Path.touch, (Path("planted"),))


def as_pickle() -> bytes:
    buffer = io.BytesIO()
    torch.save(Planted(), buffer)
    return buffer.getvalue()


def config_of(file: Path) -> tuple[str, dict]:
    name = "model/data/weights/model_weights_config.json"
    return name, json.loads(zipfile.ZipFile(file).read(name))


def planted(file: Path) -> dict[str, dict[str, bytes]]:
    name, config = config_of(file)
    first = next(iter(config["config"].values()))
    first["use_pickle"] = True
    return {
        "example inputs": {"model/data/sample_inputs/model.pt": as_pickle()},
        "a weight": {name: json.dumps(config).encode(), f"model/data/weights/{first['path_name']}": as_pickle()},
        "an object": {"model/data/constants/opaque_obj_0": pickle.dumps(Planted())},
        "a legacy file": {"model/data/weights/model.pt": as_pickle()},
    }


@pytest.mark.parametrize("place", ["example inputs", "a weight", "an object", "a legacy file"])
def test_an_archive_with_a_pickle_is_refused_and_nothing_of_it_runs(place, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = program[0] / "model.pt2"
    folder = rewritten(file, tmp_path / "model.pt2", planted(file)[place])
    with pytest.raises(ModelLoadError, match="no pickles"):
        torch_program.read(folder)
    assert not Path("planted").exists()


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"nothing")
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        torch_program.read(tmp_path)
