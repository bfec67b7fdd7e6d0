"""Language models: does pretune's own walk give what transformers gives, alone and packed, and is the loss exact?"""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from pretune.errors import UsageError
from pretune.models import LanguageNetwork, Windows
from pretune.models.architectures import SIZES, inner_size, new_language_model
from pretune.models.families import FAMILIES
from pretune.models.families.bert import positions_in
from pretune.models.forward.target_loss import BLOCK, CHUNK, target_loss


class Tokens(SimpleNamespace):
    def __len__(self):
        return 100


TOKENIZER = Tokens(pad_token_id=0, cls_token_id=2, sep_token_id=3, eos_token_id=3, bos_token_id=2)
NEAR = {"layer_types": ["full_attention", "sliding_attention"], "local_attention": 6}  # windows below are longer
FIELDS = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def models():
    torch.manual_seed(0)
    small = {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    return {
        "modernbert": new_language_model("masked", "tiny", TOKENIZER, FIELDS),
        "llama": new_language_model("causal", "tiny", TOKENIZER, FIELDS),
        "llama, grouped": LlamaForCausalLM(LlamaConfig(**small, num_key_value_heads=2, tie_word_embeddings=True)),
        "bert": BertForMaskedLM(BertConfig(**small)),
        "modernbert, near layers": new_language_model("masked", "tiny", TOKENIZER, FIELDS | NEAR),
    }


def test_every_family_for_words_is_among_these_models():
    assert {model.config.model_type for model in models().values()} == {family.name for family in FAMILIES if family.words}


@pytest.mark.parametrize("name", list(models()))
@pytest.mark.parametrize("with_gradient", [True, False])
def test_logits_are_those_of_transformers(name, with_gradient):
    model = models()[name].eval()
    network, ids = LanguageNetwork(model).eval(), torch.randint(5, 100, (3, 12))
    with torch.set_grad_enabled(with_gradient):
        layers = list(network.guesses(Windows(ids=ids, targets=torch.arange(36))))
        expected = model(input_ids=ids).logits.flatten(0, 1)
    assert len(layers) == 3
    torch.testing.assert_close(layers[-1], expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("name", list(models()))
def test_documents_that_share_a_window_do_not_see_each_other(name):
    model = models()[name].eval()
    network, ids = LanguageNetwork(model).eval(), torch.randint(5, 100, (2, 12))
    documents = torch.tensor([[4] * 5 + [5] * 7, [9] * 12])
    windows = Windows(ids=ids, targets=torch.arange(24), documents=documents)
    with torch.no_grad():
        packed = list(network.guesses(windows))[-1].view(2, 12, -1)
        torch.testing.assert_close(packed[0, :5], model(input_ids=ids[:1, :5]).logits[0], atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(packed[0, 5:], model(input_ids=ids[:1, 5:]).logits[0], atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(packed[1], model(input_ids=ids[1:]).logits[0], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("with_gradient", [True, False])
@pytest.mark.parametrize("name", [name for name in models() if "llama" not in name])
def test_a_model_that_looks_both_ways_can_be_told_to_look_back_only(name, with_gradient):
    network, ids = LanguageNetwork(models()[name]).eval(), torch.randint(5, 100, (1, 12))
    changed = ids.clone()
    changed[0, 8:] = 7
    with torch.set_grad_enabled(with_gradient):
        one, other = (
            list(network.guesses(Windows(ids=each, targets=torch.arange(12), looks_back=True)))[-1] for each in (ids, changed)
        )
    torch.testing.assert_close(one[:8], other[:8], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(one[8:], other[8:])


def test_dropout_of_pre_training_is_everywhere_that_the_architecture_has_one():
    """ModernBERT without dropout has none to be set: they are put back, and attention keeps its own as a number."""
    network = LanguageNetwork(models()["modernbert"]).train()
    network.set_dropout(0.5)
    windows = Windows(ids=torch.randint(5, 100, (1, 12)), targets=torch.arange(12))
    first, second = (list(network.guesses(windows))[-1] for _ in range(2))
    assert not torch.equal(first, second)
    assert all(layer.attn.attention_dropout == 0.5 for layer in network.layers)


@pytest.mark.parametrize("name", list(models()))
def test_loss_and_gradients_are_those_of_the_whole_array(name):
    model = models()[name].eval()
    network, ids = LanguageNetwork(model).eval(), torch.randint(5, 100, (2, 10))
    targets = torch.tensor([1, 4, 11, 19])
    loss, num_right = network.loss(Windows(ids=ids, targets=targets), ids.flatten()[targets])
    logits = model(input_ids=ids).logits.flatten(0, 1)[targets]
    expected = cross_entropy(logits, ids.flatten()[targets], reduction="sum")
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-5)
    assert int(num_right) == int((logits.argmax(dim=1) == ids.flatten()[targets]).sum())
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    own = torch.autograd.grad(loss, weights, allow_unused=True)
    whole = torch.autograd.grad(expected, weights, allow_unused=True)
    for found, wanted in zip(own, whole, strict=True):
        if wanted is not None:
            torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("number", [1, CHUNK["cpu"], CHUNK["cpu"] + 1, BLOCK + 7, 2 * BLOCK])
def test_the_loss_of_any_number_of_targets_is_exact(number):
    torch.manual_seed(0)
    states, weight = torch.randn(number, 8, requires_grad=True), torch.randn(20, 8, requires_grad=True)
    bias, labels = torch.randn(20, requires_grad=True), torch.randint(0, 20, (number,))
    loss, _ = target_loss(states, weight, bias, labels)
    found = torch.autograd.grad(3 * loss, (states, weight, bias))
    expected = cross_entropy(states @ weight.T + bias, labels, reduction="sum")
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-3)
    for own, wanted in zip(found, torch.autograd.grad(3 * expected, (states, weight, bias)), strict=True):
        torch.testing.assert_close(own, wanted, rtol=1e-4, atol=1e-3)


def test_no_targets_are_no_loss():
    loss, num_right = target_loss(torch.zeros(0, 4), torch.zeros(5, 4), None, torch.zeros(0, dtype=torch.int64))
    assert (float(loss), int(num_right)) == (0.0, 0)


def test_positions_start_anew_with_each_document():
    documents = torch.tensor([[0, 0, 1, 1, 1, 2], [3, 3, 3, 3, 3, 3]])
    assert positions_in(documents).tolist() == [[0, 1, 0, 1, 2, 0], [0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("objective", ["masked", "causal"])
@pytest.mark.parametrize("size", ["tiny", "small"])
def test_a_size_follows_from_one_dial(objective, size):
    config = new_language_model(objective, size, TOKENIZER).config
    dial = SIZES[size]
    assert (config.hidden_size, config.num_hidden_layers) == (dial.width, dial.num_layers)
    assert config.num_attention_heads * 64 == dial.width
    assert config.intermediate_size == inner_size(dial.width)
    assert config.vocab_size == 128  # 100, by 64


def test_any_field_can_be_set():
    config = new_language_model("masked", "tiny", TOKENIZER, {"num_hidden_layers": 5, "hidden_size": 128}).config
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (5, 128, 2)
    assert config.layer_types == ["full_attention"] * 5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"num_hiden_layers": 5}, "did you mean 'num_hidden_layers'"), ({"vocab_size": 5}, "no field 'vocab_size'"),
        ({"hidden_size": 100, "num_attention_heads": 3}, "cannot be built"), ({"num_hidden_layers": "many"}, "cannot be built"),
        ({"hidden_size": 30, "num_attention_heads": 2}, "pairs of features"),
    ],
)  # fmt: skip
def test_fields_that_do_not_fit_are_told(fields, said):
    with pytest.raises(UsageError, match=said):
        new_language_model("masked", "tiny", TOKENIZER, fields)


def test_other_families_are_refused():
    with pytest.raises(UsageError, match=r"cannot pre-train 'gpt2'(.|\n)*one of bert, llama, modernbert"):
        LanguageNetwork(GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20)))


def test_the_output_starts_with_the_shares_of_words():
    network = LanguageNetwork(new_language_model("masked", "tiny", TOKENIZER, FIELDS))
    counts = torch.zeros(128, dtype=torch.int64)
    counts[10], counts[20] = 300, 100
    network.start_output_bias(counts)
    shares = network.output.bias.detach().softmax(dim=0)
    assert shares[10] == pytest.approx(300.5 / 464, rel=1e-3)
    assert shares[20] == pytest.approx(100.5 / 464, rel=1e-3)
