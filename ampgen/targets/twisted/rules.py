"""AMP09xx: what Twisted cannot do."""

from __future__ import annotations

from ampgen.diagnostics import Rule, Severity

SAME_NAME = Rule(
    "AMP0901",
    "two things with one name in Twisted",
    """\
`ampgen compile --target twisted` makes a class of each service, with its commands as
classes inside, beside the types of the file. Twisted itself names the values of a box
after their keys: `-` becomes `_`, and a word that Python keeps begins with a capital.
What answers a service has a method for each command, and for what a stream is made of:
`tail_credit`, `tail_stop`, `upload_send`, `upload_send_end`. No two may share a name.

    command Sort(@wire("by-name") first: bool, by_name: bool);   // `by_name`, twice

Rename one of the two; of keys, give one another with `@wire`.
""",
)

NOT_PASSED = Rule(
    "AMP0902",
    "an argument that Twisted cannot pass",
    """\
Twisted hands the values of a request over as keyword arguments, next to its own: a
responder's `self`, the `commandType` of `callRemote`, the `f` of `maybeDeferred`. An
argument with such a key makes every call of the command fail in a Twisted program.

    command Plot(f: str);

If no program uses it yet, give it another key:

    command Plot(formula: str);
""",
    Severity.WARNING,
)

RULES: tuple[Rule, ...] = (SAME_NAME, NOT_PASSED)
