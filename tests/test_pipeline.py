"""The stages together: what one refuses does not stop the next, nor break it."""

from __future__ import annotations

from hypothesis import given, settings

from ampgen.analysis import RULES, StandardInput, analyse
from ampgen.language.rules import RULES as LANGUAGE_RULES
from ampgen.pipeline import compile_schemas
from tests.analysis.test_properties import schemas


@settings(max_examples=150, deadline=None)
@given(schemas)
def test_files_are_made_of_schemas_without_errors_and_of_no_others(text: str) -> None:
    given_ = [StandardInput("a.amp", text.encode())]
    compiled = compile_schemas(given_)
    found = compiled.diagnostics
    assert (compiled.files is None) == any(one.is_error for one in found)
    known = [one for one in found if one.rule in (*LANGUAGE_RULES, *RULES)]
    assert [one.message for one in known] == [one.message for one in analyse(given_)[1]]
    places = {span for one in known for span in one.spans}
    assert all(places.isdisjoint(one.spans) for one in found if one not in known)
