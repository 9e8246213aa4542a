import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import portal.plugin
from portal.domain.declarations import FIELD_TYPES, MOST_FIELDS
from portal.domain.expressions import _COUNTS
from portal.domain.xlsform_reference import render_dialect
from portal.hookspecs import HOOKS, render_reference
from portal.plugin import API_VERSION
from portal.testing import __all__ as TESTING

ROOT = Path(__file__).parents[2]
README = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
CHINESE, _, ENGLISH = README.partition("\n# Writing a sector\n")
SECTORS = sorted(path for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())


def test_the_hello_world_of_the_readme_is_the_real_file():
    shown = re.search(r"<!-- hello:[^>]*-->\n```python\n(.*?)```\n", README, re.S)[1]
    assert shown == (ROOT / "plugins" / "water_heaters" / "__init__.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_hook_reference_is_generated_from_the_specifications(language):
    shown = re.search(rf"<!-- reference {language}:[^>]*-->\n(.*?)<!-- end -->", README, re.S)[1]
    assert shown == render_reference(language)
    assert all(f"| `{name}(" in shown for name in HOOKS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_dialect_of_spreadsheets_is_generated_from_what_is_read(language):
    shown = re.search(rf"<!-- dialect {language}:[^>]*-->\n(.*?)\n<!-- end -->", README, re.S)[1]
    assert shown == render_dialect(language)


def test_the_command_of_the_readme_prints_the_reference():
    printed = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "portal.hookspecs", "en"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8"
    ).stdout
    assert printed == render_reference("en") + "\n"


@pytest.mark.parametrize("half", [CHINESE, ENGLISH], ids=["Chinese", "English"])
def test_both_languages_name_every_field_type_function_and_testing_helper(half):
    missing = [name for name in FIELD_TYPES if f"`{name}`" not in half]
    missing += [name for name in _COUNTS if f"`{name}()`" not in half]
    missing += [name for name in TESTING if name != "TODAY" and not re.search(rf"`{name}\(", half)]
    assert missing == []


@pytest.mark.parametrize("half", [CHINESE, ENGLISH], ids=["Chinese", "English"])
def test_both_languages_name_what_sectors_share(half):
    shared = [name for name in portal.plugin.__all__ if name.islower() and name != "hookimpl"]
    assert len(shared) >= 10 and [name for name in shared if f"`{name}()`" not in half] == []


def listings(readme: str) -> list[tuple[str, str]]:
    """(file it claims to be, or empty; its text) of every listing of Python or TOML."""
    found = re.findall(r"(?:<!-- (hello|file: \S+)[^>]*-->\n)?```(?:python|toml)\n(.*?)```\n", readme, re.S)
    return [("plugins/water_heaters/__init__.py" if claim == "hello" else claim.removeprefix("file: "), text) for claim, text in found]


def unlike(readme: str) -> list[str]:
    """Listings that are no file or differ from it."""
    return [name or text for name, text in listings(readme) if not name or text != (ROOT / name).read_text("utf-8")]


def test_every_listing_is_a_real_file_word_for_word():
    assert len(listings(README)) == 3 and unlike(README) == []


def test_a_listing_that_differs_from_its_file_or_is_none_is_found():
    assert unlike(README + "```python\nx = 1\n```\n") == ["x = 1\n"]
    assert unlike(README.replace("店长", "店主")) == ["templates/sector/test_sector_code.py"]
    assert unlike(README.replace('"text", hint="写明型号和数量"', '"text"')) == ["plugins/water_heaters/__init__.py"]


@pytest.mark.parametrize("half", [CHINESE, ENGLISH], ids=["Chinese", "English"])
def test_the_stability_note_names_the_version(half):
    assert f"现为 `{API_VERSION}`" in half or f"now `{API_VERSION}`" in half
    assert re.fullmatch(r"[1-9][0-9]*\.[0-9]+", API_VERSION) and f"{MOST_FIELDS:,}" in half


@pytest.mark.parametrize("folder", SECTORS, ids=lambda path: path.name)
def test_a_sector_imports_the_plugin_module_its_own_package_and_the_standard_library_only(folder):
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if not node.level else [f"plugins.{folder.name}"]
            for name in names:
                own = name == f"plugins.{folder.name}" or name.startswith(f"plugins.{folder.name}.")
                assert name == "portal.plugin" or own or name.split(".")[0] in sys.stdlib_module_names, f"{file.name}: {name}"


@pytest.mark.parametrize("folder", SECTORS, ids=lambda path: path.name)
def test_every_sector_has_its_tests_and_no_file_above_four_hundred_lines(folder):
    assert (ROOT / "tests" / "plugins" / f"test_{folder.name}.py").exists()
    assert all(len(file.read_text(encoding="utf-8").splitlines()) <= 400 for file in folder.rglob("*.py"))
