"""The command line: ``main`` is what the ``ampgen`` command runs.

One file per verb, listed in ``VERBS``; a verb is imported when it is called for. Exit
status: 0 done, 1 the schema has errors or something could not be read or written, 2
wrong usage.
"""

from __future__ import annotations

import gc
import io
import keyword
import os
import sys
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from ampgen.runtime.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Verb -> what `ampgen --help` says of it. The module of that name here, or with a `_`
# behind it where Python keeps the word, holds `COMMAND`.
VERBS: Mapping[str, str] = MappingProxyType(
    {
        "breaking": "Tell what a change of schemas breaks.",
        "call": "Call a command of a server, and print its answer.",
        "check": "Look for errors in schemas, and for what may be regretted.",
        "compile": "Make Python of schemas.",
        "decode": "Print the boxes in bytes that were written down or captured.",
        "describe": "Print what a schema, or a server, offers.",
        "explain": "Tell more about an error code.",
        "fix": "Mend what can be mended in schemas.",
        "fmt": "Bring schemas into their canonical form.",
        "import": "Make a schema of a Twisted program's commands.",
        "mock": "Serve a schema with plausible values, and tell of the calls.",
        "proxy": "Stand between clients and a server, and print what they say.",
        "replay": "Say again to a server what a client has said.",
    }
)

EXAMPLE = """\
Example: compile a schema into the package `pkg`, and look an error up:

\b
    ampgen compile schemas/text.amp -o pkg
    ampgen explain AMP0204
"""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"ampgen.cli.{name}").COMMAND
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Verbs"):  # from the table: no verb is imported for this
            formatter.write_dl(list(VERBS.items()))


@click.command(
    cls=_Verbs, epilog=EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="ampgen %(version)s")
def ampgen() -> None:
    """Typed Python for programs that talk AMP, from one schema."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process."""
    if sys.stderr is None:  # it was closed before we started: nobody wants to know
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that lacks a character gets its number, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")  # pyright: ignore[reportUnknownMemberType]
    # It lives for a second: garbage is not worth a search, nor is what is left over.
    gc.disable()
    status = run(arguments)
    gc.freeze()
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is returned."""
    try:
        status = ampgen.main(arguments, "ampgen", standalone_mode=False)
        if sys.stdout is not None:  # None: it was closed before we started
            sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130  # Ctrl-C, as a shell reports it
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # a reader may have had enough
            where = error.filename or "cannot write the output"
            click.echo(f"error: {where}: {error.strerror}", err=True)
        # What is still buffered must go nowhere, or the interpreter complains about it
        # at exit.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
