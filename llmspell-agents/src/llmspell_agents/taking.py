"""Which parts of messages a model takes, and which models take what another one does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmspell_core.errors import AgentError, LLMSpellError
from llmspell_core.messages import ContentPart, Message

if TYPE_CHECKING:
    from llmspell_agents.targets import Target
    from llmspell_core.provider import Capabilities
    from llmspell_core.runtime import Runtime

#: Kind of part -> the field of Capabilities, and the word for several.
_NEEDS = {"image": ("vision", "images"), "audio": ("audio", "audio"), "file": ("files", "files")}
_SHOWN = 5


def check_taken(parts: Iterable[ContentPart], target: Target, runtime: Runtime) -> None:
    """Raise `agent.unsupported_part` for a part that the model does not take."""
    can = target.provider.capabilities(target.model)
    for part in parts:
        if takes(can, part):
            continue
        field, word = _NEEDS[part.type]
        able = who_takes(field, runtime)
        shown = ", ".join(able[:_SHOWN])
        what = part.name or part.media_type
        raise AgentError(
            f"{target.full_name} takes no {word}: {what}",
            code="agent.unsupported_part",
            hint=f"these do: {shown}"
            if able
            else f"no configured model does; capabilities = {{{field} = true}} in "
            f"[providers.{target.provider.name}] says that this one does",
            details={"kind": part.type, "model": target.full_name, "models": able},
        )


def takes(can: Capabilities, part: ContentPart) -> bool:
    """Whether a model takes a part."""
    return part.type == "text" or bool(getattr(can, _NEEDS[part.type][0]))


def who_takes(field: str, runtime: Runtime) -> list[str]:
    """The models of providers that are set up which have a capability, as `provider/model`."""
    found: list[str] = []
    for name in runtime.providers.names():
        try:
            provider = runtime.provider(name)
            provider.check_configured()
            models = dict.fromkeys([provider.default_model, *provider.config.models])
            found += [
                f"{name}/{model}"
                for model in models
                if model and getattr(provider.capabilities(model), field)
            ]
        except LLMSpellError:
            # What is not set up is no help.
            continue
    return found


def able(targets: list[Target], messages: list[Message]) -> list[Target]:
    """The model, and those of its fallbacks that take what the messages have."""
    parts = [one for message in messages for one in _media(message)]
    if not parts or len(targets) == 1:
        return targets
    first, *rest = targets
    fit = [
        one
        for one in rest
        if all(takes(one.provider.capabilities(one.model), part) for part in parts)
    ]
    return [first, *fit]


def taken(messages: list[Message], target: Target) -> list[Message]:
    """Messages of earlier turns, with a word in the place of what this model does not take."""
    if not any(map(_media, messages)):
        return messages
    can = target.provider.capabilities(target.model)
    return [
        message.model_copy(update={"content": [_or_word(part, can) for part in message.content]})
        if _media(message) and isinstance(message.content, list)
        else message
        for message in messages
    ]


def _media(message: Message) -> list[ContentPart]:
    if isinstance(message.content, str):
        return []
    return [part for part in message.content if part.type != "text"]


def _or_word(part: ContentPart, can: Capabilities) -> ContentPart:
    if takes(can, part):
        return part
    return ContentPart(text=f"[{part.type} {part.name or part.media_type}: not shown]")
