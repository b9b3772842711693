"""Any value of any schema is the same after it has been JSON text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ampgen.model import Service
from ampgen.targets.python.names import argument_name
from ampgen.tools.jsonvalues import JsonValues, dumps, parse
from ampgen.tools.memory import load_texts
from tests.properties.schemas import Schema, Values, schemas
from tests.properties.test_schemas import UNHURRIED, parameters


class _Holder:
    def __init__(self, attributes: dict[str, Any]) -> None:
        vars(self).update(attributes)


@settings(max_examples=25, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_values_come_through_json_as_they_were(
    schema: Schema, data: st.DataObject
) -> None:
    loaded = load_texts({"a.amp": schema.text()}, ["a.amp"])
    [root] = loaded.schema.roots
    module = loaded.modules[root]
    values = JsonValues(loaded)
    drawn_from = Values(schema, module)
    [service] = [one for one in root.declarations if isinstance(one, Service)]
    for drawn, command in zip(schema.commands, service.commands, strict=True):
        names = parameters(getattr(module.EchoServer, command.name.lower()))
        given_values = data.draw(drawn_from.fields(drawn.fields, names))
        full = {
            name: given_values.get(name, drawn_from.absent(field))
            for name, field in zip(names, drawn.fields, strict=True)
        }
        shown = values.fields_to_json(
            command.arguments, _Holder(full), name=argument_name
        )
        text = dumps(shown)
        assert json.loads(dumps(shown, ascii_=True, indent=2)) == json.loads(text)
        read = values.fields_from_json(command.arguments, parse(text), argument_name)
        present = {key: value for key, value in full.items() if key in read}
        assert read == present
        assert all(full[key] is None for key in full.keys() - read.keys())
