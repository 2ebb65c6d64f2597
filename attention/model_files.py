"""What can be said of a trained model's files before a library opens them, and why a model cannot be had.

The files may come from a stranger: nothing here is opened that is no regular file, or longer than it can need to be.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

MEMORY_FACTOR = 2  # memory needed over the size of the files: they may hold numbers of half the length
MOST_HEADS = 4096  # of all layers: ours and the model's weights of a sentence are kept for each; GPT-2 XL has 1200
LARGEST_SIZE = 10**8  # of any one number in config.json
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PARTS = "model-*.safetensors"
_VOCABULARIES = ({"tokenizer.json"}, {"vocab.txt"}, {"vocab.json", "merges.txt"})  # one of these sets must be there
TEXTS = sorted(
    {"config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}.union(*_VOCABULARIES)
)
_TEMPLATES = "additional_chat_templates"  # the one folder inside that the library looks into

Reason = Literal["extra", "name", "network", "files", "architecture", "memory"]


class UnavailableError(Exception):
    """Why a model cannot be had: reason for the program, detail for a reader who knows the field.

    "extra": transformers is not installed. "name": no such folder, and no such model on the hub. "network": the hub
    does not answer, and no copy is here. "files": no safetensors weights, or files that are broken or missing, or
    longer than such files are. "architecture": a kind of model that the core cannot follow. "memory": too big for
    this machine.
    """

    def __init__(self, reason: Reason, detail: str | Exception) -> None:
        if isinstance(detail, Exception):
            detail = f"{type(detail).__name__}: {next(iter(str(detail).strip().splitlines()), '')}"
        self.reason, self.detail = reason, detail[:300]
        super().__init__(f"{reason}: {self.detail}")


Unavailable = UnavailableError  # how callers read best


class Kind(NamedTuple):
    """Where a kind of model keeps its parts."""

    classes: str  # how the names of its classes begin
    blocks: str
    projections: tuple[str, ...]  # Q, K, V and output in a block; or Q, K, V as one, and output
    positions: str
    norm: str = ""  # the norm that stands before attention in a block, if one does
    causal: bool = False
    inner: str = "intermediate_size"  # what config.json calls the width of the feed-forward
    types: str = ""  # and the number of token types, if there are any


_BERT = tuple(f"attention.{name}" for name in ("self.query", "self.key", "self.value", "output.dense"))
_DISTILBERT = tuple(f"attention.{name}" for name in ("q_lin", "k_lin", "v_lin", "out_lin"))
_IN_EMBEDDINGS = "embeddings.position_embeddings"
KINDS = {
    "bert": Kind("Bert", "encoder.layer", _BERT, _IN_EMBEDDINGS, types="type_vocab_size"),
    "roberta": Kind("Roberta", "encoder.layer", _BERT, _IN_EMBEDDINGS, types="type_vocab_size"),
    "distilbert": Kind("DistilBert", "transformer.layer", _DISTILBERT, _IN_EMBEDDINGS, inner="hidden_dim"),
    "gpt2": Kind("GPT2", "h", ("attn.c_attn", "attn.c_proj"), "wpe", norm="ln_1", causal=True, inner="n_inner"),
}
_PLAIN: Mapping[str, object] = {  # what else changes attention, and the only value that the core can follow
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "is_encoder_decoder": False,
    "add_cross_attention": False,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "pruned_heads": {},
    "quantization_config": None,
}
# What a model is built from. The rest of config.json is not passed on: a number of labels alone can fill the memory.
_BUILT_FROM = {
    *("vocab_size", "pad_token_id", "tokenizer_class", "reorder_and_upcast_attn", "sinusoidal_pos_embds"),
    *("hidden_size", "dim", "n_embd", "num_hidden_layers", "n_layers", "n_layer"),
    *("num_attention_heads", "n_heads", "n_head", "intermediate_size", "hidden_dim", "n_inner"),
    *("max_position_embeddings", "n_positions", "type_vocab_size"),
    *("hidden_act", "activation", "activation_function", "layer_norm_eps", "layer_norm_epsilon"),
}


class Sizes(NamedTuple):
    """How large a model is built."""

    vocabulary: int
    positions: int
    types: int
    d_model: int
    heads: int
    layers: int
    inner: int  # the width of the feed-forward

    def parameters(self) -> int:
        """How many numbers the layers and what comes before them are made of.

        >>> Sizes(30522, 512, 2, 768, 12, 12, 3072).parameters()  # BERT's 109482240 without its pooler
        108891648
        """
        d = self.d_model
        attention, norms = 4 * d * (d + 1), 4 * d
        feed_forward = 2 * d * self.inner + self.inner + d
        embeddings = (self.vocabulary + self.positions + self.types) * d + 2 * d
        return embeddings + self.layers * (attention + norms + feed_forward)


def files_in(folder: Path) -> dict[str, int]:
    """The bytes of each file in a folder, by its path there.

    Unavailable where a pipe or a device stands among them: opening it may hang.

    Links are followed, as the hub's own cache is made of them.
    """
    found = {}
    try:
        inside = [*folder.iterdir()]
        if (folder / _TEMPLATES).is_dir():
            inside += (folder / _TEMPLATES).iterdir()
        for path in inside:
            if not path.exists() or path.is_dir():  # a link to nothing is as good as nothing
                continue
            state = path.stat()
            if not stat.S_ISREG(state.st_mode):
                raise Unavailable("files", f"{path.name[:50]!r} is no regular file")
            found[path.relative_to(folder).as_posix()] = state.st_size
    except OSError as error:
        raise Unavailable("files", f"the folder cannot be read: {type(error).__name__}") from error
    return found


def check_files(sizes: Mapping[str, int]) -> None:
    """Raise Unavailable where files are missing or too long, or say that the core cannot follow the model."""
    if "adapter_config.json" in sizes:
        raise Unavailable("architecture", "adapters are not supported")
    if not any(names <= sizes.keys() for names in _VOCABULARIES):
        raise Unavailable("files", "there is no tokenizer.json, vocab.txt, or vocab.json with merges.txt")
    if not {SINGLE, INDEX} & sizes.keys():
        raise Unavailable("files", f"there is no {SINGLE}; pickled weights are never opened")
    for name, size in sizes.items():
        if size > (bound := _longest(name)):
            raise Unavailable("files", f"{name[:50]!r} is longer than {bound / 10**6:,.0f} MB")


def _longest(name: str) -> float:
    """How many bytes of a file are sane; no bound where no library reads the file, or not as a whole."""
    if name == "config.json":
        return 10**6
    if name.startswith("tokenizer"):
        return 5 * 10**7
    return 10**7 if name in {*TEXTS, INDEX} or name.endswith(".jinja") else float("inf")


def read_object(path: Path) -> dict[str, Any]:
    """A short JSON file that holds an object."""
    try:
        if not path.is_file() or path.stat().st_size > _longest(path.name):
            raise Unavailable("files", f"{path.name} is missing, no regular file, or too long")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Unavailable("files", f"{path.name} cannot be read: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unavailable("files", f"{path.name} holds no object")
    return found


def kind_of(config: Mapping[str, Any]) -> str:
    """The kind of model that config.json tells of, once nothing in it speaks against it."""
    kind = str(config.get("model_type"))
    if kind not in KINDS:
        raise Unavailable("architecture", f"model_type is {kind[:50]!r}; supported are {', '.join(KINDS)}")
    settings = {key: config.get(key) for key in _PLAIN}
    other = [f"{key}={value!r}" for key, value in settings.items() if value is not None and value != _PLAIN[key]]
    if other:
        raise Unavailable("architecture", f"attention with {', '.join(other)} is not supported")
    if "transformers_weights" in config:  # the library would open that file, not those checked here
        raise Unavailable("files", "config.json names a file of weights of its own")
    return kind


def built_from(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of config.json that a model is built from."""
    return {key: config[key] for key in _BUILT_FROM & config.keys()}


def sizes_of(kind: Kind, config: Any) -> Sizes:
    """The sizes in the library's configuration, which knows the other names of each and its default."""
    names = ("hidden_size", "num_attention_heads", "num_hidden_layers")
    d_model, heads, layers = (_size(config, name) for name in names)
    inner = 4 * d_model if getattr(config, kind.inner) is None else _size(config, kind.inner)
    types = _size(config, kind.types) if kind.types else 0
    vocabulary, positions = _size(config, "vocab_size"), _size(config, "max_position_embeddings")
    if layers * heads > MOST_HEADS:
        raise Unavailable("architecture", f"{layers} layers of {heads} heads are more than {MOST_HEADS} in all")
    padding = config.pad_token_id
    if padding is not None and (type(padding) is not int or not 0 <= padding < vocabulary):
        raise Unavailable("files", f"pad_token_id is {str(padding)[:50]}")
    return Sizes(vocabulary, positions, types, d_model, heads, layers, inner)


def _size(config: Any, name: str) -> int:
    size = getattr(config, name)
    if type(size) is not int or not 0 < size <= LARGEST_SIZE:  # True is an int of another type
        raise Unavailable("files", f"{name} is {str(size)[:50]}")
    return size


def weight_files(folder: Path) -> list[Path]:
    """The files of weights that the library will open: safetensors in the folder itself, all of them there."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    parts = read_object(folder / INDEX).get("weight_map")
    names = sorted(set(map(str, parts.values()))) if isinstance(parts, dict) else []
    wrong = [part for part in names if not _is_part(folder, part)]
    if wrong or not names:
        raise Unavailable("files", f"{INDEX} names no safetensors file that is there: {', '.join(wrong[:3])}")
    return [folder / part for part in names]


def _is_part(folder: Path, name: str) -> bool:
    return name.endswith(".safetensors") and os.path.basename(name) == name and (folder / name).is_file()


def check_memory(needed: int, memory: int) -> None:
    """Raise Unavailable where a model needs more bytes than there are."""
    if needed > memory:
        texts = (f"{number / 2**20:,.0f} MiB" for number in (needed, memory))
        raise Unavailable("memory", "the model needs about {} of memory, and there are {}".format(*texts))
