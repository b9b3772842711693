"""What holds for all pages: none is missing, no link is dead, no option misspelt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from ampgen import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    ROOT / "ampgen" / "README.md",
    *sorted(DOCS.glob("*.md")),
]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """Without blocks of code."""
    return re.sub(r"^```.*\n(?s:.*?)^```$", "", text, flags=re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """What the headings of a page are called in its links, as code hosts have it."""
    found: set[str] = set()
    headings = re.findall(
        r"^#+ (.*)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE
    )
    for heading in headings:
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = sum(known.rpartition("-")[0] == words for known in found)
        found.add(f"{words}-{number + 1}" if words in found else words)
    return found


def links(path: Path) -> Iterator[str]:
    """Those that stay in the project."""
    for target in re.findall(
        r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))
    ):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_link_is_dead(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        assert path.exists(), f"{name(page)}: {link}"
        if anchor:
            assert anchor in anchors(path), f"{name(page)}: {link}"


def test_the_index_has_every_page() -> None:
    index = DOCS / "README.md"
    linked = {(DOCS / link).resolve() for link in links(index) if "#" not in link}
    missing = [
        page.name
        for page in DOCS.glob("*.md")
        if page != index and page.resolve() not in linked
    ]
    assert not missing, "docs/README.md does not name them"


@pytest.mark.parametrize("verb", cli.VERBS)
def test_the_readme_leads_to_each_verb(verb: str) -> None:
    assert f"docs/{verb}.md" in links(ROOT / "README.md")


# --- options --------------------------------------------------------------------------


def options(verb: str) -> dict[str, list[str]]:
    """Of each the ways to write it, by the longest."""
    command = cli.ampgen.get_command(click.Context(cli.ampgen), verb)
    assert command is not None
    return {
        max(one.opts, key=len): [*one.opts, *one.secondary_opts]
        for one in command.params
        if isinstance(one, click.Option)
    }


@pytest.mark.parametrize("verb", cli.VERBS)
def test_a_verb_has_a_page_that_tells_of_each_option(verb: str) -> None:
    page = DOCS / f"{verb}.md"
    assert page.exists()
    text = page.read_text(encoding="utf-8")
    untold = [
        option
        for option, ways in options(verb).items()
        if not any(re.search(rf"(?<![\w-]){way}(?![\w-])", text) for way in ways)
    ]
    assert not untold, f"docs/{verb}.md does not tell of them"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_makes_options_up(page: Path) -> None:
    """On the same line, or in the same piece of code, as the verb that has them."""
    text = page.read_text(encoding="utf-8")
    for verb, rest in re.findall(r"\bampgen ([a-z]+)\b([^`\n|;]*)", text):
        if verb not in cli.VERBS:
            continue
        known = {"--help", *(way for ways in options(verb).values() for way in ways)}
        named = re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)
        assert set(named) <= known, f"{name(page)}: ampgen {verb}{rest}"
