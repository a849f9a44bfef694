"""Tiny models in the shapes that the real libraries load: they know nothing, and are made in milliseconds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
Json = dict[str, Any]


def constant(name: str, value: Any, dtype: Any = np.int64) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, dtype=dtype), name)


def tensor(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any], **about: Any
):
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in about.items()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def piper_voice(folder: Path, *, speakers: int = 1, rate: int = 22_050, **about: Any) -> Path:
    """A Piper voice: each phoneme is 1,000 samples, times the length scale, of a rising value.

    Of several speakers each speaks that much slower than the one before.
    """
    nodes = [
        helper.make_node("Gather", ["scales", "one"], ["length"]),
        helper.make_node("Cast", ["input_lengths"], ["count"], to=FLOAT),
        helper.make_node("Mul", ["count", "length"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "each"], ["alone"]),
        helper.make_node("ReduceMax", ["size_f"], ["largest"], keepdims=0),
        helper.make_node("Range", ["zero", "largest", "step"], ["ramp"]),
        helper.make_node("Div", ["ramp", "largest"], ["unit"]),
        helper.make_node("Unsqueeze", ["unit", "axes"], ["output"]),
    ]
    inputs = [tensor("input", INT64, 1, "n"), tensor("input_lengths", INT64, 1), tensor("scales", FLOAT, 3)]
    if speakers > 1:
        inputs.append(tensor("sid", INT64, 1))
        nodes[4:4] = [
            helper.make_node("Add", ["sid", "one"], ["number"]),
            helper.make_node("Cast", ["number"], ["number_f"], to=FLOAT),
            helper.make_node("Mul", ["alone", "number_f"], ["size_f"]),
        ]
    else:
        nodes.insert(4, helper.make_node("Identity", ["alone"], ["size_f"]))
    path = folder / "voice.onnx"
    save(
        path,
        nodes,
        inputs,
        [tensor("output", FLOAT, 1, 1, "t")],
        [
            constant("one", [1]),
            constant("each", 1000.0, np.float32),
            constant("zero", 0.0, np.float32),
            constant("step", 1.0, np.float32),
            constant("axes", [0, 1]),
        ],
    )
    letters = "_^$ abcdefghijklmnopqrstuvwxyzɐəɪʊˈˌː,.?!"
    described = {
        "audio": {"sample_rate": rate},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "num_symbols": 256,
        "num_speakers": speakers,
        "phoneme_id_map": {letter: [at] for at, letter in enumerate(letters)},
        "phoneme_type": "espeak",
        **about,
    }
    Path(f"{path}.json").write_text(json.dumps(described))
    return path


def kokoro_voices(folder: Path, *names: str) -> Path:
    """A Kokoro model: each token is 1,200 samples of a wave, divided by the speed, at 24 kHz."""
    nodes = [
        helper.make_node("Shape", ["tokens"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["count"]),
        helper.make_node("Cast", ["count"], ["count_f"], to=FLOAT),
        helper.make_node("Mul", ["count_f", "each"], ["normal"]),
        helper.make_node("Div", ["normal", "speed"], ["size"]),
        helper.make_node("ReduceMax", ["size"], ["limit"], keepdims=0),
        helper.make_node("Range", ["zero", "limit", "step"], ["ramp"]),
        helper.make_node("ReduceMean", ["style"], ["pitch"], keepdims=0),
        helper.make_node("Mul", ["ramp", "pitch"], ["turned"]),
        helper.make_node("Sin", ["turned"], ["audio"]),
    ]
    save(
        folder / "kokoro-tiny.onnx",
        nodes,
        [tensor("tokens", INT64, 1, "n"), tensor("style", FLOAT, 1, 256), tensor("speed", FLOAT, 1)],
        [tensor("audio", FLOAT, "t")],
        [
            constant("one", [1]),
            constant("each", 1200.0, np.float32),
            constant("zero", 0.0, np.float32),
            constant("step", 1.0, np.float32),
        ],
    )
    voices = {
        name: np.full((510, 1, 256), 0.1 + 0.05 * at, dtype=np.float32) for at, name in enumerate(names)
    }
    with (folder / "voices-tiny.bin").open("wb") as file:
        np.savez(file, **voices)
    return folder


def whisper_model(folder: Path, *words: str) -> Path:
    """A whisper for CTranslate2, of one layer, with weights that hear `words`, whatever is said."""
    import ctranslate2
    from ctranslate2.specs import WhisperSpec
    from tokenizers import Tokenizer, models

    special = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    stamps = [f"<|{at * 0.02:.2f}|>" for at in range(1501)]
    vocabulary = [*words, "!", *map(str, range(40)), *special, *stamps]
    ids = {word: at for at, word in enumerate(vocabulary)}
    size, heads, layers = 64, 1, 1
    random = np.random.default_rng(7)
    spec = WhisperSpec(layers, heads, layers, heads)

    def weights(*shape: int) -> Any:
        return random.standard_normal(shape).astype(np.float32)

    def linear(layer: Any, out: int, into: int) -> None:
        layer.weight, layer.bias = np.zeros((out, into), np.float32), np.zeros(out, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(size, np.float32), np.zeros(size, np.float32)

    def attention(layer: Any, *, across: bool = False) -> None:
        norm(layer.layer_norm)
        for at, part in enumerate(layer.linear):
            fused = {True: (size, 2 * size, size), False: (3 * size, size)}[across]
            linear(part, fused[at], size)

    def block(layer: Any) -> None:
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, 2 * size, size)
        linear(layer.ffn.linear_1, size, 2 * size)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights(size, 80, 3), np.zeros(size, np.float32)
    encoder.conv2.weight, encoder.conv2.bias = weights(size, size, 3), np.zeros(size, np.float32)
    encoder.position_encodings.encodings = weights(1500, size)
    norm(encoder.layer_norm)
    decoder.embeddings.weight = weights(len(vocabulary), size)
    places = [ids["!"], *map(ids.__getitem__, words), *[ids["<|endoftext|>"]] * 448][:448]
    decoder.position_encodings.encodings = 50 * decoder.embeddings.weight[places]
    norm(decoder.layer_norm)
    decoder.projection.weight = decoder.embeddings.weight
    for layer in encoder.layer:
        attention(layer.self_attention)
        block(layer)
    for layer in decoder.layer:
        attention(layer.self_attention)
        attention(layer.attention, across=True)
        block(layer)
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.alignment_heads, spec.config.lang_ids = [[0, 0]], []
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="!"))
    tokenizer.add_special_tokens([*special, *stamps])
    tokenizer.save(str(folder / "tokenizer.json"))
    assert ctranslate2.contains_model(str(folder))
    return folder


def nemo_ctc_model(folder: Path, words: list[str], *, each: int = 4, **about: Any) -> Path:
    """A streaming CTC model: `words` one after the other, one in `each` chunks, whatever is said."""
    vocabulary = len(words) + 1
    nodes = [
        # The next word is that of the chunk's number; in the other chunks, a blank.
        helper.make_node("Add", ["cache_last_channel_len", "one"], ["cache_len_next"]),
        helper.make_node("Mod", ["cache_last_channel_len", "each"], ["rest"]),
        helper.make_node("Div", ["cache_last_channel_len", "each"], ["number"]),
        helper.make_node("Equal", ["rest", "zero"], ["first"]),
        helper.make_node("Less", ["number", "words"], ["known"]),
        helper.make_node("And", ["first", "known"], ["now"]),
        helper.make_node("Where", ["now", "number", "words"], ["token"]),
        helper.make_node("OneHot", ["token", "depth", "values"], ["row"]),
        helper.make_node("Unsqueeze", ["row", "axes"], ["logprobs"]),
        helper.make_node("Div", ["length", "subsampling"], ["encoded"]),
        helper.make_node("Identity", ["cache_last_channel"], ["channel_next"]),
        helper.make_node("Identity", ["cache_last_time"], ["time_next"]),
    ]
    inputs = [
        tensor("audio_signal", FLOAT, 1, 80, "t"),
        tensor("length", INT64, 1),
        tensor("cache_last_channel", FLOAT, 1, 1, 1, 1),
        tensor("cache_last_time", FLOAT, 1, 1, 1, 1),
        tensor("cache_last_channel_len", INT64, 1),
    ]
    outputs = [
        tensor("logprobs", FLOAT, 1, 1, vocabulary),
        tensor("encoded", INT64, 1),
        tensor("channel_next", FLOAT, 1, 1, 1, 1),
        tensor("time_next", FLOAT, 1, 1, 1, 1),
        tensor("cache_len_next", INT64, 1),
    ]
    constants = [
        constant("one", [1]),
        constant("zero", [0]),
        constant("each", [each]),
        constant("words", [len(words)]),
        constant("depth", [vocabulary]),
        constant("values", [-10.0, 0.0], np.float32),
        constant("axes", [0]),
        constant("subsampling", [8]),
    ]
    described = {
        "window_size": 16, "chunk_shift": 16, "subsampling_factor": 8, "vocab_size": len(words),
        "cache_last_channel_dim1": 1, "cache_last_channel_dim2": 1, "cache_last_channel_dim3": 1,
        "cache_last_time_dim1": 1, "cache_last_time_dim2": 1, "cache_last_time_dim3": 1,
        "model_type": "EncDecCTCModelBPE", **about,
    }  # fmt: skip
    save(folder / "model.onnx", nodes, inputs, outputs, constants, **described)
    tokens_file(folder, [f"▁{word}" for word in words] + ["<blk>"])
    return folder


def lstm_transducer(folder: Path, word: str) -> Path:
    """A streaming transducer in three files, that hears `word` once and then nothing."""
    encoder = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2], keepdims=1),
        helper.make_node("Mul", ["mean", "nothing"], ["encoder_out"]),
        helper.make_node("Identity", ["h"], ["next_h"]),
        helper.make_node("Identity", ["c"], ["next_c"]),
    ]
    states = [tensor("h", FLOAT, 1, "N", 1), tensor("c", FLOAT, 1, "N", 1)]
    save(
        folder / "encoder.onnx",
        encoder,
        [tensor("x", FLOAT, "N", 9, 80), *states],
        [
            tensor("encoder_out", FLOAT, "N", 1, 1),
            tensor("next_h", FLOAT, 1, "N", 1),
            tensor("next_c", FLOAT, 1, "N", 1),
        ],
        [constant("nothing", 0.0, np.float32)],
        model_type="lstm", num_encoder_layers=1, T=9, decode_chunk_len=4, rnn_hidden_size=1, d_model=1,
    )  # fmt: skip
    save(
        folder / "decoder.onnx",
        [
            helper.make_node("ReduceMax", ["y"], ["largest"], axes=[1], keepdims=1),
            helper.make_node("Cast", ["largest"], ["decoder_out"], to=FLOAT),
        ],
        [tensor("y", INT64, "N", 2)],
        [tensor("decoder_out", FLOAT, "N", 1)],
        [],
        vocab_size=3, context_size=2,
    )  # fmt: skip
    save(
        folder / "joiner.onnx",
        [
            # Nothing said yet: the word (1); afterwards the blank (0).
            helper.make_node("Less", ["decoder_out", "half"], ["fresh"]),
            helper.make_node("Where", ["fresh", "the_word", "the_blank"], ["logits"]),
            helper.make_node("Add", ["logits", "encoder_out"], ["logit"]),
        ],
        [tensor("encoder_out", FLOAT, "N", 1), tensor("decoder_out", FLOAT, "N", 1)],
        [tensor("logit", FLOAT, "N", 3)],
        [
            constant("half", 0.5, np.float32),
            constant("the_word", [[-10.0, 0.0, -10.0]], np.float32),
            constant("the_blank", [[0.0, -10.0, -10.0]], np.float32),
        ],
        joiner_dim=1,
    )
    tokens_file(folder, ["<blk>", f"▁{word}", "<unk>"])
    return folder


def tokens_file(folder: Path, tokens: list[str]) -> None:
    lines = [f"{token} {at}" for at, token in enumerate(tokens)]
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
