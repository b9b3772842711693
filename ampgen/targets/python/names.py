"""The names that a schema gets in Python: pure functions, one for each kind of name.

A name that Python or a generated class needs for itself gets a trailing underscore. The
sets below are written out, not asked of the running interpreter: the output must not
depend on its version.
"""

from __future__ import annotations

import keyword
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from ampgen.model import Command, Enum, Error, Field, Service, Struct, Union

# Words in a string: a table of them reads best so.
# ruff: noqa: SIM905

_NOTHING: frozenset[str] = frozenset()

SELF = frozenset({"self"})

# Of runtime.Client and runtime.Server (python-api.md); their later additions start with
# `_`.
METHODS = frozenset(
    "connect connect_blocking local aclose close connection timeout metadata".split()
)
# What every client method has beside the schema's arguments.
ARGUMENTS = frozenset({"self", "timeout", "metadata"})
# What `connect` and `local` take beside the services that the client answers.
CONNECT_ARGUMENTS = METHODS | frozenset(
    """
    cls self address service options connect_timeout drain_timeout interceptors limits
    serve
    """.split()
)
# Attributes of BaseException, OSError and runtime.CommandError.
ERROR_ATTRIBUTES = frozenset(
    "self code description args with_traceback add_note errno strerror".split()
)
# Attributes of str and enum.StrEnum, up to Python 3.14.
STR_ENUM_ATTRIBUTES = frozenset(
    """
    capitalize casefold center count encode endswith expandtabs find format format_map
    index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric
    isprintable isspace istitle isupper join ljust lower lstrip maketrans partition
    removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
    splitlines startswith strip swapcase title translate upper zfill name value mro
    """.split()
)

# Of Python up to 3.14, and of its stubs. In the annotations of a class, mypy takes such
# a name for the builtin's while the module's own class of that name is yet to come.
BUILTINS = frozenset(
    """
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup
    BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError
    ConnectionAbortedError ConnectionError ConnectionRefusedError
    ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning
    EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError
    FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning
    IndentationError IndexError InterruptedError IsADirectoryError KeyError
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError
    NotADirectoryError NotImplemented NotImplementedError OSError OverflowError
    PendingDeprecationWarning PermissionError ProcessLookupError
    PythonFinalizationError RecursionError ReferenceError ResourceWarning
    RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError
    SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError
    UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError
    UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning WindowsError
    ZeroDivisionError abs aiter all anext any ascii bin bool breakpoint bytearray
    bytes callable chr classmethod compile complex copyright credits delattr dict
    dir divmod ellipsis enumerate eval exec exit filter float format frozenset
    function getattr globals hasattr hash help hex id input int isinstance
    issubclass iter len license list locals map max memoryview min next object oct
    open ord pow print property quit range repr reveal_locals reveal_type reversed
    round set setattr slice sorted staticmethod str sum super tuple type vars zip
    """.split()
)

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


# A name is asked for again by all that names it.
@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """``HTTPGet`` is ``http_get``, ``Get2FA`` is ``get2_fa``."""
    return _WORD.sub("_", name).lower()


@lru_cache(maxsize=4096)
def cap_words(name: str) -> str:
    """``old_repeat`` is ``OldRepeat``; capitals stay."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def legal(name: str, taken: Container[str] = _NOTHING) -> str:
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name


def type_name(declaration: Enum | Struct | Union | Error) -> str:
    return legal(declaration.name)


def field_name(field: Field) -> str:
    """A struct's or a result's field."""
    return legal(field.name, SELF)


def error_field_name(field: Field) -> str:
    return legal(field.name, ERROR_ATTRIBUTES)


def argument_name(field: Field) -> str:
    return legal(field.name, ARGUMENTS)


def member_name(name: str) -> str:
    """An enum's member."""
    return legal(name, STR_ENUM_ATTRIBUTES)


def method_name(command: Command) -> str:
    return legal(snake_case(command.name), METHODS)


def called_name(service: Service) -> str:
    """The property of a handler, and the argument of ``connect``, for a service it
    calls.
    """
    return legal(snake_case(service.name), CONNECT_ARGUMENTS)


def result_class(command: Command) -> str:
    """Of a result in parentheses, or of the items of such a stream."""
    streams = command.result is not None and command.result.stream
    return f"{cap_words(command.name)}{'Item' if streams else 'Result'}"


def member_class(union: Union, member: Field) -> str:
    return f"{union.name}{cap_words(member.name)}"


def client_class(service: Service) -> str:
    return f"{cap_words(service.name)}Client"


def blocking_class(service: Service) -> str:
    return f"{cap_words(service.name)}BlockingClient"


def server_class(service: Service) -> str:
    return f"{cap_words(service.name)}Server"


def module_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """A schema's module path in Python."""
    return tuple(legal(part) for part in path)
