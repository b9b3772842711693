"""A project's own templates: before ours, beside ours, and what goes wrong in them."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen import cli, pipeline
from ampgen.model import EmptyMap, Extra, Notes
from ampgen.pipeline import compile_schemas
from ampgen.targets.owntemplates import RULES
from ampgen.targets.owntemplates.vocabulary import extra, extras, literal
from ampgen.targets.python.plan import KINDS
from tests.cases.golden import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA = """\
//! A shop.

import "money.amp";

/// How it is paid.
@x.icon("coin") enum Way { CASH; @x.icon("note") BILL; }

/// What is sold.
struct Item { @x.column(1, wide) name: str; price: money.Price; }

union Answer { item: Item; text: str; }

error Unknown { name: str?; }

service Shop {
    command List() -> stream (item: Item);
    @x.role("clerk", "owner") @x.role("boss")
    command Price(class: str, price: money.Price) -> (old: money.Price) raises Unknown;
    @x.limits(1, 2.5, true, [1, 2], {}, 500ms, bare)
    command Close() -> Answer;
}
"""
MONEY = "struct Price { amount: decimal; }\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.amp").write_text(SCHEMA)
    (tmp_path / "money.amp").write_text(MONEY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMPGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def put(name: str, text: str) -> None:
    path = Path("own", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def made(target: str = "python") -> Mapping[str, str]:
    compiled = compile_schemas([Path("shop.amp")], target=target, templates=Path("own"))
    assert compiled.files is not None, as_text(compiled.diagnostics)
    return compiled.files


def said(target: str = "python") -> str:
    compiled = compile_schemas([Path("shop.amp")], target=target, templates=Path("own"))
    assert compiled.files is None
    return as_text(compiled.diagnostics)


def module(text: str) -> None:
    put("python/module.py.j2", '{% extends "ampgen/python/module.py.j2" %}\n' + text)


# --- before ours ----------------------------------------------------------------------


def test_a_template_that_extends_ours_and_adds_nothing_changes_nothing() -> None:
    plain = compile_schemas([Path("shop.amp")]).files
    module("")
    for name in ("head", "package"):
        text = f'{{% extends "ampgen/python/{name}.py.j2" %}}\n'
        put(f"python/{name}.py.j2", text)
    assert made() == plain


@pytest.mark.parametrize("target", ["python", "twisted"])
def test_every_block_that_is_promised_is_there(target: str) -> None:
    blocks = {"head": ["imports"], "module": ["module_end"]}
    if target == "python":
        blocks["module"] += ["class_end"]
    for name, named in blocks.items():
        text = f'{{% extends "ampgen/{target}/{name}.py.j2" %}}\n'
        for block in named:
            indent = "    " if block == "class_end" else ""
            text += f"{{% block {block} %}}\n{indent}# {block}\n{{% endblock %}}\n"
        put(f"{target}/{name}.py.j2", text)
    put(
        "python/package.py.j2",
        '{% extends "ampgen/python/package.py.j2" %}\n'
        "{% block package_end %}\n# package_end\n{% endblock %}\n",
    )
    files = made(target)
    for name in ("shop.py", "money.py"):
        for block in (one for named in blocks.values() for one in named):
            assert f"# {block}\n" in files[name], (name, block)
        assert files[name].index("# imports") < files[name].index("__all__")
        assert files[name].endswith("# module_end\n")
    assert files["__init__.py"].endswith("# package_end\n")


def test_a_class_tells_what_it_is_made_of() -> None:
    module(
        "{% block class_end %}\n"
        "    # {{ plan.kind }}: {{ plan.name }} of {{ plan.of.name }}\n"
        "{% endblock %}\n"
    )
    text = made()["shop.py"]
    told = re.findall(r"^    # (.*): (\w+) of (\w+)$", text, re.MULTILINE)
    assert told == [
        ("enum", "Way", "Way"),
        ("struct", "Item", "Item"),
        ("member", "AnswerItem", "item"),
        ("member", "AnswerText", "text"),
        ("error", "Unknown", "Unknown"),
        ("item", "ListItem", "List"),
        ("result", "PriceResult", "Price"),
        ("client", "ShopClient", "Shop"),
        ("blocking client", "ShopBlockingClient", "Shop"),
        ("server", "ShopServer", "Shop"),
    ]
    assert {kind for kind, _, _ in told} == {*KINDS}
    for kind, name, _ in told:  # inside its class, at the end
        body = text[text.index(f"class {name}") :]
        assert body.index(f"# {kind}: {name} of") < (body + "\nclass ").index(
            "\nclass "
        )


def test_an_annotation_changes_the_client_class(folder: Path) -> None:
    module(
        '{% block class_end %}\n{% if plan.kind == "client" %}\n\n    roles = {\n'
        '{% for command in plan.of.commands if command | extra("role") %}\n'
        "        {{ command | python_name | literal }}: "
        '{{ (command | extra("role")).arguments | literal }},\n'
        "{% endfor %}\n    }\n{% endif %}\n{% endblock %}\n"
    )
    arguments = ["compile", "shop.amp", "-o", "changed", "--templates", "own"]
    assert cli.run(arguments) == 0
    changed: Any = importlib.import_module("changed.shop")
    assert changed.ShopClient.roles == {"price": ["clerk", "owner"]}
    assert not hasattr(changed.ShopServer, "roles")


def test_a_template_of_another_name_is_there_to_be_included() -> None:
    module('{% block module_end %}\n{% include "end.j2" %}{% endblock %}\n')
    put("end.j2", "END = {{ module.doc | literal }}\n")
    assert made()["shop.py"].endswith('END = "A shop."\n')


# --- what templates are given ---------------------------------------------------------


def shown(template: str) -> str:
    """What a template makes of it, once for the schema."""
    put("files/shown.txt.j2", "# {{ generated }}\n" + template)
    return made()["shown.txt"].split("\n", 1)[1]


def test_filters_and_tests_tell_of_the_model() -> None:
    text = shown("""\
{% for module in schema.modules %}
{{ module | python_name }}: {{ module.declarations | map(attribute="name") | list }}
{% endfor %}
{% for one in schema.roots[0].declarations %}
{{ one | python_name }}
{%- for kind in ["alias", "enum", "struct", "union", "error", "service"] %}
{% if kind == "enum" and one is enum %} enum{% endif %}
{% if kind == "struct" and one is struct %} struct{% endif %}
{% if kind == "union" and one is union %} union{% endif %}
{% if kind == "error" and one is error %} error{% endif %}
{% if kind == "service" and one is service %} service{% endif %}
{% if kind == "alias" and one is alias %} alias{% endif %}
{% endfor %}

{% endfor %}
{% set shop = schema.roots[0].declarations[4] %}
{% for command in shop.commands %}
{{ command | python_name }} {{ command | result_class }}
{% endfor %}
{{ shop.commands[1].arguments[0] | python_name }}
{{ shop.commands[1].arguments[0] | argument_name }}
{{ shop.commands[1] | extras("role") | map(attribute="arguments") | list }}
{{ shop.commands[1] | extra("nothing") }}
{{ (shop.commands[2] | extra("limits")).arguments | literal }}
{% set way = schema.roots[0].declarations[0] %}
{% set note = way.members[1] | extra("icon") %}
{{ (way | extra("icon")).arguments[0] }} {{ note.arguments[0] }}
{{ way.members[1] | python_name }}
{% set field = schema.roots[0].declarations[1].fields[0] %}
{{ (field | extra("column")).arguments | literal }} {{ field.type_span.text }}
""")
    assert text.split("\n") == [
        "money: ['Price']",
        "shop: ['Way', 'Item', 'Answer', 'Unknown', 'Shop']",
        *("Way enum", "Item struct", "Answer union", "Unknown error", "Shop service"),
        *("list ListItem", "price PriceResult", "close_ CloseResult"),
        *("class_", "class_"),
        "[('clerk', 'owner'), ('boss',)]",
        "None",
        '[1, 2.5, True, [1, 2], {}, 0.5, "bare"]',
        *("coin note", "BILL", '[1, "wide"] str', ""),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('it\'s "so"\n', "'it\\'s \"so\"\\n'"),
        (float("inf"), 'float("inf")'),
        (float("-inf"), 'float("-inf")'),
        (float("nan"), 'float("nan")'),
        ((), "[]"),
        (("a", (True, 1)), '["a", [True, 1]]'),
        (EmptyMap(), "{}"),
        (None, "None"),
    ],
)
def test_a_literal_is_the_value_in_python(value: Any, text: str) -> None:
    assert literal(value) == text
    compile(text, "", "eval")


def test_extras_are_found_by_their_names() -> None:
    noted: Any = type("Noted", (), {"notes": Notes(extras=(Extra("a", ()),))})
    assert extra(noted, "a") == Extra("a", ())
    assert extras(noted, "b") == []


# --- files of their own ---------------------------------------------------------------


def test_a_file_is_made_once_or_once_for_each_module() -> None:
    Path("class").mkdir()
    Path("class/deep.amp").write_text(MONEY)
    Path("shop.amp").write_text(f'import "class/deep.amp";\n{SCHEMA}')
    put("files/doc/{module}.md.j2", "<!-- {{ generated }} -->\n{{ module.path }}")
    put("files/all.md.j2", "<!-- {{ generated }} -->\n{{ schema.modules | length }}")
    put("files/.#lock.md.j2", "an editor's")
    put("files/note.md", "no template")
    files = made()
    assert {name for name in files if not name.endswith((".py", "py.typed"))} == {
        *("all.md", "doc/shop.md", "doc/money.md", "doc/class_/deep.md")
    }
    assert files["all.md"].endswith("-->\n3")
    assert "from class/deep.amp -->" in files["doc/class_/deep.md"]
    assert files["doc/class_/deep.md"].endswith("('class', 'deep')")
    assert list(files) == sorted(files)


def test_a_file_of_python_is_python_and_goes_when_its_template_goes() -> None:
    put("files/names_{module}.py.j2", "# {{ generated }}.\nNAME = 'x'\n")
    command = ["compile", "shop.amp", "-o", "pkg", "--templates", "own"]
    assert cli.run(command) == 0
    assert Path("pkg/names_shop.py").exists()
    put("files/other.py.j2", "# {{ generated }}.\n")
    Path("own/files/names_{module}.py.j2").unlink()
    assert cli.run(command) == 0
    assert not Path("pkg/names_shop.py").exists()


# --- what goes wrong ------------------------------------------------------------------


LINES = {
    "{{ nothing }}": "'nothing' is undefined",
    "{{ schema.modules[0].nothing }}": (
        "'ampgen.model.Module object' has no attribute 'nothing'"
    ),
    "{{ schemas }}": "did you mean `schema`?",
    "{{ schema.module }}": "did you mean `modules`?",
    "{{ nothing2 }}": "help: there are `generated`, `schema`, `version`",
    "{{ schema.modules[0].whatever }}": "help: `Module` has `declarations`, `doc`,",
    "{% if %}": "Expected an expression, got 'end of statement block'",
    "{% for one in schema.modules %}": "Unexpected end of template",
    "{{ 1 | litral }}": "did you mean `literal`?",
    "{{ 1 is serwice }}": "did you mean `service`?",
    "{{ 1 | nothing_like_it }}": "No filter named 'nothing_like_it'",
    '{% include "files/a.txt" %}': "did you mean `files/a.txt.j2`?",
    '{% include "../money.amp" %}': "there is no template `../money.amp`",
    '{% include "ampgen/a.j2" %}': "there is no template `ampgen/a.j2`",
    '{% extends "ampgen/python/modul.py.j2" %}': "mean `ampgen/python/module.py.j2`?",
    "{{ 1 / 0 }}": "ZeroDivisionError: division by zero",
    "{{ 1 | extra('a') }}": "AttributeError: 'int' object has no attribute 'notes'",
}


@pytest.mark.parametrize(("line", "told"), LINES.items())
def test_the_line_that_is_wrong_is_told_and_what_is_right(line: str, told: str) -> None:
    put("files/a.txt.j2", f"# {{{{ generated }}}}\n\n  {line}\n")
    text = said()
    assert text.startswith("error[AMP1101]: template `files/a.txt.j2`")
    assert " --> own/files/a.txt.j2:3:3\n" in text
    assert told in text
    assert "Traceback" not in text


def test_a_fault_in_what_is_included_is_told_there() -> None:
    put("files/a.txt.j2", '# {{ generated }}\n{% include "part.j2" %}\n')
    put("part.j2", "\n{{ nothing }}\n")
    assert "--> own/part.j2:2:1\n" in said()


def test_what_ours_cannot_take_is_told_where_it_is_given() -> None:
    put(
        "files/a.txt.j2",
        '{% import "ampgen/python/classes.py.j2" as classes %}\n'
        "# {{ generated }}\n{{ classes.class(1) }}\n",
    )
    assert "--> own/files/a.txt.j2:3:1\n" in said()


def test_a_name_in_a_class_is_known_by_its_plan() -> None:
    module("{% block class_end %}\n    {{ plam.kind }}\n{% endblock %}")
    assert "did you mean `plan`?" in said()
    module("{% block class_end %}\n    {{ plan.kin }}\n{% endblock %}")
    assert "did you mean `kind`?" in said()


def test_a_template_that_extends_itself_is_told_how_ours_is_called() -> None:
    put("python/module.py.j2", '{% extends "python/module.py.j2" %}')
    text = said()
    assert "template `python/module.py.j2` never comes to an end" in text
    assert "itself: ours is `ampgen/python/module.py.j2`" in text
    put("files/a.txt.j2", '{% include "files/a.txt.j2" %}')
    put("python/module.py.j2", '{% extends "ampgen/python/module.py.j2" %}')
    assert "template `files/a.txt.j2` never comes to an end\n" in said()


def test_what_is_no_python_is_told_by_template_and_line() -> None:
    module("{% block module_end %}\nx = = 1\n{% endblock %}\n")
    text = said()
    assert text.count("error[AMP1102]: template `python/module.py.j2` makes") == 2
    assert "which is no Python\n" in text
    assert "--> own/python/module.py.j2:1:1\n" in text
    assert re.search(
        r"::: <shop\.py>:\d+:1\n.*\n\s*\d+ \| x = = 1\n.*invalid syn", text
    )


@pytest.mark.parametrize("code", ["return 1", "x = '\0'", "def f():"])
def test_whatever_python_refuses_is_no_python(code: str) -> None:
    put("files/a.py.j2", f"# {{{{ generated }}}}\n{code}\n")
    text = said()
    assert "template `files/a.py.j2` makes `a.py`, which is no Python" in text
    assert "--> own/files/a.py.j2:1:1\n" in text


def test_what_python_merely_warns_of_is_no_error() -> None:
    put("files/a.py.j2", "# {{ generated }}\nx = '\\d'\n")
    assert "a.py" in made()


@pytest.mark.parametrize(
    ("template", "text", "told"),
    [
        ("files/a.md.j2", "# Text", "begin it with a comment that says `{{ generated"),
        ("files/a.py.j2", '"""{{ generated }}"""', "begin it with `# {{ generated }}`"),
        ("python/head.py.j2", "{{ body }}", "makes `money.py`, which has no mark"),
    ],
)
def test_a_file_without_a_mark_is_refused(template: str, text: str, told: str) -> None:
    put(template, text)
    assert told in said()
    assert f"error[AMP1103]: template `{template}` makes" in said()


def test_a_file_that_is_made_already_is_refused() -> None:
    put("files/{module}.py.j2", "# {{ generated }}\n")
    text = said()
    assert "makes `money.py`, which is made already" in text
    assert "help: give it another name" in text


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("files/shop.py/a.md.j2", "makes `shop.py/a.md`, and `shop.py` would be"),
        ("files/deep.j2", "makes `deep`, and `deep` would be a file and a folder"),
    ],
)
def test_a_path_is_not_a_file_and_a_folder(template: str, told: str) -> None:
    Path("deep").mkdir()
    Path("deep", "map.amp").write_text("struct Map { x: int; }\n")
    Path("shop.amp").write_text('import "deep/map.amp";\ntype At = map.Map;\n')
    put(template, "# {{ generated }}\n")
    assert f"error[AMP1103]: template `{template}` {told}" in said()


@pytest.mark.parametrize("name", ["a.md", "a.py"])
def test_what_no_file_can_hold_is_told(name: str) -> None:
    put(f"files/{name}.j2", "# {{ generated }}\n# {{ '\\ud800' }}\n")
    text = said()
    assert f"template `files/{name}.j2` makes `{name}`, which is no text" in text
    assert "help: UTF-8 has no character '\\ud800'" in text


def test_a_template_that_nothing_uses_is_told_with_the_name_of_ours() -> None:
    put("python/modul.py.j2", "")
    put("files/a.txt.j2", "# {{ generated }}")
    text = said()
    assert "nothing uses the template `own/python/modul.py.j2`" in text
    assert "ours is called `python/module.py.j2`" in text


def test_templates_for_another_target_are_no_mistake() -> None:
    put("twisted/module.py.j2", "{{ nothing }}")
    assert made()


def test_a_folder_without_any_template_that_counts_is_told() -> None:
    put("readme.txt", "")
    assert "nothing uses the templates in `own`" in said()


def test_what_cannot_be_read_is_told() -> None:
    assert "error[AMP1101]: cannot read `own`: No such file or directory" in said()
    put("python/module.py.j2", "")
    Path("own/python/module.py.j2").write_bytes(b"a\n\xff")
    told = "cannot read `own/python/module.py.j2`: it is not UTF-8: byte 0xff in line 2"
    assert told in said()
    Path("own/python/module.py.j2").unlink()
    Path("own/python/module.py.j2").mkdir()
    assert "cannot read `own/python/module.py.j2`: Is a directory" in said()


def test_nothing_is_written_where_a_template_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("files/a.txt.j2", "{{ nothing }}")
    command = ["compile", "shop.amp", "-o", "pkg", "--templates", "own"]
    assert cli.run([*command, "--format", "short"]) == 1
    told = "own/files/a.txt.j2:1:1: error[AMP1101]: template `files/a.txt.j2`: "
    assert capsys.readouterr().err == f"{told}'nothing' is undefined\n"
    assert not Path("pkg").exists()


# --- and what is remembered -----------------------------------------------------------

CHANGES: dict[str, Callable[[], object]] = {
    "a template": lambda: put("files/a.txt.j2", "# {{ generated }}\nother"),
    "a part": lambda: put("part.j2", "other"),
    "a new file": lambda: put("files/b.txt.j2", "# {{ generated }}\n"),
    "a new one before ours": lambda: put(
        "python/head.py.j2", '{% extends "ampgen/python/head.py.j2" %}'
    ),
    "one that goes": lambda: Path("own/files/c.txt.j2").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_a_template_is_compiled_again(
    change: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[object] = []

    def counted(*arguments: Any) -> pipeline.Compiled:
        runs.append(arguments)
        return compile_schemas(*arguments)

    monkeypatch.setattr(pipeline, "compile_schemas", counted)
    put("files/a.txt.j2", '# {{ generated }}\n{% include "part.j2" %}')
    put("files/c.txt.j2", "# {{ generated }}")
    put("part.j2", "x")
    command = ["compile", "shop.amp", "-o", "pkg", "--templates", "own"]
    assert cli.run(command) == cli.run(command) == 0
    assert len(runs) == 1
    assert cli.run(["compile", "shop.amp", "-o", "other"]) == 0
    assert len(runs) == 2, "without templates it is another request"
    change()
    cli.run(command)
    assert len(runs) == 3


def test_the_rules_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert [rule.code for rule in RULES] == ["AMP1101", "AMP1102", "AMP1103", "AMP1104"]
    assert cli.run(["explain", "AMP1101"]) == 0
    assert "docs/templates.md" in capsys.readouterr().out
