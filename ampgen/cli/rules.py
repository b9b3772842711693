"""What verbs report that is in no schema: files, and what they hold.

The codes are AMP07xx. In the format `text` these are plain lines; in those for programs
they are diagnostics like all others.
"""

from __future__ import annotations

from ampgen.diagnostics import Rule, Severity

NOT_DONE = Rule(
    "AMP0701",
    "something that could not be read or written",
    """\
A file, a folder or standard input could not be read or written, so what was asked for
is not done. The message has the reason that the system gave:

    error: pkg: Permission denied

What has to be written appears whole or not at all: a file that could not be replaced
still says what it said before.
""",
)

NOT_UP_TO_DATE = Rule(
    "AMP0702",
    "generated file that is not up to date",
    """\
`ampgen compile --check` writes nothing, and fails where the folder does not hold what
the schemas are compiled to now. A file is missing, or differs, or is stale: an earlier
schema had it, and nothing makes it any more.

Compile without `--check`, and commit what has changed:

    ampgen compile schemas/text.amp -o pkg
""",
)

NOT_CANONICAL = Rule(
    "AMP0703",
    "schema that is not in its canonical form",
    """\
`ampgen fmt --check` writes nothing, and fails where formatting would change a file.
`ampgen fmt --diff` shows how, and `ampgen fmt` does it:

    ampgen fmt schemas
""",
)

NOT_IN_SCHEMA = Rule(
    "AMP0704",
    "something in a program that a schema cannot say",
    """\
`ampgen import` leaves out of a schema what the language has no words for, such as a
class of arguments that only the program knows, and says what it has left out or taken
for something else. Look at each, and say with `--type` what a class is:

    ampgen import shop.commands --type shop.Money=decimal
""",
    Severity.NOTE,
)

RULES = (NOT_DONE, NOT_UP_TO_DATE, NOT_CANONICAL, NOT_IN_SCHEMA)
