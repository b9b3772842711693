"""Doc comments find what they document."""

from __future__ import annotations

import pytest

from tests.language.reading import clean, codes


@pytest.mark.parametrize(
    ("text", "doc"),
    [
        ("/// One.\nstruct S { }", "One."),
        ("///One.\nstruct S { }", "One."),
        ("///  indented\nstruct S { }", " indented"),
        ("/// One.\n///\n/// Two.\nstruct S { }", "One.\n\nTwo."),
        ("/// One.\r\n/// Two.\r\nstruct S { }", "One.\nTwo."),
        ("/// One.\n// not this\nstruct S { }", "One."),
        ("/// One.\n/* nor this */ struct S { }", "One."),
        ("/// One.\n\n/// Two.\nstruct S { }", "One.\nTwo."),
        ("/// One. struct S { }\nstruct S { }", "One. struct S { }"),
        ("//// One.\nstruct S { }", None),
        ("// One.\nstruct S { }", None),
        ("/** One. */ struct S { }", None),
        ("//! One.\nstruct S { }", None),
    ],
)
def test_a_doc_comment_documents_what_follows(text: str, doc: str | None) -> None:
    (declaration,) = clean(text).declarations
    assert (declaration.doc and declaration.doc.text) == doc


def test_the_doc_of_the_file_is_gathered_from_all_of_it() -> None:
    doc = clean("//! One.\n//!\nstruct S { }\n//! Two.\n").doc
    assert doc is not None
    assert doc.text == "One.\n\nTwo."


def test_comment_marks_in_strings_begin_no_comment() -> None:
    clean('struct S { a: str = "/* // /// "; b: str = "*/"; }')
    clean('@deprecated("/// x") struct S { }')


def test_quotation_marks_in_comments_begin_no_string() -> None:
    clean('// "\nstruct S { /* " */ a: int; /// "\n b: int; }')


@pytest.mark.parametrize(
    "text",
    [
        "/// x",
        "struct S { a: int; /// x\n }",
        '/// x\nimport "a.amp";',
        'struct S { /// x\n reserved "a"; }',
        "service S { command C(/// x\n); }",
        "struct /// x\n S { }",
        "/// x\n/// y\n",
    ],
)
def test_a_doc_comment_that_documents_nothing_is_one_warning(text: str) -> None:
    assert codes(text) == ["AMP0116"]


def test_a_doc_comment_on_a_broken_piece_is_not_dangling() -> None:
    assert codes("/// x\nstruct { a: int; /// y\n }") == ["AMP0101"]
    assert codes("struct S { /// x\n a int; }") == ["AMP0101"]
    assert codes("service S { /// x\n command C(/// y\n a int); }") == ["AMP0101"]
