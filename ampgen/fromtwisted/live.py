"""Which commands there are, and who answers them: in modules that are running."""

# Twisted's AMP has next to no annotations, and neither have the programs that use it.
# pyright: basic
from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from twisted.protocols import amp

from ampgen.diagnostics.suggest import did_you_mean
from ampgen.fromtwisted.names import cap_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Problem(Exception):
    """Nothing can be imported; the text is for the user."""


@dataclass(eq=False)
class Service:
    """Commands that somebody answers, or that stand in one place.

    ``thing``: the class that they belong to, if it is one.
    """

    name: str
    commands: list[type[amp.Command]]
    thing: Any = None
    doc: str | None = None
    extends: tuple[Service, ...] = ()
    calls: list[Service] = field(default_factory=list)


@dataclass
class Found:
    services: list[Service] = field(default_factory=list)
    doc: str | None = None

    def of(self, thing: Any) -> Service | None:
        return next((one for one in self.services if one.thing is thing), None)


def find(named: Sequence[str], service: str | None = None) -> Found:
    """What is named: ``MODULE`` or ``MODULE:NAME``."""
    found = Found()
    for one in named:
        module_name, _, name = one.partition(":")
        module = _import(module_name)
        if not name:
            _add_module(found, module, service)
            if len(named) == 1:
                found.doc = own_doc(module) or _doc_of_the_only_module(found)
            continue
        thing = _attribute(module, name)
        if isinstance(thing, ModuleType):
            _add_module(found, thing, service)
        elif _is_service(thing) or _is_locator(thing):
            _add(found, thing)
        elif isinstance(thing, amp.CommandLocator):
            _add(found, type(thing))
        elif _is_command(thing):
            own = service or _called_like(module)
            found.services.append(Service(own, [thing]))
        else:
            own = service or cap_words(name.rpartition(".")[2].lower())
            found.services.append(Service(own, _members(one, thing)))
    return found


def own_doc(thing: Any) -> str | None:
    """Its own docstring, not that of a base."""
    doc = vars(thing).get("__doc__")
    return doc if isinstance(doc, str) else None


def dotted(thing: type) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


# --- modules --------------------------------------------------------------------------


def _import(name: str) -> ModuleType:
    """Import a module; what it prints goes to standard error."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise Problem(f"`{name}` is not the name of a module; write `package.module`")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise Problem(f"`{name}` needs `{missing}`, which is not there") from None
        raise Problem(
            f"there is no module `{missing}`; `--path DIR` names a folder to look in"
        ) from None
    except (Exception, SystemExit) as error:
        raise Problem(f"importing `{name}` failed: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    """What happened, and where in the program's own files."""
    told = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SyntaxError):
        return " ".join(told.split())  # it names the place
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{told.splitlines()[-1]}{where}"


def _attribute(module: ModuleType, name: str) -> Any:
    thing: Any = module
    for part in name.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            offered = [
                key
                for key, value in vars(module).items()
                if _offers(value) and not key.startswith("_")
            ]
            near = did_you_mean(name, offered)
            if near:
                help_ = f"did you mean `{near}`?"
            elif offered:
                help_ = f"it has {_listed(offered)}"
            else:
                help_ = "it has no commands"
            raise Problem(f"`{module.__name__}` has no `{name}`; {help_}") from None
    return thing


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and others" if names[most:] else shown


def _members(named: str, thing: Any) -> list[type[amp.Command]]:
    values = thing.values() if isinstance(thing, dict) else thing
    wanted = "a Command, a list of them, or a class that answers some"
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise Problem(f"`{named}` is {thing!r:.60}, and should be {wanted}")
    members = list(values)
    for member in members:
        if not _is_command(member):
            raise Problem(f"`{named}` holds {member!r:.60}, which is no Command class")
    if not members:
        raise Problem(f"`{named}` is empty")
    return members


def _add_module(found: Found, module: ModuleType, service: str | None) -> None:
    things = list(vars(module).values())
    own = [one for one in things if getattr(one, "__module__", 0) == module.__name__]
    if not any(map(_offers, own)):  # as the package of what `--target twisted` makes
        own = [one for one in things if _is_service(one)]
    before = len(found.services)
    for thing in own:
        if _is_service(thing):
            _add(found, thing)
    placed = {command for one in found.services for command in one.commands}
    for thing in own:
        if _is_locator(thing) and not placed.issuperset(_answered(thing)):
            _add(found, thing)
    placed.update(c for one in found.services for c in one.commands)
    loose = _commands(own)
    if not loose and len(found.services) == before:
        loose = _commands(things)
    rest = [command for command in loose if command not in placed]
    if rest:
        found.services.append(Service(service or _called_like(module), rest))
    if len(found.services) == before and not placed.intersection(loose):
        raise Problem(f"`{module.__name__}` has no Command classes")


def _commands(things: Iterable[Any]) -> list[type[amp.Command]]:
    """Without those that are only there to be derived from."""
    commands = list(dict.fromkeys(thing for thing in things if _is_command(thing)))
    bases = {base for command in commands for base in command.__mro__[1:]}
    return [one for one in commands if not (one.__name__[0] == "_" and one in bases)]


def _doc_of_the_only_module(found: Found) -> str | None:
    """Of what `--target twisted` made of one schema: its package has no docs."""
    modules = {one.thing.__module__ for one in found.services if one.thing}
    return own_doc(sys.modules[modules.pop()]) if len(modules) == 1 else None


def _called_like(module: ModuleType) -> str:
    return cap_words(module.__name__.rpartition(".")[2])


# --- kinds of things ------------------------------------------------------------------


def _is_command(thing: Any) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, amp.Command)
        and thing.__module__ != amp.__name__
    )


def _is_service(thing: Any) -> bool:
    """Is it the class of a service that `--target twisted` has made?"""
    return (
        isinstance(thing, type)
        and getattr(thing, "_ampgen", None) == "service"
        and "_ampgen" not in vars(thing)
    )


def _marked(thing: Any) -> Any:
    """The service of a class that `--target twisted` has made to answer it."""
    mark = vars(thing).get("_ampgen") if isinstance(thing, type) else None
    return mark if _is_service(mark) else None


def _is_locator(thing: Any) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, amp.CommandLocator)
        and bool(_answered(thing))
    )


def _offers(thing: Any) -> bool:
    return _is_command(thing) or _is_service(thing) or _is_locator(thing)


def _answered(locator: type) -> list[type[amp.Command]]:
    """In the order of their names on the wire: the others are not known."""
    dispatch: dict[bytes, tuple[type[amp.Command], Any]] = vars(locator).get(
        "_commandDispatch", {}
    )
    return [command for _, (command, _) in dispatch.items() if _is_command(command)]


# --- services -------------------------------------------------------------------------


def _add(found: Found, thing: Any) -> Service:
    """The service of a class, and those of its bases."""
    thing = _marked(thing) or thing
    known = found.of(thing)
    if known is not None:
        return known
    fits = _is_service if _is_service(thing) else _is_locator
    bases = tuple(_add(found, base) for base in thing.__bases__ if fits(base))
    inherited = {id(command) for base in bases for command in _all_of(base)}
    commands = _commands(vars(thing).values()) if _is_service(thing) else []
    commands = commands or (_answered(thing) if _is_locator(thing) else [])
    own = [command for command in commands if id(command) not in inherited]
    made = Service(thing.__name__, own, thing, own_doc(thing), bases)
    found.services.append(made)
    if _is_service(thing):
        made.calls += [_add(found, called) for called in vars(thing).get("_calls", ())]
    return made


def _all_of(service: Service) -> Iterator[type[amp.Command]]:
    yield from service.commands
    for base in service.extends:
        yield from _all_of(base)
