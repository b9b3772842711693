"""What names mean inside one generated module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.model import Enum, Error, Service, Struct, Union
from ampgen.targets.python import names
from ampgen.targets.python.imports import IMPORTABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Field, Module
    from ampgen.targets.python.layout import Part

# What the templates of codecs call their parameters and variables.
_CODEC_LOCAL = re.compile(
    r"[afknrv]\d+|arguments|at|box|data|depth|description|end|error|fault|head|header"
    r"|key|raw|record|result|start|value"
)

# The builtins that annotations name.
_ANNOTATING = frozenset(("bool", "bytes", "dict", "float", "int", "list", "str"))

Class = Enum | Struct | Union | Error


class Scope:
    """One module's names: public ones are the schema's, private ones are given here.

    A class of this module may have an attribute with the name of a type or a builtin,
    and a codec a variable; a class may be called like a builtin. There the plain name
    would then mean that, so the whole module says ``_builtins.int`` and, for a type,
    ``_class_Point`` (listed in ``class_aliases``).

    ``given`` and ``taken`` have the annotations of fields that ``types.py`` has made.
    """

    def __init__(
        self,
        module: Module,
        scopes: dict[Module, Scope],
        importable: frozenset[str] = IMPORTABLE,
        attributes: frozenset[str] = frozenset(),
    ) -> None:
        """``importable``: private names that are taken; ``attributes``: what classes
        have beside what the schema declares.
        """
        self.module = module
        self.path = names.module_path(module.path)
        self.class_aliases: dict[str, str] = {}
        self.module_imports: dict[str, tuple[str, ...]] = {}
        self.given: dict[Field, Part] = {}
        self.taken: dict[Field, Part] = {}
        self._scopes = scopes
        self._attributes = attributes.union(_attributes(module))
        self._public = frozenset(public_names(module))
        self._claimed = set(importable)
        if "annotations" in self._public:
            self._claimed.add("_annotations")  # see future_annotations
        self._private: dict[tuple[str, object], str] = {}
        self._modules: dict[Module, str] = {}
        scopes[module] = self

    def builtin(self, name: str) -> str:
        shadowed = name in self._attributes or name in self._public
        return f"_builtins.{name}" if shadowed else name

    def hides(self, name: str) -> bool:
        """Would an attribute of this name stand before a class or a builtin?"""
        return name in self._public or name in _ANNOTATING

    @property
    def future_annotations(self) -> str:
        """What `from __future__` imports, which is a name like any other."""
        alias = " as _annotations" if "annotations" in self._public else ""
        return f"annotations{alias}"

    def private(self, kind: str, name: str, owner: object) -> str:
        """A private definition's name, the same at every asking: ``_read_Item``."""
        known = self._private.get((kind, owner))
        if known is None:
            known = self._private[kind, owner] = self._claim(
                f"_{kind}_{name}" if kind else f"_{name}"
            )
        return known

    def define(self, wanted: str) -> str:
        """A private name for something that is defined once and has no owner."""
        return self._claim(wanted)

    def base(self, name: str, home: Module) -> str:
        """A public class, named outside of any class's body."""
        return name if home is self.module else f"{self._module(home)}.{name}"

    def class_name(self, name: str, home: Module) -> str:
        """A public class of this or another module, named anywhere."""
        hidden = (
            name in self._attributes
            or name in names.BUILTINS
            or _CODEC_LOCAL.fullmatch(name)
        )
        if home is not self.module or not hidden:
            return self.base(name, home)
        if name not in self.class_aliases:
            self.class_aliases[name] = self._claim(f"_class_{name}")
        return self.class_aliases[name]

    def reference(self, kind: str, declaration: Class) -> str:
        """A private definition of a declaration, of this or another module."""
        home = declaration.module
        name = self._scopes[home].private(kind, declaration.name, declaration)
        return name if home is self.module else f"{self._module(home)}.{name}"

    def _module(self, module: Module) -> str:
        if module not in self._modules:
            path = names.module_path(module.path)
            name = self._modules[module] = self._claim(f"_{path[-1]}")
            self.module_imports[name] = path
        return self._modules[module]

    def _claim(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._claimed:
            count += 1
            name = f"{wanted}_{count}"
        self._claimed.add(name)
        return name


def public_names(module: Module) -> Iterator[str]:
    """The module-level names of the generated module, in the schema's order."""
    for declaration in module.declarations:
        match declaration:
            case Enum() | Struct() | Error():
                yield names.type_name(declaration)
            case Union():
                yield from (
                    names.member_class(declaration, m) for m in declaration.members
                )
                yield names.type_name(declaration)
            case Service():
                for command in declaration.commands:
                    if command.result is not None and not command.result.bare:
                        yield names.result_class(command)
                yield names.client_class(declaration)
                yield names.blocking_class(declaration)
                yield names.server_class(declaration)
            case _:  # an alias is seen through and has no name in Python
                pass


def _attributes(module: Module) -> Iterator[str]:
    """What the bodies of the module's classes define."""
    for declaration in module.declarations:
        match declaration:
            case Struct():
                yield from map(names.field_name, declaration.fields)
            case Union():
                yield "value"
            case Error():
                yield "code"
                yield from map(names.error_field_name, declaration.fields)
            case Service():
                yield from map(names.called_name, declaration.all_calls())
                yield from ("connect", "connect_blocking", "local")
                for command in declaration.commands:
                    yield names.method_name(command)
                    if command.result is not None and not command.result.bare:
                        yield from map(names.field_name, command.result.fields)
            case _:  # an enum's members are never followed by a name that is looked up
                pass
