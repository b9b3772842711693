"""Packages that need ampgen to be built: one with a target, one with schemas."""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import PIP, ROOT, a_clean_environment, run, try_to_run

if TYPE_CHECKING:
    from pathlib import Path

# One worker runs these and those of the installs: they share the index and the machine.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("installs")]

TARGET = ROOT / "tests" / "targets" / "example_target"
SHOP = ROOT / "docs" / "examples" / "building" / "shop"
OFFLINE = ("--no-build-isolation", "--no-deps", "--no-index")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with ampgen from its wheel, and with hatchling."""
    folder = tmp_path_factory.mktemp("builds")
    run(sys.executable, *PIP, "wheel", "--no-deps", "-w", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("ampgen_idl-*.whl")
    python = a_clean_environment(folder / "venv")
    run(python, *PIP, "install", wheel, "hatchling", "editables", cwd=folder)
    return python


def test_the_target_of_a_package_is_there_once_it_is_installed(
    python: Path, tmp_path: Path
) -> None:
    shutil.copytree(TARGET, tmp_path / "target")
    ampgen = python.with_name("ampgen")
    shutil.copy(ROOT / "schemas" / "repeat.amp", tmp_path)
    command: list[str | Path] = [
        ampgen,
        "compile",
        "repeat.amp",
        "--target",
        "markdown",
        "-o",
        "pages",
    ]
    missing = try_to_run(*command, cwd=tmp_path)
    assert missing.returncode == 2
    assert "no target `markdown`; there are python, twisted" in missing.stderr
    run(python, *PIP, "install", *OFFLINE, tmp_path / "target", cwd=tmp_path)
    try:
        run(*command, cwd=tmp_path)
        assert "markdown" in run(ampgen, "compile", "--help", cwd=tmp_path)
    finally:
        run(python, *PIP, "uninstall", "-y", "example-target", cwd=tmp_path)
    (page,) = (tmp_path / "pages").iterdir()
    assert page.name == "repeat.md"
    assert "| `Repeat(" in page.read_text()


# --- a package that compiles its schemas ----------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The package of docs/building.md, under git as it would be."""
    project = tmp_path / "shop"
    shutil.copytree(SHOP, project)
    run("git", "init", "--quiet", project, cwd=tmp_path)
    assert "/src/shop/rpc/" in (project / ".gitignore").read_text()
    return project


MADE = {"shop/rpc/__init__.py", "shop/rpc/py.typed", "shop/rpc/orders.py"}
CALL = (
    "import shop, shop.rpc.orders; print(shop.rpc.orders.__file__, shop.OrdersClient)"
)


def wheel_of(python: Path, source: Path, folder: Path) -> Path:
    command = (*PIP, "wheel", *OFFLINE, "-w", folder, source)
    run(python, *command, cwd=folder.parent)
    (wheel,) = folder.glob("shop-*.whl")
    return wheel


def test_a_wheel_has_what_was_made_of_its_schemas(python: Path, shop: Path) -> None:
    wheel = wheel_of(python, shop, shop.parent / "dist")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if "info" not in name}
    assert names == {*MADE, "shop/__init__.py"}
    assert (shop / "src" / "shop" / "rpc" / "orders.py").exists()
    run(python, *PIP, "install", *OFFLINE, wheel, cwd=shop.parent)
    try:
        assert "OrdersClient" in run(python, "-c", CALL, cwd=shop.parent)
    finally:
        run(python, *PIP, "uninstall", "-y", "shop", cwd=shop.parent)


def test_a_source_distribution_has_the_schemas_and_makes_the_same_wheel(
    python: Path, shop: Path
) -> None:
    build = "from hatchling.build import build_sdist; build_sdist('dist')"
    run(python, "-c", build, cwd=shop)
    (sdist,) = (shop / "dist").glob("shop-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in MADE} <= names
    assert {"schemas/orders.amp", "src/shop/__init__.py"} <= names
    wheel = wheel_of(python, sdist, shop.parent / "from_sdist")
    other = wheel_of(python, shop, shop.parent / "dist")
    assert wheel.name == other.name
    ours, theirs = zipfile.ZipFile(wheel), zipfile.ZipFile(other)
    assert {n: ours.read(n) for n in ours.namelist()} == {
        n: theirs.read(n) for n in theirs.namelist()
    }


def test_an_editable_install_has_them_in_the_source_tree(
    python: Path, shop: Path
) -> None:
    run(python, *PIP, "install", *OFFLINE, "--editable", shop, cwd=shop.parent)
    try:
        printed = run(python, "-c", CALL, cwd=shop.parent)
        assert str(shop / "src" / "shop" / "rpc" / "orders.py") in printed
    finally:
        run(python, *PIP, "uninstall", "-y", "shop", cwd=shop.parent)


def build(python: Path, shop: Path, settings: str) -> tuple[int, str]:
    """Build with these settings of the hook; what is told."""
    text = (shop / "pyproject.toml").read_text()
    head, _, _ = text.partition("[tool.hatch.build.hooks.ampgen]")
    (shop / "pyproject.toml").write_text(
        f"{head}[tool.hatch.build.hooks.ampgen]\n{settings}\n"
    )
    code = "from hatchling.build import build_wheel; build_wheel('dist')"
    done = try_to_run(python, "-c", code, cwd=shop)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


GOOD = 'schemas = ["schemas/*.amp"]\noutput = "src/shop/rpc"\n'


def test_errors_of_a_schema_are_shown_and_end_the_build(
    python: Path, shop: Path
) -> None:
    orders = shop / "schemas" / "orders.amp"
    orders.write_text(orders.read_text().replace("id: uuid", "id: uuidd"))
    status, told = build(python, shop, GOOD)
    assert status == 1
    assert "error[AMP0204]: unknown type `uuidd`\n --> schemas/orders.amp:3:9\n" in told
    assert "help: did you mean `uuid`?" in told
    assert "[tool.hatch.build.hooks.ampgen]: the schemas are not compiled" in told
    assert not list((shop / "dist").glob("*.whl"))


def test_all_that_compile_takes_can_be_set(python: Path, shop: Path) -> None:
    (shop / "vendor").mkdir()
    (shop / "vendor" / "geo.amp").write_text("struct Point { x: int; }\n")
    orders = shop / "schemas" / "orders.amp"
    orders.write_text(
        f'import "geo.amp";\n{orders.read_text()}\ntype At = geo.Point;\n'
    )
    (shop / "own" / "files").mkdir(parents=True)
    (shop / "own" / "files" / "all [x].txt.j2").write_text("# {{ generated }}\n")
    settings = f'{GOOD}include = ["vendor"]\ntarget = "twisted"\ntemplates = "own"\n'
    status, told = build(python, shop, settings)
    assert (status, told) == (0, "")
    (wheel,) = (shop / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    added = {"geo.py", "_arguments.py", "all [x].txt"}
    assert {f"shop/rpc/{name}" for name in added} <= names


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "`schemas` and `output` are needed"),
        ('schemas = ["schemas/*.amp"]', "`schemas` and `output` are needed"),
        (GOOD.replace('["schemas/*.amp"]', '"x"'), "`schemas` is a list of strings"),
        (GOOD.replace('"schemas/*.amp"', "1"), "`schemas` is a list of strings"),
        (GOOD.replace('"src/shop/rpc"', "[]"), "`output` is a string"),
        (GOOD.replace("src/shop", ".."), "`output` is a folder in the project"),
        (GOOD.replace("src/shop/rpc", "/rpc"), "`output` is a folder in the project"),
        (GOOD.replace("rpc", "\\u0000"), "`output` is a folder in the project"),
        (GOOD + 'include = [""]', "`include` is a list of strings, and none is empty"),
        (GOOD + 'taget = "python"', "no option `taget`; did you mean `target`?"),
        (GOOD + 'mode = "fast"', "no option `mode`; it has `schemas`, `output`"),
        (GOOD + 'target = "rust"', "no target `rust`; there are python, twisted"),
        (
            GOOD + 'target = "rust"\ntemplates = "own"',
            "`templates`: the target `rust` has no templates of ours",
        ),
        (GOOD.replace("*.amp", "*.idl"), "no file matches `schemas/*.idl`"),
        (GOOD.replace("/*.amp", "*"), "no file matches `schemas*`"),
        (GOOD.replace("*.amp", "no.amp"), "cannot read `schemas/no.amp`: no such file"),
        (GOOD + 'templates = "own"', "cannot read `own`: No such file"),
    ],
)
def test_a_setting_that_cannot_be_understood_ends_the_build(
    settings: str, told: str, python: Path, shop: Path
) -> None:
    status, printed = build(python, shop, settings)
    assert status == 1
    assert told in printed
