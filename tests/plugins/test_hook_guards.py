"""What must hold of every hook and of what sectors may import: an undocumented, untyped, untested or unused hook fails here."""

import ast
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from portal import hookspecs, plugin
from portal.hookspecs import HOOKS, render_reference
from tests.plugins.test_machinery import ROUTES
from tests.test_layers import check_imports

ROOT = Path(__file__).parents[2]
#: every sector that is at work: those of plugins/ and the education department's
SECTORS = {folder.name: sorted(folder.rglob("*.py")) for folder in sorted((ROOT / "plugins").iterdir()) if (folder / "__init__.py").exists()}
SECTORS["education"] = [ROOT / "tests" / "education" / "mingcha_education.py"]
README = (ROOT / "plugins" / "README.md").read_text("utf-8")


def unused(hooks: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Hooks that no source implements with @hookimpl."""
    used = {
        node.name for source in sources for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and any(getattr(one, "id", "") == "hookimpl" for one in node.decorator_list)
    }
    return [name for name in hooks if name not in used]


def untyped(hooks: Mapping[str, Callable], known: Iterable[str]) -> list[str]:
    """Hooks with an argument or answer that has no type, or a type that sectors cannot import."""
    found, known = [], {*known, "Sequence", "Mapping", "None", "str", "int"}
    for name, hook in hooks.items():
        notes = dict(hook.__annotations__)
        arguments = hook.__code__.co_varnames[: hook.__code__.co_argcount]
        words = set(re.findall(r"\w+", " ".join(map(str, notes.values()))))
        if {*arguments, "return"} - notes.keys() or words - known:
            found.append(name)
    return found


def undocumented(hooks: Mapping[str, Callable], readme: str) -> list[str]:
    """Hooks without one sentence in each language, or missing from the readme."""
    return [
        name for name, hook in hooks.items()
        if not (hook.__doc__ or "").strip().endswith(".") or not hook.chinese.endswith("。") or readme.count(f"| `{name}(") != 2
    ]


def every_source() -> list[str]:
    return [file.read_text("utf-8") for files in SECTORS.values() for file in files]


def test_every_hook_is_documented_typed_tested_and_used_by_a_real_sector():
    assert undocumented(HOOKS, README) == []
    assert untyped(HOOKS, plugin.__all__) == []
    assert [name for name in HOOKS if name not in ROUTES] == []
    assert unused(HOOKS, every_source()) == []


def test_these_guards_find_a_new_hook_that_is_none_of_it():
    def new_hook(task, request: "Request") -> str:  # noqa: F821 - a type that does not exist is the point
        """No full stop"""

    new_hook.chinese = "没有句号"
    more = {**HOOKS, "new_hook": new_hook}
    assert undocumented(more, README) == untyped(more, plugin.__all__) == unused(more, every_source()) == ["new_hook"]
    assert [name for name in more if name not in ROUTES] == ["new_hook"]
    assert undocumented(HOOKS, README.replace("| `adjust_risk(", "| `adjust(", 1)) == ["adjust_risk"]


def test_the_types_of_the_hooks_are_real():
    for hook in HOOKS.values():
        assert set(typing.get_type_hints(hook, vars(hookspecs))) == {*hook.__code__.co_varnames[: hook.__code__.co_argcount], "return"}


def test_the_reference_names_every_hook_in_the_order_a_task_meets_them():
    for language in ("zh", "en"):
        assert re.findall(r"^\| `(\w+)\(", render_reference(language), re.M) == list(HOOKS)


@pytest.mark.parametrize("name", SECTORS)
def test_a_sector_imports_portal_plugin_and_nothing_else_of_the_project(name):
    for file in SECTORS[name]:
        source = file.read_text("utf-8")
        module = f"plugins.{name}" if file.name == "__init__.py" or name == "education" else f"plugins.{name}.{file.stem}"
        assert check_imports(module, source, file.name == "__init__.py") == []
        # no way round the import statement
        called = {getattr(node.func, "id", getattr(node.func, "attr", "")) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
        assert not called & {"__import__", "import_module", "exec", "eval", "open", "now", "today", "utcnow"}, file


@pytest.mark.parametrize("source", ["import portal.store", "from portal.domain.model import Form", "from plugins.catering import forms", "import tests.office"])
def test_the_import_guard_finds_what_it_looks_for(source):
    assert check_imports("plugins.education", source)
