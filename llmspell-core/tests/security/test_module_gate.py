from __future__ import annotations

import hashlib

import pytest

from llmspell_core.errors import PolicyError
from llmspell_core.security.modules import ModuleGate
from llmspell_core.security.profile import ModulesPolicy, SecurityProfile


def test_nothing_is_loaded_until_it_is_named() -> None:
    gate = ModuleGate((SecurityProfile.medium().modules,))
    assert not gate.allowed("json")
    with pytest.raises(PolicyError) as caught:
        gate.check("json")
    assert caught.value.code == "module.denied"


def test_a_named_module_must_be_the_pinned_one() -> None:
    source = b"return 1"
    pins = {"lib.a": hashlib.sha256(source).hexdigest()}
    gate = ModuleGate((ModulesPolicy(mode="listed", allow=("lib.*",)),), pins=pins)
    gate.check("lib.a")
    gate.check("lib.a", source)
    for name, changed in (("lib.a", b"return 2"), ("lib.unpinned", source)):
        with pytest.raises(PolicyError, match="pinned"):
            gate.check(name, changed)


def test_without_restrictions_no_pin_is_needed() -> None:
    ModuleGate((SecurityProfile.none().modules,)).check("anything", b"x")
    layers = (SecurityProfile.none().modules, SecurityProfile.high().modules)
    assert not ModuleGate(layers).allowed("anything")
