"""Tiny GGUF files: a Llama with random weights and a small vocabulary, as llama.cpp's converter would write it."""

import json

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

WIDTH, HEADS, LAYERS, INNER, CONTEXT = 32, 2, 2, 64, 64
TEXT = "Steps:\n\n 1. mix 2500 g\n  2. don't wait,  OK?\n"


def learn_merges(stop):
    """Return tokens and merges of a byte-level vocabulary that merges digits and blanks wherever it may."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[stop], show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator([TEXT, "1 of 10\n\n 2 and 10 more, 2024 of 2025"] * 20, trainer)
    vocab = tokenizer.get_vocab()
    merges = [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    return sorted(vocab, key=vocab.__getitem__), merges


def write_gguf(file, splitting, *, architecture="llama", kind="gpt2", stop="<|endoftext|>"):
    """Write one; return its path."""
    import gguf

    tokens, merges = learn_merges(stop)
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model(kind)
    if splitting:
        writer.add_tokenizer_pre(splitting)
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_token_types([3, *[1] * (len(tokens) - 1)])
    for role in ("bos", "eos", "pad"):
        getattr(writer, f"add_{role}_token_id")(0)
    generator = torch.Generator().manual_seed(0)
    shapes = {"token_embd": (len(tokens), WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        own = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH)}
        own |= {"ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
        own |= {"attn_norm": (WIDTH,), "ffn_norm": (WIDTH,)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in own.items()}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", torch.randn(shape, generator=generator).mul_(0.1).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
