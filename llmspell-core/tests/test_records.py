"""Records: frozen named values that are cheap to declare."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, ValidationError

from llmspell_core.records import Record, key


class Inner(Record):
    """A part."""

    names: tuple[str, ...] = ()
    most: int = key(5, "the most of it", unit="MiB", least=1, most=9)


class Outer(Record):
    """A whole."""

    name: str
    kind: Literal["a", "b"] = "a"
    inner: Inner = Inner()
    tags: dict[str, tuple[str, ...]] = key({}, "words")
    around: Outer | None = None


class Open(Record):
    """It takes further keys."""

    takes_more: ClassVar[bool] = True
    token: str = key("", "never shown", secret=True)


def test_values_are_given_by_position_or_name_and_defaults_are_the_class_s() -> None:
    made = Outer("x", "b", inner=Inner(most=7))
    assert (made.name, made.kind, made.inner.most, made.inner.names) == ("x", "b", 7, ())
    assert made.model_fields_set == {"name", "kind", "inner"}
    assert made == Outer("x", "b", Inner((), 7), {})
    assert made != Outer("x", "b")
    assert made != "x"
    assert hash(Inner(most=5)) == hash(Inner())
    assert repr(Inner(("a",))) == "Inner(names=('a',), most=5)"


@pytest.mark.parametrize(
    ("given", "named", "message"),
    [
        ((), {}, "needs name"),
        (("x",), {"name": "y"}, "given twice"),
        (("x", "a", Inner(), {}, None, 1), {}, "one too many"),
        (("x",), {"knd": "b"}, "has no knd"),
    ],
)
def test_wrong_names_are_told_at_once(
    given: tuple[object, ...], named: dict[str, object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        Outer(*given, **named)  # type: ignore[arg-type]


def test_a_record_never_changes_and_shares_no_container() -> None:
    made = Outer("x")
    with pytest.raises(AttributeError, match="never changes"):
        made.name = "y"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="never changes"):
        del made.name
    with pytest.raises(AttributeError, match="has no nothing"):
        _ = made.nothing
    made.tags["a"] = ("b",)
    assert Outer("y").tags == {}
    assert made.model_copy(update={"name": "y"}) == Outer("y")


def test_plain_data_is_read_and_given() -> None:
    data = {"name": "x", "inner": {"names": ["a"], "most": 3}, "tags": {"t": ["u"]}}
    made = Outer.model_validate(data)
    assert made.inner == Inner(("a",), 3)
    assert made.model_dump(exclude=("around",), mode="json") == {**data, "kind": "a"}
    assert Outer.model_validate(made) is made
    assert Outer.model_validate({"name": "y", "around": made}).around is made
    assert "around" not in made.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({}, ("name",)),
        ({"name": 5}, ("name",)),
        ({"name": "x", "kind": "c"}, ("kind",)),
        ({"name": "x", "inner": {"most": 10}}, ("inner", "most")),
        ({"name": "x", "inner": {"least": 1}}, ("inner", "least")),
    ],
)
def test_pydantic_says_what_is_wrong(data: dict[str, object], place: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    assert [one["loc"] for one in caught.value.errors()] == [place]


def test_further_keys_are_kept_where_they_are_taken_and_secrets_are_not_shown() -> None:
    made = Open.model_validate({"token": "s3cret", "region": "north"})
    assert made.model_extra == {"region": "north"}
    assert "s3cret" not in repr(made)
    assert made.model_dump() == {"token": "s3cret", "region": "north"}
    assert Outer("x").model_extra is None


def test_a_record_can_be_a_field_of_a_pydantic_model() -> None:
    class Model(BaseModel):
        inner: Inner

    assert Model.model_validate({"inner": {"most": "3"}}).inner == Inner(most=3)
    made = Model(inner=Inner())
    assert made.model_dump() == {"inner": {"names": (), "most": 5}}
    with pytest.raises(ValidationError):
        Model.model_validate({"inner": {"most": 0}})


def test_the_json_schema_has_what_was_declared() -> None:
    most = Inner.model_json_schema()["properties"]["most"]
    assert (most["description"], most["unit"], most["minimum"]) == ("the most of it", "MiB", 1)


def test_declaring_and_reading_records_imports_no_pydantic() -> None:
    code = (
        "import sys\n"
        "from llmspell_core.security.profile import SecurityProfile\n"
        "profile = SecurityProfile.custom('mine').allow_read('data').limit(wall_s=5).build()\n"
        "assert profile.limits.wall_s == 5.0\n"
        "assert not {'pydantic', 'dataclasses'} & set(sys.modules)\n"
    )
    # Coverage imports modules of its own into each process that it measures.
    env = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
