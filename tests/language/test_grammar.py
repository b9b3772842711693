from __future__ import annotations

import logging
from importlib import resources
from typing import TYPE_CHECKING

import lark

if TYPE_CHECKING:
    import pytest


def test_the_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    grammar = resources.files("ampgen.language").joinpath("grammar.lark").read_text()
    caplog.set_level(logging.DEBUG, logger=lark.logger.name)
    lark.Lark(grammar, parser="lalr", debug=True)
    assert "onflict" not in caplog.text


def test_lark_reports_conflicts_where_the_test_looks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ambiguous = 'start: "if" start ["else" start] | "x"'
    caplog.set_level(logging.DEBUG, logger=lark.logger.name)
    lark.Lark(ambiguous, parser="lalr", debug=True)
    assert "onflict" in caplog.text
