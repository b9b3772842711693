"""The errors of the runtime.

    AmpError
    ├── RemoteError            the peer answered with an error: .code, .description
    │   ├── CommandError       …that the schema declares: the generated classes
    │   ├── UnknownCommand     UNHANDLED
    │   ├── InvalidArgument    INVALID_ARGUMENT (also ValueError)
    │   ├── InternalError      UNKNOWN
    │   ├── DeadlineExceeded   DEADLINE_EXCEEDED (also TimeoutError), raised locally too
    │   ├── Cancelled          CANCELLED
    │   ├── Overloaded         OVERLOADED
    │   ├── Unavailable        UNAVAILABLE
    │   └── Unauthenticated    UNAUTHENTICATED
    ├── EncodeError            a value that cannot be sent (also ValueError)
    ├── DecodeError            an answer that does not decode
    ├── ConnectionLost         (also ConnectionError): .sent
    │   └── ProtocolError      the peer broke the protocol
    └── TlsError               (also ConnectionError): there is no TLS with the peer

All of them pickle: what a class takes by name has a default and lives in ``__dict__``.
No message holds a value that was sent or received, only types, lengths and rules: a
message ends in logs, and on the other end.

``Fault`` is how the codecs tell one another what is wrong; it never leaves the runtime.
"""

from __future__ import annotations


class AmpError(Exception):
    """What every error of the runtime is."""


class RemoteError(AmpError):
    """The peer answered with an error.

    ``code`` is its code on the wire, ``description`` what the peer said about it. This
    class itself is raised for a code that the schema of this end does not know.
    """

    code: str = ""
    description: str
    _received = False  # by a call of ours: a handler that lets it pass did not mean it

    def __init__(self, description: str = "", *, code: str | None = None) -> None:
        super().__init__(description)
        self.description = description
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        if type(self) is RemoteError and self.code:
            return f"{self.code}: {self.description}"
        return super().__str__()


class CommandError(RemoteError):
    """An error that the schema declares; the compiler makes a class of each."""


class UnknownCommand(RemoteError):
    """The peer has no such command."""

    code = "UNHANDLED"


class InvalidArgument(RemoteError, ValueError):
    """The arguments do not decode at the peer, or its handler refuses them."""

    code = "INVALID_ARGUMENT"


class InternalError(RemoteError):
    """The handler failed in a way that the schema does not declare."""

    code = "UNKNOWN"


class DeadlineExceeded(RemoteError, TimeoutError):
    """The time is over: no answer came, or the peer gave up."""

    code = "DEADLINE_EXCEEDED"


class Cancelled(RemoteError):
    """The handler was cancelled at the peer."""

    code = "CANCELLED"


class Overloaded(RemoteError):
    """The peer has too much to do; a handler may raise it too."""

    code = "OVERLOADED"


class Unavailable(RemoteError):
    """The peer is about to end; a handler may raise it too."""

    code = "UNAVAILABLE"


class Unauthenticated(RemoteError):
    """The peer has to know who calls, and does not; a handler may raise it too."""

    code = "UNAUTHENTICATED"


RUNTIME_ERRORS: dict[bytes, type[RemoteError]] = {
    error.code.encode(): error
    for error in (
        UnknownCommand,
        InvalidArgument,
        InternalError,
        DeadlineExceeded,
        Cancelled,
        Overloaded,
        Unavailable,
        Unauthenticated,
    )
}


class _CodecError(AmpError):
    """Names the command, the key and the rule that was broken.

    ``key`` is a path: ``items[3].price``; empty where the box as a whole is at fault.
    """

    def __init__(self, command: str = "", key: str = "", rule: str = "") -> None:
        super().__init__(command, key, rule)
        self.command = command
        self.key = key
        self.rule = rule

    def __str__(self) -> str:
        place = f"{self.command}: {self.key}" if self.key else self.command
        return f"{place}: {self.rule}"


class EncodeError(_CodecError, ValueError):
    """A value that cannot be sent. Nothing was sent; the connection is as it was."""


class DecodeError(_CodecError):
    """An answer that does not decode. It fails the one call; the connection stays."""


class ConnectionLost(AmpError, ConnectionError):
    """The connection is gone.

    ``sent`` is false where the request has certainly not left, so that it may be tried
    again; true where the peer may have seen it.
    """

    def __init__(
        self, reason: str = "the connection is closed", *, sent: bool = False
    ) -> None:
        super().__init__(reason)
        self.sent = sent


class ProtocolError(ConnectionLost):
    """The peer broke the protocol, and that ended the connection."""


class TlsError(AmpError, ConnectionError):
    """There is no TLS with the peer, and so no connection. The text says why."""


class Fault(ValueError):
    """A rule that a value breaks, and where: ``path`` grows from the inside out."""

    def __init__(self, rule: str, path: str = "") -> None:
        super().__init__(rule, path)
        self.rule = rule
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}" if self.path else self.rule


class Incomplete(Fault):
    """The bytes end before the box does."""

    def __init__(self) -> None:
        super().__init__("a box is cut short")


class Malformed(Fault):
    """The bytes are no box at all, or one that the short way must not take."""


class Beside(Fault):
    """A box with descriptors beside it: the connection has to take part."""

    def __init__(self) -> None:
        super().__init__("descriptors travel beside the box")


FAULTS = (ValueError, TypeError, AttributeError, IndexError)
"""What a codec may raise about a value: ours, and Python's own for a wrong type; an
``IndexError`` of the table of lengths (``wire.SIZE``), which ends at the longest value.
"""


def fault_at(key: str, fault: Exception) -> Fault:
    """The same fault, seen from one level further out.

    ``key`` is a wire key, or ``[3]`` for an item of a list.
    """
    fault = _beyond(fault) if isinstance(fault, IndexError) else as_fault(fault)
    joint = "." if fault.path and not fault.path.startswith("[") else ""
    return Fault(fault.rule, f"{key}{joint}{fault.path}")


def as_fault(error: Exception) -> Fault:
    """What is not a ``Fault`` loses its message, which might hold the value."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, UnicodeDecodeError):
        return Fault(f"not UTF-8 at byte {error.start}")
    if isinstance(error, UnicodeEncodeError):
        return Fault(f"a lone surrogate at {error.start}")
    if type(error) is ValueError and "integer string conversion" in str(error):
        return Fault("an int of too many digits")  # CPython's guard of quadratic time
    return Fault(f"the value is not of its type ({type(error).__name__})")


def not_encoded(command: str, error: Exception) -> EncodeError:
    """What whoever wanted a value sent hears of its fault.

    That is a name here, and not where it is caught: an error that is one in its own
    traceback would be cyclic garbage.
    """
    fault = as_fault(error)
    return EncodeError(command, fault.path, fault.rule)


def too_long(length: int) -> Fault:
    rule = "over 65,535 bytes, the most that a value holds"
    return Fault(f"{rule}: this one has {length:,}")


def _beyond(error: IndexError) -> Fault:
    """What an ``IndexError`` means: the table of lengths ends, and this value does not.

    The error does not tell the length. Whoever looked it up still holds the value, the
    last one that is so long: looking for it there costs nothing while all is well.
    """
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    held: dict[str, object] = {} if step is None else dict(step.tb_frame.f_locals)
    for value in reversed(held.values()):
        if isinstance(value, bytes) and len(value) > 0xFFFF:
            return too_long(len(value))
    return as_fault(error)


def missing() -> Fault:
    return Fault("required, and missing")


def too_deep() -> Fault:
    return Fault("nested too deep")


def wrong_type(expected: str, value: object) -> Fault:
    """``expected`` with its article: "an int"."""
    return Fault(f"expected {expected}, got {type(value).__qualname__}")


def unknown_member(*names: str) -> Fault:
    return Fault(f"the member is none of {', '.join(names)}")
