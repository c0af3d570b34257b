"""The one place that touches xllamacpp: loading a model quietly and privately."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmspell_core.errors import ExtensionError, ProviderError
from llmspell_local.cores import threads_to_use

#: Longest path of a Unix socket that every system takes.
_MAX_SOCKET = 100
_BATCH = 512
_PROMPT_CACHE_MIB = 128
#: llama.cpp's threads spin while they wait for each other. On a busy machine that makes all of
#: them ten times slower, so the OpenMP runtime, which reads this once, is told to spin briefly.
_WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """`context` is in tokens for each of `parallel` requests; 0 threads: as many as help.

    `embeds`: the model is asked for vectors and not for answers; `mean`: one is the mean of
    those of its tokens, as with a model that was not made for it.
    """

    context: int = 4096
    parallel: int = 2
    threads: int = 0
    embeds: bool = False
    mean: bool = False


def load_model(path: Path, options: LoadOptions) -> Any:
    """An `xllamacpp.Server` that is ready to answer. Blocks for some tenths of a second.

    Raises:
        ProviderError: `provider.model_missing` when llama.cpp cannot load the file.
        ExtensionError: `provider.unavailable` when xllamacpp cannot be imported.
    """
    native = import_native()
    with _listener() as listening:
        params = _params(native, path, options, listening)
        try:
            server = native.Server(params)
        except (RuntimeError, ValueError) as error:
            raise ProviderError(
                f"llama.cpp cannot load {path}: {error}",
                code="provider.model_missing",
                hint="it may be cut off, of a kind this llama.cpp does not know, or larger than "
                "the free memory",
            ) from None
    # The constructor returns before the server's loop runs, and ending it then hangs for ever.
    # An answer to this question comes out of the loop.
    server.handle_metrics()
    return server


def import_native() -> Any:
    """The module, imported with its threads told not to spin."""
    with _importing:
        added = {key: value for key, value in _WAITING.items() if key not in os.environ}
        os.environ.update(added)
        try:
            import xllamacpp
        except ImportError as error:
            raise ExtensionError(
                f"the local model's engine cannot be imported: {error}",
                code="provider.unavailable",
                hint="pip install 'llmspell[local]'",
            ) from None
        finally:
            # Child processes get the environment that the user gave us.
            for key in added:
                os.environ.pop(key, None)
    return xllamacpp


def _params(native: Any, path: Path, options: LoadOptions, listening: dict[str, Any]) -> Any:
    params = native.CommonParams()
    params.model.path = str(path)
    params.n_ctx = options.context * options.parallel
    params.n_parallel = options.parallel
    # Between two batches of a prompt a request can be stopped.
    params.n_batch = _BATCH
    threads = options.threads or threads_to_use()
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.use_jinja = True
    params.warmup = params.fit_params = False
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.endpoint_metrics = True
    params.verbosity = -1
    params.ui = False
    params.n_threads_http = 1
    if options.embeds:
        params.embedding = True
        # A text must fit into one batch.
        params.n_batch = params.n_ubatch = options.context
        params.cache_ram_mib = 0
        if options.mean:
            params.pooling_type = native.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    for key, value in listening.items():
        setattr(params, key, value)
    return params


@contextmanager
def _listener() -> Iterator[dict[str, Any]]:
    """Where llama.cpp's HTTP server listens: it cannot be switched off, so nobody reaches it.

    A socket in a folder of ours, removed as soon as it is bound; where there are no Unix
    sockets, a free port of the loopback interface behind a key that nobody knows.
    """
    closed = {"api_keys": [secrets.token_hex(32)]}
    with tempfile.TemporaryDirectory(prefix="llmspell-") as folder:
        socket = str(Path(folder, "s.sock"))
        if sys.platform == "win32" or len(socket) > _MAX_SOCKET:
            yield {**closed, "hostnames": ["127.0.0.1"], "port": 0}
        else:
            yield {**closed, "hostnames": [socket]}


def grammar_of(schema: dict[str, Any]) -> str:
    """A schema as a grammar for `chat`'s body: compact JSON, fields in the schema's order.

    Raises:
        ProviderError: `provider.invalid_request` when llama.cpp cannot hold the schema.
    """
    # Some builds read this hint; without it a small model pads its JSON until it is cut off.
    compact = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    try:
        made = import_native().json_schema_to_grammar(json.dumps({"x-guidance": compact, **schema}))
    except (RuntimeError, ValueError) as error:
        raise ProviderError(
            f"the local model cannot be held to this schema: {error}",
            code="provider.invalid_request",
            hint="a simpler JSON schema",
        ) from None
    text: str = made.decode() if isinstance(made, bytes) else made
    # The other builds write their rule for white space on a line of its own.
    return re.sub(r"^space ::= .*$", 'space ::= ""', text, flags=re.MULTILINE)
