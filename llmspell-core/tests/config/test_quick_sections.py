"""The way without a validator gives the same as pydantic, or asks it."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.config.settings import SECTIONS
from llmspell_core.records import Record
from llmspell_core.records.fitting import fitted
from llmspell_core.records.model import checked
from llmspell_core.security.profile import SecurityProfile

MODELS: list[type[Record]] = sorted(
    {spec.model() for spec in SECTIONS.values() if spec.where}, key=lambda m: m.__name__
)
MODELS.append(SecurityProfile)
scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-5, 300)
    | st.just(10**400)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "warn", "json", "memory", "jinja2", "x", "none"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["lua", "reason", "profile", "read", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def tables(model: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*model.declared, "unknown"]), values, max_size=4)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_what_is_taken_quickly_is_what_pydantic_takes(
    model: type[Record], data: st.DataObject
) -> None:
    table = data.draw(tables(model))
    quick = fitted(model, table)
    try:
        slow = checked(model, table)
    except pydantic.ValidationError:
        assert quick is None
        return
    if quick is not None:
        assert quick == slow
        assert repr(quick) == repr(slow)
        assert quick.model_fields_set == slow.model_fields_set


def test_valid_data_needs_no_validator() -> None:
    for name, spec in SECTIONS.items():
        if spec.kind == "one":
            model = spec.model()
            assert fitted(model, model().model_dump()) is not None, name
