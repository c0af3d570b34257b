"""llmspell's requests as bodies of llama.cpp's chat completions, and its chunks as answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llmspell_core.errors import ProviderError
from llmspell_core.messages import Usage
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_local.choices import Choice, Form, choose
from llmspell_local.decode import AnswerDecoder
from llmspell_local.engine import EngineError
from llmspell_local.native import grammar_of
from llmspell_local.prompts import chat_messages
from llmspell_local.quote import quoting_grammar

_TEMPERATURE = 0.2
#: Of a small model; a larger one may write until the context is full.
_MAX_TOKENS = 256
_SEED = 7
#: Codes from here on are failures of llama.cpp itself, those below of the request.
_SERVER = 500


def prepare(request: ModelRequest, *, small: bool) -> tuple[dict[str, Any], Choice]:
    """The body for the engine, and what the model may write."""
    choice = choose(request, small=small)
    body: dict[str, Any] = {
        "messages": chat_messages(request.messages, choice, small=small),
        "temperature": _temperature(request, choice, small=small),
        "seed": _SEED,
        "stream": True,
        "stream_options": {"include_usage": True},
        # Chunks while the prompt is read: the chance to stop.
        "return_progress": True,
        **request.settings,
    }
    if request.max_tokens or small:
        body["max_tokens"] = request.max_tokens or _MAX_TOKENS
    if request.stop:
        body["stop"] = request.stop
    grammar = _grammar(request, choice, small=small)
    if grammar:
        body["grammar"] = grammar
    return body, choice


def _temperature(request: ModelRequest, choice: Choice, *, small: bool) -> float:
    if request.temperature is not None:
        return request.temperature
    after_tool = bool(request.messages) and request.messages[-1].role == "tool"
    # Copying words of the question, or a result, leaves nothing to chance.
    return 0.0 if small and (after_tool or choice.form is not Form.TEXT) else _TEMPERATURE


def _grammar(request: ModelRequest, choice: Choice, *, small: bool) -> str | None:
    if choice.schema is not None:
        return grammar_of(choice.schema)
    if small and request.messages and request.messages[-1].role == "tool":
        return quoting_grammar(request.messages)
    return None


@dataclass(slots=True)
class AnswerInParts:
    """Collects the chunks of one completion."""

    model: str
    choice: Choice
    _pieces: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _decoder: AnswerDecoder = field(default_factory=AnswerDecoder)
    _held: str = ""
    _begun: bool = False
    _reason: str = "stop"
    _usage: Usage = field(default_factory=Usage)

    def add(self, chunk: dict[str, Any]) -> tuple[str, str]:
        """(text, reasoning) that this chunk adds to what a reader sees."""
        if chunk.get("usage"):
            self._usage = _usage(chunk["usage"])
        shown, reasoning = "", ""
        for option in chunk.get("choices", []):
            self._reason = option.get("finish_reason") or self._reason
            delta = option.get("delta", {})
            reasoning += delta.get("reasoning_content") or ""
            shown += self._show(delta.get("content") or "")
        self._reasoning.append(reasoning)
        return shown, reasoning

    def response(self) -> ModelResponse:
        """The whole answer, when the last chunk is there."""
        text, calls = self.choice.read("".join(self._pieces))
        if self.choice.form is Form.CHOICE and not text and not calls:
            # Cut off within the answer: what was shown is the answer.
            decoder = AnswerDecoder()
            text = "".join(decoder.feed(piece) for piece in self._pieces)
        cut_off = self._reason == "length"
        return ModelResponse(
            text=text,
            tool_calls=calls,
            finish_reason="length" if cut_off else "tool_calls" if calls else "stop",
            usage=self._usage,
            model=self.model,
            reasoning="".join(self._reasoning),
        )

    def _show(self, piece: str) -> str:
        if not piece:
            return ""
        self._pieces.append(piece)
        if self.choice.form is Form.TEXT:
            return self._trimmed(piece)
        if self.choice.form is Form.JSON:
            return piece
        return self._decoder.feed(piece) if self.choice.answer_schema is None else ""

    def _trimmed(self, piece: str) -> str:
        """The piece without white space at the answer's ends: some may turn out to be inside."""
        text = self._held + piece
        shown = text.rstrip()
        self._held = text[len(shown) :]
        if not self._begun:
            shown = shown.lstrip()
            self._begun = bool(shown)
        return shown


def provider_error(error: EngineError, model: str) -> ProviderError:
    """llama.cpp's refusal in our words."""
    data = error.data
    if data.get("type") == "exceed_context_size_error" or "context size" in str(error):
        needed, most = data.get("n_prompt_tokens", 0), data.get("n_ctx", 0)
        return ProviderError(
            f"the messages take {needed} tokens, the local model {model} has {most}"
            if needed
            else f"the local model {model} has no room left: {error}",
            code="provider.context_length",
            hint="fewer or shorter messages, fewer tools, or a larger [providers.local] "
            "context_tokens",
            details={"tokens": needed, "max_context_tokens": most, "model": model},
        )
    refused = data.get("code", _SERVER) < _SERVER
    return ProviderError(
        f"the local model {model} {'refused the request' if refused else 'failed'}: {error}",
        code="provider.invalid_request" if refused else "provider.server",
        retryable=not refused,
    )


def _usage(data: dict[str, Any]) -> Usage:
    details = data.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=data.get("prompt_tokens", 0),
        output_tokens=data.get("completion_tokens", 0),
        total_tokens=data.get("total_tokens", 0),
        cache_read_tokens=details.get("cached_tokens", 0),
        cost_usd=0.0,
    )
