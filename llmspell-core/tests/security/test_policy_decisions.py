from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, PolicyError, ValidationError
from llmspell_core.security.audit import AuditLog
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile
from llmspell_core.security.redact import Redactor
from llmspell_core.tool import Tool


def a_tool(name: str = "probe", **fields: Any) -> Tool:
    made: Tool = type("Probe", (Tool,), {"name": name, **fields})()
    return made


def a_policy(tmp_path: Path, profile: SecurityProfile, **more: Any) -> Policy:
    return Policy(profile, project=tmp_path, cwd=tmp_path, protected=[], **more)


@pytest.mark.parametrize(
    ("profile", "level", "verdict"),
    [
        ("none", "privileged", "allow"),
        ("low", "restricted", "allow"),
        ("low", "privileged", "ask"),
        ("medium", "restricted", "allow"),
        ("medium", "privileged", "deny"),
        ("high", "safe", "allow"),
        ("high", "restricted", "deny"),
    ],
)
def test_a_profile_allows_tools_up_to_its_level(
    tmp_path: Path, profile: str, level: str, verdict: str
) -> None:
    policy = a_policy(tmp_path, SecurityProfile.named(profile))
    tool = a_tool(security_level=level)
    if verdict == "deny":
        with pytest.raises(PolicyError) as caught:
            policy.check_tool(tool, chosen_by_model=False)
        assert caught.value.code == "policy.tool"
        assert not policy.allows_tool(tool)
    else:
        assert policy.check_tool(tool, chosen_by_model=False) == verdict


def test_naming_a_tool_raises_it_above_the_level_and_a_glob_does_not(tmp_path: Path) -> None:
    tool = a_tool("process-executor", security_level="privileged")
    named = SecurityProfile.custom("n").allow_tool("process_executor").build()
    assert a_policy(tmp_path, named).check_tool(tool, chosen_by_model=True) == "allow"
    globbed = SecurityProfile.custom("g").allow_tool("process-*").build()
    assert not a_policy(tmp_path, globbed).allows_tool(tool)


def test_denying_wins_over_allowing(tmp_path: Path) -> None:
    profile = SecurityProfile.custom("d").allow_tool("probe").deny_tool("pro*").build()
    assert not a_policy(tmp_path, profile).allows_tool(a_tool())


def test_an_alias_is_denied_like_the_name(tmp_path: Path) -> None:
    profile = SecurityProfile.custom("d").deny_tool("http-request").build()
    tool = a_tool("http-requester", aliases=("http-request",))
    assert not a_policy(tmp_path, profile).allows_tool(tool)


def test_approval_is_asked_for_marks_when_a_model_chose(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.production())
    tool = a_tool(destructive=True)
    assert policy.check_tool(tool, chosen_by_model=True) == "ask"
    assert policy.check_tool(tool, chosen_by_model=False) == "allow"
    assert policy.check_tool(a_tool(), chosen_by_model=True) == "allow"


def test_a_tool_that_requires_approval_is_always_asked_until_always_is_answered(
    tmp_path: Path,
) -> None:
    policy = a_policy(tmp_path, SecurityProfile.none())
    tool = a_tool(requires_approval=True)
    assert policy.check_tool(tool, chosen_by_model=False) == "ask"
    policy.always(tool)
    assert policy.narrow(limits={"wall_s": 1}).check_tool(tool, chosen_by_model=True) == "allow"


def test_categories_select_tools(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.data_analysis())
    assert policy.allows_tool(a_tool("json-processor", category="data"))
    assert not policy.allows_tool(a_tool("http-requester", category="web"))


def test_narrowing_never_widens(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.medium())
    narrow = policy.narrow(
        profile="none",
        tools=["probe"],
        files={"write": ["."]},
        allowed_hosts=["10.0.0.1"],
        limits={"memory_mb": 9999},
    )
    assert narrow.limits.memory_mb == 256
    assert not narrow.allows_tool(a_tool("other"))
    assert not narrow.allows_tool(a_tool(security_level="privileged"))
    assert not narrow.net.allows("10.0.0.1")
    assert not narrow.net.allows("example.com")
    with pytest.raises(PolicyError):
        narrow.files.resolve("a.txt", "write")


def test_narrowing_twice_is_the_intersection(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.none())
    both = policy.narrow(tools=["a", "b"]).narrow(tools=["b", "c"])
    assert [name for name in "abc" if both.allows_tool(a_tool(name))] == ["b"]


def test_a_misspelt_field_of_security_is_named(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.medium())
    with pytest.raises(ValidationError, match="alowed_hosts") as caught:
        policy.narrow(alowed_hosts=["x"])
    assert "allowed_hosts" in (caught.value.hint or "")
    with pytest.raises(ValidationError, match=r"limits\.wall_s"):
        policy.narrow(limits={"wall_s": "soon"})


def test_gates_that_stay_equal_are_shared(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.medium())
    assert policy.narrow(tools=["a"]).http is policy.http
    assert policy.narrow(allowed_hosts=["a.example"]).http is not policy.http


def test_state_scopes_follow_the_profile(tmp_path: Path) -> None:
    assert a_policy(tmp_path, SecurityProfile.medium()).allows_scope("global")
    assert not a_policy(tmp_path, SecurityProfile.medium()).allows_scope("custom")
    assert not a_policy(tmp_path, SecurityProfile.high()).allows_scope("global")


def test_explain_and_permissions_are_data_and_words(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, SecurityProfile.medium())
    told = policy.explain()
    assert json.loads(json.dumps(told)) == told
    assert told["summary"]["limits"] == "256 MiB, 60 s CPU, 5 min, 100,000 host calls"
    assert told["summary"]["processes"] == "none"
    assert "any public host" in told["summary"]["network"]
    assert str(tmp_path.resolve()) in policy.permissions()["files"]["read"]
    assert str(tmp_path.resolve() / "output") in policy.permissions()["files"]["write"]


def test_each_decision_is_one_json_line_with_who_and_why(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.jsonl"
    redactor = Redactor(["topsecretvalue"])
    policy = a_policy(
        tmp_path,
        SecurityProfile.medium(),
        audit=AuditLog(path, redactor=redactor),
        redactor=redactor,
    ).bound(run="r1", script="a.lua", sha256="00")
    policy.check_tool(a_tool(), chosen_by_model=True)
    with pytest.raises(LLMSpellError):
        policy.files.read_text("/etc/topsecretvalue")
    policy.net.allows("127.0.0.1")
    policy.env.get("TOKEN")
    policy.audit.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["gate"], one["verdict"]) for one in lines] == [
        ("tools", "allow"),
        ("files.read", "deny"),
        ("network", "deny"),
        ("env", "deny"),
    ]
    assert all(one["run"] == "r1" and one["script"] == "a.lua" and one["time"] for one in lines)
    assert "topsecretvalue" not in path.read_text()
    assert (path.stat().st_mode & 0o077) == 0


def test_the_audit_log_itself_is_out_of_reach(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "output" / "audit.jsonl")
    policy = a_policy(tmp_path, SecurityProfile.medium(), audit=audit)
    with pytest.raises(PolicyError):
        policy.files.write_text("output/audit.jsonl", "")
    audit.close()
