"""Names, aliases, lazy entries and layers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from llmspell_core.errors import ExtensionError, LLMSpellError, NotFoundError
from llmspell_core.registry import Registry


@dataclass
class Thing:
    """What is registered here."""

    description: str = ""
    category: str = ""


def kebab(name: str) -> str:
    return name.replace("_", "-")


def test_a_name_and_its_aliases_give_the_same_thing() -> None:
    registry: Registry[Thing] = Registry("tool", normalise=kebab)
    thing = Thing()
    registry.register("json_processor", thing, aliases=("jq", "json_tool"))
    for name in ("json-processor", "json_processor", "jq", "json-tool", "json_tool"):
        assert registry.get(name) is thing
        assert registry.has(name)
        assert name in registry
    assert registry.names() == ["json-processor"]


def test_an_unknown_name_names_the_nearest_of_all_layers() -> None:
    base: Registry[Thing] = Registry("tool")
    base.register("calculator", Thing(), aliases=("adder",))
    registry: Registry[Thing] = Registry("tool", base)
    with pytest.raises(NotFoundError) as caught:
        registry.get("calculater")
    assert caught.value.code == "tool.not_found"
    assert caught.value.message == 'unknown tool "calculater"'
    assert caught.value.hint == 'did you mean "calculator"?'
    with pytest.raises(NotFoundError) as caught:
        registry.get("addr")
    assert caught.value.hint == 'did you mean "adder"?'
    assert registry.find("nothing") is None
    assert registry.entry("nothing") is None


def test_a_lazy_entry_is_loaded_once_and_only_when_asked_for() -> None:
    loads = []

    def load() -> Thing:
        loads.append(1)
        return Thing("from the thing")

    registry: Registry[Thing] = Registry("agent")
    registry.add_lazy("helper", load, source="acme", summary="Helps.", category="util")
    assert registry.names() == ["helper"]
    assert [entry.name for entry in registry.search("helps")] == ["helper"]
    assert [entry.name for entry in registry.by_category("util")] == ["helper"]
    entry = registry.entry("helper")
    assert entry is not None
    assert not entry.loaded
    assert loads == []
    assert registry.get("helper") is registry.get("helper")
    assert loads == [1]
    assert entry.loaded


def test_a_load_that_fails_is_tried_again() -> None:
    registry: Registry[Thing] = Registry("agent")
    results = [ExtensionError("broken"), None]

    def load() -> Thing:
        error = results.pop(0)
        if error:
            raise error
        return Thing()

    registry.add_lazy("a", load, source="acme")
    with pytest.raises(ExtensionError, match="broken"):
        registry.get("a")
    assert isinstance(registry.get("a"), Thing)


def test_what_is_filled_on_first_use_costs_nothing_before() -> None:
    fills = []

    def fill(registry: Registry[Thing]) -> None:
        fills.append(1)
        registry.add_lazy("a", Thing, source="acme")

    base: Registry[Thing] = Registry("tool")
    base.fill_on_first_use(fill)
    registry: Registry[Thing] = Registry("tool", base)
    assert fills == []
    assert registry.names() == ["a"]
    assert registry.has("a")
    assert fills == [1]


def test_a_layer_covers_its_parent_and_goes_without_a_trace() -> None:
    base: Registry[str] = Registry("agent")
    base.register("a", "base a")
    base.register("b", "base b")
    layer: Registry[str] = Registry("agent", base)
    layer.register("a", "own a")
    layer.register("c", "own c")
    assert layer.get("a") == "own a"
    assert layer.names() == ["a", "b", "c"]
    assert [(entry.name, entry.load()) for entry in layer.entries()] == [
        ("a", "own a"),
        ("b", "base b"),
        ("c", "own c"),
    ]
    assert base.names() == ["a", "b"]
    assert base.get("a") == "base a"
    assert layer.remove("a")
    assert layer.get("a") == "base a"
    assert not layer.remove("a")


def test_a_name_is_taken_once_a_layer_unless_it_is_replaced() -> None:
    registry: Registry[str] = Registry("agent")
    registry.register("a", "first", aliases=("old",))
    with pytest.raises(LLMSpellError) as caught:
        registry.register("a", "second")
    assert caught.value.code == "agent.exists"
    registry.register("a", "second", replace=True)
    assert registry.get("a") == "second"
    assert not registry.has("old")


@pytest.mark.parametrize("name", ["calculator", "adder"])
def test_a_script_cannot_take_the_name_of_a_built_in(name: str) -> None:
    base: Registry[str] = Registry("tool")
    base.add_lazy("calculator", lambda: "built-in", source="llmspell-tools", aliases=("adder",))
    base.register("mine", "python")
    layer: Registry[str] = Registry("tool", base, protect=True)
    for attempt in (
        lambda: layer.register(name, "evil", source="script"),
        lambda: layer.register("other", "evil", aliases=(name,), source="script"),
        lambda: layer.remove(name),
    ):
        with pytest.raises(LLMSpellError) as caught:
            attempt()
        assert caught.value.code == "tool.reserved"
        assert "llmspell-tools" in caught.value.message
    assert layer.get(name) == "built-in"
    layer.register("mine", "script", source="script")
    assert layer.get("mine") == "script"


def test_two_distributions_of_one_name_are_an_error_that_names_both() -> None:
    registry: Registry[str] = Registry("tool")
    registry.add_lazy("a", lambda: "one", source="acme")
    registry.add_lazy("a", lambda: "two", source="evil-corp")
    assert registry.names() == ["a"]
    with pytest.raises(ExtensionError) as caught:
        registry.get("a")
    assert caught.value.code == "plugin.conflict"
    assert "acme and evil-corp" in caught.value.message


def test_search_finds_every_word_wherever_it_stands() -> None:
    registry: Registry[Thing] = Registry("tool")
    registry.register("calc", Thing("Adds numbers", "math"), aliases=("adder",))
    registry.register("clock", Thing("Tells the time", "util"))
    found = {
        query: [entry.name for entry in registry.search(query)]
        for query in ("numbers", "MATH adds", "adder", "time numbers", "c")
    }
    assert found == {
        "numbers": ["calc"],
        "MATH adds": ["calc"],
        "adder": ["calc"],
        "time numbers": [],
        "c": ["calc", "clock"],
    }
    assert len(registry) == 2
