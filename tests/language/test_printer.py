"""The canonical form, one rule at a time; that it says the same is a property."""

# ruff: noqa: E501

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from lark import Lark

from ampgen.language.printer import canonical, canonical_docs
from ampgen.language.printer.tokens import tokenise
from tests.language.reading import clean

ROOT = Path(__file__).parents[2]

# What is written, and what becomes of it.
FORMS = {
    "members stand one a line": (
        'enum E { A; B = "b"; } struct S {} union U { a: int; }',
        """\
        enum E {
            A;
            B = "b";
        }

        struct S {}

        union U {
            a: int;
        }
        """,
    ),
    "spaces are where they are always": (
        'struct S{a:{ str:[ geo . P ] }?;@x . y( "a",[ 1,2, ] )b : int=-1;reserved"c" , "d";}',
        """\
        struct S {
            a: {str: [geo.P]}?;
            @x.y("a", [1, 2]) b: int = -1;
            reserved "c", "d";
        }
        """,
    ),
    "a command stands on one line": (
        """
        service S extends A , calls B {
            command stream(
                a: int, reserved "b", "c",
            ) -> stream (
                d: stream int
            ) raises E, F,;
        }
        """,
        """\
        service S extends A calls B {
            command stream(a: int, reserved "b", "c") -> stream (d: stream int) raises E, F;
        }
        """,
    ),
    "results are broken first": (
        f"service S {{ command C(a: int) -> (b: int, {'c' * 60}: int, d: str, e: str); }}",
        f"""\
        service S {{
            command C(a: int) -> (
                b: int,
                {"c" * 60}: int,
                d: str,
                e: str,
            );
        }}
        """,
    ),
    "arguments, if that is not enough": (
        f"service S {{ command C(a: int, {'b' * 90}: int) -> (c: int); }}",
        f"""\
        service S {{
            command C(
                a: int,
                {"b" * 90}: int,
            ) -> (c: int);
        }}
        """,
    ),
    "what cannot be broken stays": (
        f"service S {{ command C() -> {'c' * 50}.{'d' * 50}; }}",
        f"""\
        service S {{
            command C() -> {"c" * 50}.{"d" * 50};
        }}
        """,
    ),
    "docs of arguments break a list": (
        "service S { command C(/// What.\n a: int) -> (b: int); }",
        """\
        service S {
            command C(
                /// What.
                a: int,
            ) -> (b: int);
        }
        """,
    ),
    "annotations stand above what has a body": (
        '@deprecated("a") error E; service S { @x.a @x.b command C(@sensitive a: int); }',
        """\
        @deprecated("a")
        error E;

        service S {
            @x.a @x.b
            command C(@sensitive a: int);
        }
        """,
    ),
    "and above all else that is too long": (
        f'struct S {{ @deprecated("{"w" * 70}") {"n" * 20}: int; }}',
        f"""\
        struct S {{
            @deprecated("{"w" * 70}")
            {"n" * 20}: int;
        }}
        """,
    ),
    "one a line, if they are too long themselves": (
        f'@deprecated("{"w" * 60}") @x.y("{"z" * 60}") struct S {{}}',
        f"""\
        @deprecated("{"w" * 60}")
        @x.y("{"z" * 60}")
        struct S {{}}
        """,
    ),
    "docs stand before annotations": (
        "@deprecated /// What.\nstruct S {}",
        """\
        /// What.
        @deprecated
        struct S {}
        """,
    ),
    "blank lines": (
        """

        //! File.
        import "a.amp";
        import "b.amp";


        type A = int; type B = int;

        type C = int;
        struct S {

            a: int;


            b: int;
            c: int;

        }
        struct T {}

        """,
        """\
        //! File.

        import "a.amp";
        import "b.amp";

        type A = int;
        type B = int;

        type C = int;

        struct S {
            a: int;

            b: int;
            c: int;
        }

        struct T {}
        """,
    ),
    "comments": (
        """
        // Nobody's.

        // Of S.
        struct S { // Of the body.
            a: int; // Of a.
            /* of b */ b: int; /* of b */
            c /* inside */ : /* c */ int // Of c.
            ;
            //of d
            d: int;   /// Of e.
            e: int;
            // Of nothing.
        } // Behind.
        // The end.
        """,
        """\
        // Nobody's.

        // Of S.
        struct S { // Of the body.
            a: int; // Of a.
            /* of b */ b: int; /* of b */
            c /* inside */: /* c */ int; // Of c.
            //of d
            d: int;
            /// Of e.
            e: int;
            // Of nothing.
        } // Behind.
        // The end.
        """,
    ),
    "comments in lists": (
        """
        service S {
            command A(/* nothing */);
            command B(a: int /* of a */, /* of b */ b: int);
            command C(a: int, // Of a.
                b: int /* of b */ // Of b.
                // Of nothing.
            );
            command D(a: int, /* of a */
                b: int);
            command // Odd.
                E();
        }
        """,
        """\
        service S {
            command A(/* nothing */);
            command B(a: int /* of a */, /* of b */ b: int);
            command C(
                a: int, // Of a.
                b: int /* of b */, // Of b.
                // Of nothing.
            );
            command D(
                a: int, /* of a */
                b: int,
            );
            command // Odd.
                E();
        }
        """,
    ),
    "comments of several lines": (
        """
        struct S {
        /* One
             * two
          */
        a: int;
        /* One
             two
          */
        b: int;
        }
        """,
        """\
        struct S {
            /* One
             * two
             */
            a: int;
            /* One
             two
          */
            b: int;
        }
        """,
    ),
    "strings have the escapes that they need": (
        'enum E { A = "\\u{41}\\u{e9}\\u{200b}\\n\\"\\u{7}\u00a0"; B = "\u20ac"; }',
        """\
        enum E {
            A = "A\u00e9\\u{200b}\\n\\"\\u{7}\\u{a0}";
            B = "\u20ac";
        }
        """,
    ),
    "line ends and a mark at the start": (
        "\ufeffstruct S {\r\n    /* a\r\n     b */\r\n}\r\n",
        """\
        struct S {
            /* a
             b */
        }
        """,
    ),
    "nothing": ("  \n\n", ""),
    "comments alone": (" // a\n\n\n // b", "// a\n\n// b\n"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_canonical_form(name: str) -> None:
    written, expected = FORMS[name]
    text = dedent(written) if written.startswith("\n") else written
    assert canonical(text) == dedent(expected)
    assert canonical(dedent(expected)) == dedent(expected)


def test_docs_are_all_that_may_be_kept() -> None:
    written = dedent(
        """\
        // Lost.
        //! File.
        import "a.amp" as b; // Lost.
        /// Of nothing.
        import "c.amp";
        /// Of S.
        // Lost.
        /// And more.
        struct S { // Lost.
            a: int; /* lost */
            /// Of nothing.
            reserved "x";
            //! Of the file.
        }
        """
    )
    docs = canonical_docs(written, ["../a.amp", "d/c.amp"])
    assert docs == dedent(
        """\
        //! File.
        //! Of the file.

        import "../a.amp" as b;
        import "d/c.amp";

        /// Of S.
        /// And more.
        struct S {
            a: int;
            reserved "x";
        }
        """
    )
    clean(docs)
    assert canonical_docs("//! Alone.\n// Lost.") == "//! Alone.\n"


FILES = sorted(
    path
    for folder in ("schemas", "tests/language", "tests/runtime", "tests/targets")
    for path in (ROOT / folder).rglob("*.amp")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tokens_are_those_of_the_grammar(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    grammar = (ROOT / "ampgen/language/grammar.lark").read_text(encoding="utf-8")
    lark: Any = Lark(grammar, parser="lalr", lexer="contextual")
    expected = [str(token) for token in lark.lex(text, dont_ignore=True)]
    expected = [token for token in expected if token.strip(" \t\r\n\f\ufeff")]
    found = [
        piece
        for token in tokenise(text)
        for piece in (*(one.text for one in token.before), token.text)
    ]
    found.remove("")  # the end
    # a comment and a string may have become canonical
    assert [key for key, _ in groupby(map(_plain, found))] == [
        key for key, _ in groupby(map(_plain, expected))
    ]


def _plain(token: str) -> str:
    return token if token[0] not in '"/' else token[:2]
