"""Plans of declared errors: their classes, and how their fields travel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python import names, types
from ampgen.targets.python.declarations import class_header, described, function_header
from ampgen.targets.python.docstrings import Section, docstring
from ampgen.targets.python.layout import (
    Part,
    Run,
    byte_string,
    call,
    either,
    statement,
    string,
)
from ampgen.targets.python.plan import Class, Failure, Function
from ampgen.targets.python.records import default, mutable

if TYPE_CHECKING:
    from ampgen.model import Error
    from ampgen.targets.python.records import Records
    from ampgen.targets.python.scope import Scope


class Errors:
    """Plans the errors of one module."""

    def __init__(self, scope: Scope, records: Records) -> None:
        self._scope = scope
        self._records = records

    def error_class(self, error: Error) -> Class:
        scope = self._scope
        name = names.type_name(error)
        fields = [
            statement(
                f"{names.error_field_name(f)}: ", types.given_field(scope, f), indent=1
            )
            for f in error.fields
        ]
        code = statement(f"code = {string(error.code)}", indent=1)
        attributes = described(error.fields, names.error_field_name)
        return Class(
            class_header(name, ("_CommandError",), error.notes),
            docstring(
                error.notes.doc or "",
                [Section("Attributes", attributes)],
                indent=1,
                title=f"The error {error.code}.",
            ),
            (code, *fields),
            (self._error_init(error),) if error.fields else (),
        )

    def _error_init(self, error: Error) -> Function:
        scope = self._scope
        parameters: list[Part] = [
            "self",
            f'description: {scope.builtin("str")} = ""',
            "*",
        ]
        body = [statement("_CommandError.__init__(self, description)", indent=2)]
        for field in error.fields:
            name = names.error_field_name(field)
            annotation, value, assigned = types.given_field(scope, field), "None", name
            if field.default is not None:
                expression = default(scope, field.default, field, mutable=True)
                if mutable(field):
                    annotation = either(annotation, "None")
                    assigned = f"{expression} if {name} is None else {name}"
                else:
                    value = str(expression)
            parameters.append(Run(f"{name}: ", annotation, f" = {value}"))
            body.append(statement(f"self.{name} = {assigned}", indent=2))
        header = function_header("__init__", parameters, "None", indent=1)
        return Function(header, None, tuple(body))

    def failure(self, error: Error) -> Failure:
        scope = self._scope
        name = scope.class_name(names.type_name(error), error.module)
        encode = scope.reference("encode", error)
        decode = scope.reference("decode", error)
        pair = f"{scope.builtin('bytes')}, {scope.builtin('bytes')}"
        number = scope.builtin("int")
        return Failure(
            encode=function_header(
                encode,
                (f"error: {name}", f"depth: {number}"),
                f"{scope.builtin('dict')}[{pair}]",
            ),
            decode=function_header(
                decode,
                (
                    f"description: {scope.builtin('str')}",
                    f"box: _Mapping[{pair}]",
                    f"depth: {number}",
                ),
                name,
            ),
            writer=self._records.writer(
                error.fields,
                lambda f: f"error.{names.error_field_name(f)}",
                "depth",
                into="box",
            ),
            reader=self._records.reader(
                error.fields,
                "depth",
                lambda values: call(
                    name,
                    "description",
                    *(f"{names.error_field_name(f)}={values[f]}" for f in error.fields),
                ),
                ending="",
            ),
            entry=statement(
                f"{scope.reference('error', error)} = ",
                call(
                    "_DeclaredError",
                    name,
                    byte_string(error.code.encode()),
                    f"fatal={error.fatal}",
                    f"encode={encode}",
                    f"decode={decode}",
                ),
            ),
        )
