"""A trained BERT or GPT-2: its layers run through our own core, beside the weights that the model itself reports.

Needs the extra [pretrained]; nothing of it is imported before load is called.
"""

import errno
import math
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import psutil
import torch
from torch import Tensor

from attention.config import AttentionConfig
from attention.embedding import look_up, one_hot_rows
from attention.measures import entropy, looks_at
from attention.model_files import (
    INDEX,
    KINDS,
    MEMORY_FACTOR,
    PARTS,
    SINGLE,
    TEXTS,
    Kind,
    Sizes,
    Unavailable,
    UnavailableError,
    built_from,
    check_files,
    check_memory,
    files_in,
    kind_of,
    read_object,
    sizes_of,
    weight_files,
)
from attention.trace import SentenceTrace, multi_head_attention, open_keys
from attention.weights import AttentionWeights

__all__ = [
    "MAX_TOKENS",
    "MEMORY_FACTOR",
    "HeadMeasure",
    "Pretrained",
    "Unavailable",
    "UnavailableError",
    "head_measures",
    "load",
]

MAX_TOKENS = 64  # of a longer sentence the first ones are kept, and the special tokens
REACH = 4  # how far the fixed offsets of head_measures go

_TOKENIZERS = re.compile(r"(Bert|DistilBert|Roberta|XLMRoberta|GPT2|PreTrained)Tokenizer(Fast)?|TokenizersBackend")
_ON_THE_HUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)?")
_KEPT = 8  # sentences
_QUIET = Lock()  # what transformers says and shows is switched for the whole process


class _Reading(NamedTuple):
    """One pass of a sentence through the model."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    positions: Tensor  # (seq_len, d_model)
    inputs: Tensor  # (num_layers, seq_len, d_model): what enters each layer's attention
    weights: Tensor  # (num_layers, num_heads, seq_len, seq_len)
    left_out: int  # tokens behind the last one that is kept


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A trained model. Layers are counted from 0; ValueError for one outside. Threads may share it.

    A sentence without a token (for GPT-2 the empty one) gives tensors without rows, as trace_sentence does.
    """

    name: str
    kind: str  # "bert", "roberta", "distilbert" or "gpt2"
    d_model: int
    num_heads: int
    num_layers: int
    causal: bool
    pre_norm: bool  # whether a norm stands between what enters a layer and its attention
    _model: Any = field(repr=False)
    _special: frozenset[int] = field(repr=False)
    _read: Callable[[str], _Reading] = field(repr=False)

    def tokenize(self, sentence: str) -> tuple[str, ...]:
        """The tokenizer's own tokens, special ones included, MAX_TOKENS at most.

        Of tokens made of bytes the text is given, with ▁ for a space; bytes that are no visible text alone, as a part
        of a Chinese character, are given in hexadecimal: ‹E6 88›.
        """
        return self._read(sentence).tokens

    def ids(self, sentence: str) -> tuple[int, ...]:
        """The tokens' numbers in the model's own vocabulary."""
        return self._read(sentence).ids

    def left_out(self, sentence: str) -> int:
        """How many of the tokenizer's own tokens there are beyond those that tokenize gives."""
        return self._read(sentence).left_out

    def special(self, sentence: str) -> tuple[bool, ...]:
        """Which tokens are special, such as [CLS] and [SEP]."""
        return tuple(i in self._special for i in self.ids(sentence))

    @property
    def size(self) -> int:
        """The bytes of the model's parameters, shared ones counted once."""
        return sum({part.data_ptr(): part.nbytes for part in self._model.parameters()}.values())

    def config(self, layer: int) -> AttentionConfig:
        """The layer's size and switches; all layers of a model are alike."""
        self._check(layer)
        return AttentionConfig(self.d_model, self.num_heads, causal=self.causal)

    def weights(self, layer: int) -> AttentionWeights:
        """The layer's learned numbers; they share their memory with the model."""
        self._check(layer)
        kind = KINDS[self.kind]
        block = self._model.get_submodule(kind.blocks)[layer]
        parts = [block.get_submodule(path) for path in kind.projections]
        if len(parts) == 2:  # GPT-2 keeps Q, K, V side by side, and like us for x @ w
            w_q, w_k, w_v = parts[0].weight.chunk(3, dim=1)  # (d_model, d_model) each
            b_q, b_k, b_v = parts[0].bias.chunk(3)  # (d_model,) each
            w_o, b_o = parts[1].weight, parts[1].bias
        else:
            w_q, w_k, w_v, w_o = (part.weight.T for part in parts)
            b_q, b_k, b_v, b_o = (part.bias for part in parts)
        return AttentionWeights(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, self.num_heads)

    def layer_input(self, sentence: str, layer: int) -> Tensor:
        """What enters the layer's attention, behind the norm where one stands before it: (seq_len, d_model)."""
        self._check(layer)
        return self._read(sentence).inputs[layer]  # (seq_len, d_model)

    def trace(
        self,
        sentence: str,
        layer: int,
        *,
        hidden_keys: Collection[int] = (),
        scaled: bool = True,
        causal: bool | None = None,
    ) -> SentenceTrace:
        """The walk through one layer's attention; causal is by default the model's own.

        The vocabulary is the sentence's different tokens, one entry for each number in the model's vocabulary, even
        where two look alike. X is not embeddings + positions: positions are the learned position vectors alone, and
        between them and X stand a token type vector and a norm (BERT, RoBERTa; a norm only: DistilBERT, GPT-2), and
        the layers below. ValueError for a hidden key outside.
        """
        config = replace(self.config(layer), scaled=scaled, causal=self.causal if causal is None else causal)
        reading, weights = self._read(sentence), self.weights(layer)
        words = sorted(set(zip(reading.tokens, reading.ids, strict=True)))
        row_of = {i: row for row, (_, i) in enumerate(words)}
        rows = torch.tensor([i for _, i in words], dtype=torch.long)  # (vocab_size,)
        table = self._model.get_input_embeddings().weight[rows]  # (vocab_size, d_model)
        ids = torch.tensor([row_of[i] for i in reading.ids], dtype=torch.long)  # (seq_len,)
        one_hot = one_hot_rows(ids, len(words), table.dtype)  # (seq_len, vocab_size)
        x, mask = reading.inputs[layer], open_keys(len(ids), hidden_keys)  # (seq_len, d_model), (1, seq_len) or None
        embeddings = look_up(one_hot, table)  # (seq_len, d_model)
        attention = multi_head_attention(x, weights, attn_mask=mask, is_causal=config.causal, scaled=scaled)
        vocab = tuple(token for token, _ in words)
        story = (sentence, config, weights, vocab, table, reading.tokens, ids, one_hot, embeddings, reading.positions)
        return SentenceTrace(*story, x, attention, positions_learned=True, x_given=True)

    def all_weights(self, sentence: str) -> Tensor:
        """The attention weights of every layer by our core: (num_layers, num_heads, seq_len, seq_len)."""
        layers = enumerate(self._read(sentence).inputs)
        found = [multi_head_attention(x, self.weights(i), is_causal=self.causal).attn_weights for i, x in layers]
        return torch.stack(found)  # (num_layers, num_heads, seq_len, seq_len)

    def model_weights(self, sentence: str) -> Tensor:
        """The attention weights of every layer as the model reports them: (num_layers, num_heads, seq_len, seq_len)."""
        return self._read(sentence).weights

    def difference(self, sentence: str, layer: int) -> float:
        """How far our attention weights are from the model's own at most; 0 where there are none."""
        ours = self.trace(sentence, layer).attention.attn_weights  # (num_heads, seq_len, seq_len)
        apart = (ours - self.model_weights(sentence)[layer]).abs()  # (num_heads, seq_len, seq_len)
        return float(apart.max()) if apart.numel() else 0.0

    def _check(self, layer: int) -> None:
        if not 0 <= layer < self.num_layers:
            raise ValueError(f"layer {layer} is outside {self.name}: {self.num_layers} in all, counted from 0")


def load(
    name: str,
    on_progress: Callable[[str, float], None] | None = None,
    *,
    memory: int | None = None,
    folders: bool = True,
) -> Pretrained:
    """Load a model by its name on the hub or from a folder, which comes first where both exist.

    Only safetensors weights are opened, never pickled ones, and no code that comes with a model is run.
    on_progress(stage, share) is called at "config", "weights" and "ready"; what it raises ends the loading and is
    passed on. memory: the bytes that the model may take, default what the machine has left. folders: whether a folder
    may be meant; if not, the file system is not asked about the name. Raises Unavailable.
    """
    report = on_progress or (lambda *_: None)
    report("config", 0.0)
    transformers = _library()
    is_local = folders and os.path.isdir(os.path.expanduser(name))
    if not is_local:
        _check_name(name, folders)
    folder = Path(name).expanduser() if is_local else Path(_download(name, ["config.json"]))
    found = read_object(folder / "config.json")
    kind = kind_of(found)
    config = _config(transformers, KINDS[kind], found)
    sizes = sizes_of(KINDS[kind], config)
    report("weights", 0.1)
    memory = psutil.virtual_memory().available if memory is None else memory
    check_memory(sizes.parameters() * torch.float32.itemsize, memory)
    if not is_local:
        folder = _fetch(name, folder.name, memory)
        report("weights", 0.7)
    check_files(files_in(folder))
    _check_weights(weight_files(folder), sizes, memory)
    model, tokenizer = _open(transformers, folder, config)
    read = partial(_read, model, tokenizer, KINDS[kind], Lock())
    _try_out(read)
    switches = KINDS[kind].causal, bool(KINDS[kind].norm)
    special = frozenset(tokenizer.all_special_ids)
    shape = sizes.d_model, sizes.heads, sizes.layers
    loaded = Pretrained(name, kind, *shape, *switches, model, special, lru_cache(_KEPT)(read))
    report("ready", 1.0)
    return loaded


def _library() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise Unavailable("extra", error) from error
    if int(transformers.__version__.split(".")[0]) < 5:
        raise Unavailable("extra", f"transformers {transformers.__version__} is too old: 5 is needed")
    return transformers


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither progress bars nor warnings from the libraries, whose switches are put back afterwards."""
    from huggingface_hub.utils import are_progress_bars_disabled, enable_progress_bars
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, hub_before = logging.get_verbosity(), hub_logging.get_verbosity()
        bars, hub_bars = logging.is_progress_bar_enabled(), not are_progress_bars_disabled()
        logging.set_verbosity(logging.CRITICAL)
        hub_logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(before)
            hub_logging.set_verbosity(hub_before)
            if bars:
                logging.enable_progress_bar()
            elif hub_bars:
                enable_progress_bars()


def _download(name: str, files: Sequence[str], revision: str | None = None, **options: Any) -> Any:
    """The folder of the hub's own cache with these files in it."""
    from huggingface_hub import errors, snapshot_download

    unknown = (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.DisabledRepoError)  # gated too
    try:
        with _quiet():
            return snapshot_download(name, allow_patterns=[*files], revision=revision, **options)
    except (*unknown, errors.HFValidationError) as error:
        raise Unavailable("name", error) from error
    except Exception as error:  # the hub's client and its transport have dozens of kinds, with no base of their own
        is_disk = getattr(error, "errno", None) in (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)
        raise Unavailable("files" if is_disk else "network", error) from error


def _check_name(name: str, folders: bool) -> None:
    """Raise Unavailable for what can be no name on the hub, in the same words whatever the file system holds."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        if _ON_THE_HUB.fullmatch(name):
            validate_repo_id(name)
            return
    except HFValidationError:
        pass
    here = "neither a folder nor a name such as owner/model"
    elsewhere = "no name such as owner/model, and a server that other machines can reach opens no folders"
    raise Unavailable("name", f"{name[:100]!r} is {here if folders else elsewhere}")


def _fetch(name: str, revision: str, memory: int) -> Path:
    """The folder with all of a model's files, which are not fetched where their sizes speak against it."""
    files = [*TEXTS, SINGLE, INDEX, PARTS]
    try:
        offered = {file.filename: file.file_size or 0 for file in _download(name, files, revision, dry_run=True)}
    except Unavailable:  # what is already here can be loaded without the hub, and is measured then
        offered = {}
    if offered:
        check_files(offered)
        weights = sum(size for file, size in offered.items() if file.endswith(".safetensors"))
        check_memory(weights * MEMORY_FACTOR, memory)
    return Path(_download(name, files, revision))


def _config(transformers: Any, kind: Kind, found: Mapping[str, Any]) -> Any:
    """The library's own configuration, with its names and defaults."""
    try:
        with _quiet():
            return getattr(transformers, f"{kind.classes}Config")(**built_from(found))
    except Exception as error:  # the library checks with errors of several kinds
        raise Unavailable("files", f"config.json holds a wrong value: {type(error).__name__}") from error


def _check_weights(files: Sequence[Path], sizes: Sizes, memory: int) -> None:
    """Compare what the files hold, by their headers, with what the configuration asks for and the memory there is."""
    from safetensors import safe_open

    check_memory(sum(path.stat().st_size for path in files) * MEMORY_FACTOR, memory)
    held = 0
    try:
        for path in files:
            with safe_open(path, framework="pt") as file:
                held += sum(math.prod(file.get_slice(name).get_shape()) for name in list(file.keys()))
    except Exception as error:  # its own error, and those of the disk
        raise Unavailable("files", error) from error
    if held < sizes.parameters():  # or the library would make numbers up, which takes their memory first
        asked = f"config.json asks for {sizes.parameters():,} numbers"
        raise Unavailable("files", f"weights are missing: {asked}, the files hold {held:,}")


def _open(transformers: Any, folder: Path, config: Any) -> tuple[Any, Any]:
    """The model and its tokenizer, from checked files."""
    _check_tokenizer(folder, config)
    options = {"local_files_only": True, "trust_remote_code": False, "config": config}
    of_model = {"use_safetensors": True, "attn_implementation": "eager", "dtype": torch.float32}
    try:
        with _quiet():
            make = getattr(transformers, f"{KINDS[config.model_type].classes}Model")
            model, found = make.from_pretrained(folder, output_loading_info=True, **of_model, **options)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    except Exception as error:  # broken files fail in as many ways as there are to break them
        raise _broken(error) from error
    missing = sorted(key for key in found["missing_keys"] if not key.startswith("pooler."))  # no layer needs it
    if missing:  # the library would put random numbers there
        raise Unavailable("files", f"{len(missing)} weights are missing, such as {missing[0]}")
    largest, rows = max(tokenizer.get_vocab().values(), default=-1), model.get_input_embeddings().num_embeddings
    if not 0 <= largest < rows:
        raise Unavailable("files", f"the tokenizer counts up to {largest}, but the model has {rows} word vectors")
    model.config.use_cache = False
    tokenizer.truncation_side = "right"
    return model.eval().requires_grad_(False), tokenizer


def _check_tokenizer(folder: Path, config: Any) -> None:
    """Raise Unavailable where the files choose another class of the library's than those of text alone."""
    path = folder / "tokenizer_config.json"
    told = read_object(path).get("tokenizer_class") if path.exists() else None
    for name in (told, getattr(config, "tokenizer_class", None)):
        if name is not None and not _TOKENIZERS.fullmatch(str(name)):
            raise Unavailable("architecture", f"the tokenizer {str(name)[:50]!r} is not supported")


def _broken(error: Exception) -> Unavailable:
    no_room = isinstance(error, MemoryError) or "allocate memory" in str(error)
    return Unavailable("memory" if no_room else "files", error)


def _try_out(read: Callable[[str], _Reading]) -> None:
    """Raise Unavailable for a model that fails only once it reads, or finds numbers that are none."""
    try:
        found = read("a " * MAX_TOKENS)
    except Exception as error:
        raise _broken(error) from error
    if not (found.inputs.isfinite().all() and found.weights.isfinite().all()):
        raise Unavailable("files", "the weights hold numbers that are not finite")


def _read(model: Any, tokenizer: Any, kind: Kind, lock: Lock, sentence: str) -> _Reading:
    """One pass; the lock is there because a tokenizer cannot truncate in two threads at once."""
    text = sentence.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # tokenizers take no lone surrogate
    vectors = model.get_submodule(kind.positions)
    first = 0 if vectors.padding_idx is None else vectors.padding_idx + 1  # RoBERTa counts from behind the padding
    with lock, torch.no_grad():
        limit = min(MAX_TOKENS, vectors.num_embeddings - first)
        ids: list[int] = tokenizer(text, verbose=False)["input_ids"]
        left_out = max(0, len(ids) - limit)
        if left_out:
            ids = tokenizer(text, truncation=True, max_length=limit, verbose=False)["input_ids"]
        if len(ids) > limit:
            raise ValueError(f"the tokenizer adds more special tokens than the {limit} tokens there is room for")
        row = torch.tensor([ids], dtype=torch.long)  # (1, seq_len)
        places = torch.arange(len(ids))  # (seq_len,)
        if first:  # a padding token may also be typed
            places = model.embeddings.create_position_ids_from_input_ids(row, first - 1)[0]  # (seq_len,)
        tokens, positions = _texts(tokenizer, ids), vectors(places)  # (seq_len, d_model)
        heads, layers, d_model = (
            getattr(model.config, name) for name in ("num_attention_heads", "num_hidden_layers", "hidden_size")
        )
        if not ids:
            return _Reading((), (), positions, torch.zeros(layers, 0, d_model), torch.zeros(layers, heads, 0, 0), 0)
        asked = {"output_attentions": True, "output_hidden_states": True, "return_dict": True}
        found = model(input_ids=row, attention_mask=torch.ones_like(row), **asked)
        inputs = [state[0] for state in found.hidden_states[:layers]]  # (seq_len, d_model) each
        if kind.norm:
            blocks = model.get_submodule(kind.blocks)
            inputs = [block.get_submodule(kind.norm)(x) for block, x in zip(blocks, inputs, strict=True)]
        return _Reading(tuple(ids), tokens, positions, torch.stack(inputs), torch.cat(found.attentions), left_out)


def _texts(tokenizer: Any, ids: Sequence[int]) -> tuple[str, ...]:
    """What a reader sees of each token, see Pretrained.tokenize."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    of_bytes = type(getattr(backend, "decoder", None)).__name__ == "ByteLevel"
    return tuple(_text(token, of_bytes) for token in tokenizer.convert_ids_to_tokens(list(ids)))


def _text(token: str, of_bytes: bool) -> str:
    """
    >>> _text("Ġstreet", of_bytes=True), _text("æĪ", of_bytes=True), _text("##ing", of_bytes=False)
    ('▁street', '‹E6 88›', '##ing')
    """
    try:
        raw = bytes(_BYTES[char] for char in token) if of_bytes else token.encode()
        text = raw.decode().replace(" ", "▁")
    except KeyError:  # a token added whole
        raw, text = token.encode(), token
    except UnicodeDecodeError:  # part of a character
        text = ""
    return text if text and text.isprintable() else f"‹{raw.hex(' ').upper()}›"


_THEMSELVES = [*range(33, 127), *range(161, 173), *range(174, 256)]  # bytes that GPT-2 writes as the same character
_OTHERS = sorted(set(range(256)).difference(_THEMSELVES))  # the others it writes as the characters from 256 on
_BYTES = {chr(i): i for i in _THEMSELVES} | {chr(256 + place): i for place, i in enumerate(_OTHERS)}


@dataclass(frozen=True)
class HeadMeasure:
    """What one head does in one sentence: shares of the queries whose largest weight is on that token.

    A token can be several of these at once, so the shares may add up to more than 1. offset and offset_share are the
    rule to beat: "always look at the token offset places on" agrees with the head for that share of the queries.
    A claim that a head follows something means little unless it beats this rule, which knows nothing of language.
    """

    on_previous: float
    on_itself: float
    on_first: float
    on_special: float
    entropy: float  # mean, in nats
    offset: int  # negative: a token before the query
    offset_share: float


def head_measures(weights: Tensor, special: Sequence[bool], reach: int = REACH) -> tuple[HeadMeasure, ...]:
    """Measure each head of a layer. weights: (num_heads, seq_len, seq_len); special: which tokens are.

    The rule's offset is the one of -reach to reach that agrees most often; of equal ones the nearest, and of these the
    one before. Every query counts, special ones too; where the rule points outside the sentence it does not agree. Of
    equal weights the first counts as largest. All NaN, and offset 0, where there is no token. ValueError where
    special and weights differ in length, and for a reach below 0.
    """
    seq_len = weights.shape[-1]
    if len(special) != seq_len or reach < 0:
        raise ValueError(f"there are {seq_len} keys and {len(special)} marks of special tokens, reach is {reach}")
    if not seq_len:
        nan = math.nan
        return (HeadMeasure(nan, nan, nan, nan, nan, 0, nan),) * len(weights)
    places, offsets = torch.arange(seq_len), sorted(range(-reach, reach + 1), key=lambda offset: (abs(offset), offset))
    rules = torch.stack([looks_at(weights, places + offset) for offset in offsets])  # (offsets, num_heads, seq_len)
    shares, best = rules.double().mean(dim=-1).max(dim=0)  # (num_heads,) each
    largest = weights.argmax(dim=-1)  # (num_heads, seq_len)
    on = [looks_at(weights, places - 1), largest == places, largest == 0, torch.tensor(special)[largest]]
    previous, itself, first, on_special = (each.double().mean(dim=-1).tolist() for each in on)  # (num_heads,) each
    spread, rule = entropy(weights).mean(dim=-1).tolist(), [offsets[i] for i in best.tolist()]  # (num_heads,)
    return tuple(map(HeadMeasure, previous, itself, first, on_special, spread, rule, shares.tolist()))
