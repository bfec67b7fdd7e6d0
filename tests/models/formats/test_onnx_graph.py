"""Graphs of ONNX: the logits of the network, of every family and head, for any number of texts and tokens."""

import numpy as np
import pytest
import torch
from networks import open_network

from pretune.models import ModelCard
from pretune.models.batch import Batch
from pretune.models.formats import libraries, onnx_graph, onnx_int8
from pretune.models.formats.graph import whole
from tiny import FAMILIES

pytest.importorskip("onnxruntime", reason="exports need the extra onnx")
pytest.importorskip("onnxscript", reason="exports need the extra onnx")

CARD = ModelCard(classes=("a", "b", "c"))
SIZES = ((1, 1), (1, 7), (5, 1), (64, 32))


def write(network, folder):
    """Write the network, and return what runs it and what is to be given."""
    with whole(network, CARD, plainly=True) as (module, _):
        onnx_graph.write(folder, module, max_length=32)
    return open_session(folder / "model.onnx")


def open_session(file):
    session = libraries.load_onnxruntime().InferenceSession(str(file))
    names = [item.name for item in session.get_inputs()]

    def ask(ids, mask):
        given = {"input_ids": np.asarray(ids), "attention_mask": np.asarray(mask)}
        return session.run(["logits"], {name: given[name] for name in names})[0]

    return ask


@torch.no_grad()
def difference(network, ask) -> float:
    """Return the largest difference of a logit over all sizes."""
    largest = 0.0
    with whole(network, CARD) as (module, _):
        for size in SIZES:
            ids, mask = torch.randint(5, 40, size), torch.ones(size, dtype=torch.int64)
            mask[: size[0] // 2, 1:] = 0  # texts of one token, and padding
            largest = max(largest, float(np.abs(ask(ids, mask) - module(ids, mask).numpy()).max()))
    return largest


@pytest.fixture(scope="module")
def written(tiny_checkpoint, tmp_path_factory):
    """A network, the folder with its graph, and what runs it; read only."""
    folder, (network, _) = tmp_path_factory.mktemp("graph"), open_network(tiny_checkpoint("bert"))
    return network, folder, write(network, folder)


def test_a_graph_gives_the_logits_of_the_network(written):
    network, _, ask = written
    assert difference(network, ask) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pooled", "mean"])
def test_a_head_of_pretunes_own_is_in_the_graph(kind, tiny_checkpoint, tmp_path):
    """Seconds of tracing, as below. What reads the mean has no layer more than the network."""
    network, _ = open_network(tiny_checkpoint("bert"), head="mlp" if kind == "pooled" else "native")
    network.takes_mean = kind == "mean"
    ask = write(network, tmp_path)
    assert difference(network, ask) < 1e-5
    batch = Batch(ids=torch.randint(5, 40, (3, 9)), mask=torch.ones(3, 9, dtype=torch.int64))
    with torch.no_grad():
        np.testing.assert_allclose(ask(batch.ids, batch.mask), network(batch).numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "bert"])
def test_every_family_has_a_graph(family, tiny_checkpoint, tmp_path):
    """Over ten seconds in all: torch traces each."""
    network, _ = open_network(tiny_checkpoint(family))
    assert difference(network, write(network, tmp_path)) < 1e-4


def test_the_network_is_as_it_was_after_it_was_written(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("bert"))
    before, kind = (
        {name: value.clone() for name, value in network.state_dict().items()},
        network.model.config._attn_implementation,
    )
    card = ModelCard(classes=("a", "b"), positive="b", threshold=0.9)
    with whole(open_network(tiny_checkpoint("bert"), classes=card.classes)[0], card) as (_, shift):
        assert shift is not None
    with whole(network, CARD, plainly=True):
        assert network.model.config._attn_implementation == "eager"
    assert network.model.config._attn_implementation == kind
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("kind", [onnx_int8.STATIC, onnx_int8.DYNAMIC])
def test_a_static_form_answers_alike_whatever_shares_its_batch_and_a_dynamic_one_does_not(kind, written, tmp_path):
    draw = np.random.default_rng(0)
    batches = [(draw.integers(5, 40, (8, 16)), np.ones((8, 16), np.int64)) for _ in range(4)]
    onnx_int8.write(tmp_path / "model.onnx", written[1] / "model.onnx", kind, batches)
    ask, (ids, mask) = open_session(tmp_path / "model.onnx"), batches[0]
    alone = np.concatenate([ask(ids[row : row + 1], mask[row : row + 1]) for row in range(len(ids))])
    largest = float(np.abs(ask(ids, mask) - alone).max())
    assert largest < 1e-5 if kind == onnx_int8.STATIC else largest > 1e-5


def test_a_static_form_leaves_out_the_products_behind_activation_functions(written, tmp_path):
    onnx = pytest.importorskip("onnx", reason="exports need the extra onnx")
    batches = [(np.full((4, 8), 7), np.ones((4, 8), np.int64))]
    onnx_int8.write(tmp_path / "model.onnx", written[1] / "model.onnx", onnx_int8.STATIC, batches)
    nodes = onnx.load(tmp_path / "model.onnx", load_external_data=False).graph.node
    made_by = {name: node.op_type for node in nodes for name in node.output}
    products = [node for node in nodes if node.op_type in onnx_int8.PRODUCTS]
    behind = [node for node in products if made_by.get(node.input[0]) == "Gelu"]
    assert len(behind) == 3, "one a layer"
    assert all(made_by.get(node.input[1]) != "DequantizeLinear" for node in behind)
    assert sum(made_by.get(node.input[1]) == "DequantizeLinear" for node in products) >= 15
