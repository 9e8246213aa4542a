"""The import rules of the house, read from the syntax tree, and a few things no file of ours may hold."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# layer -> what it may import of the project, besides itself. A module without a row here fails the test.
LAYERS = {
    "portal.domain": "",
    "portal.settings": "portal.domain",
    "portal.hookspecs": "portal.domain",
    "portal.plugin": "portal.domain portal.hookspecs",
    "portal.sector_checks": "portal.domain portal.hookspecs",
    "portal.plugins": "portal.domain portal.hookspecs portal.sector_checks",
    "portal.sector_list": "portal.domain portal.hookspecs portal.plugins portal.sector_checks",
    "portal.testing": "portal.domain portal.hookspecs portal.plugin portal.plugins portal.sector_checks",
    "portal.store": "portal.domain portal.settings",
    "portal.sheets": "portal.domain",
    "portal.texts": "portal.domain",
    "portal.prints": "portal.domain portal.settings",
    "portal.steps": "portal.domain portal.hookspecs portal.plugins portal.store portal.sheets portal.prints",
    "portal.web": "portal.domain portal.settings portal.store portal.sheets portal.prints portal.steps portal.hookspecs portal.sector_list portal.texts",
    "portal.jobs": "portal.domain portal.settings portal.store portal.sheets portal.prints portal.steps public_site",
    "portal.cli": "portal.domain portal.settings portal.plugins portal.store portal.sheets portal.prints portal.steps"
                  " portal.hookspecs portal.sector_list portal.texts portal.web portal.jobs public_site",
    "public_site": "portal.domain",
    "public_site.verify": "",
    "plugins": "portal.plugin",
}
STANDARD_LIBRARY_ONLY = ("portal.domain", "public_site.verify")
# The database is spoken to in one place and the web framework in another.
ONLY_IN = {
    "piccolo": "portal.store", "asyncpg": "portal.store", "aiosqlite": "portal.store", "sqlite3": "portal.store",
    "litestar": "portal.web",
}
# A pure function knows no clock, no chance, no file and no network.
NOT_PURE = set("asyncio glob http logging multiprocessing os pathlib random secrets shutil socket sqlite3 subprocess"
               " tempfile threading time".split())
NOT_PURE_CALLS = {"input", "now", "open", "print", "today", "utcnow"}


def layer_of(module: str) -> str | None:
    """The row of LAYERS a module belongs to; each sector of plugins/ is a layer of its own."""
    parts = module.split(".")
    if parts[0] == "plugins" and len(parts) > 1:
        return ".".join(parts[:2])
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in LAYERS), None)


def imports(tree: ast.AST, package: str) -> list[tuple[int, str]]:
    """(line, full dotted name) of all that is imported; `package` is where relative imports start."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (start, node.module or "") if part)
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def check_imports(module: str, source: str, is_package: bool = False) -> list[str]:
    """What breaks the rules in one module, as `module:line: what`."""
    tree = ast.parse(source)
    if module in ("portal", "public_site", "plugins"):  # an __init__.py holds a docstring
        return [f"{module}:{line}: a package of layers imports nothing" for line, _ in imports(tree, module)]
    layer = layer_of(module)
    if layer is None:
        return [f"{module}: no row in LAYERS says what it may import"]
    allowed = {layer, *LAYERS[layer if layer in LAYERS else "plugins"].split()}
    if layer.startswith("plugins.") and re.search(r"\.(test_\w+|tests|conftest)\b", module):
        allowed.add("portal.testing")
    problems = []
    for line, name in imports(tree, module if is_package else module.rpartition(".")[0]):
        top = name.split(".")[0]
        if top in ("portal", "public_site", "plugins", "tests"):
            if layer_of(name) not in allowed:
                problems.append(f"{module}:{line}: {layer} may not import {name}")
        elif layer in STANDARD_LIBRARY_ONLY and top not in sys.stdlib_module_names:
            problems.append(f"{module}:{line}: {layer} may import the standard library only, not {top}")
        elif layer == "portal.domain" and top in NOT_PURE:
            problems.append(f"{module}:{line}: {layer} is pure and may not import {top}")
        if top in ONLY_IN and layer not in (ONLY_IN[top], "public_site.verify"):
            problems.append(f"{module}:{line}: {top} belongs to {ONLY_IN[top]}")
    if layer == "portal.domain":
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in NOT_PURE_CALLS:
                    problems.append(f"{module}:{node.lineno}: {layer} is pure and may not call {called}()")
            elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
                problems.append(f"{module}:{node.lineno}: {layer} is pure and not async")
    return sorted(problems)


def our_files() -> list[Path]:
    """The files git knows or would add; in a copy without git, all but what tools leave behind."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = shutil.which("git") and subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    if listed:
        files = [ROOT / name for name in listed.split("\0") if name]
    else:
        left_behind = re.compile(r"/(\.git|\.venv|var|__pycache__|[^/]*\.egg-info|\.[a-z]+_cache|\.hypothesis)(/|$)")
        files = [file for file in ROOT.rglob("*") if not left_behind.search(f"/{file.relative_to(ROOT)}")]
    return sorted(file for file in files if file.is_file())


def our_modules() -> list[tuple[str, Path]]:
    files = [file for file in our_files() if file.suffix == ".py"]
    relative = [(file.relative_to(ROOT), file) for file in files]
    return [(".".join(path.with_suffix("").parts).removesuffix(".__init__"), file)
            for path, file in relative if path.parts[0] in ("portal", "plugins", "public_site")]


#: the top level is fixed; what a tool left there by accident is not ours
TOP = set(".ci .gitignore LICENSE README.md bench plugins portal public_site pyproject.toml requirements.lock run templates tests".split())


def test_nothing_else_is_kept_at_the_top():
    kept = shutil.which("git") and subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True).stdout
    top = {name.partition("/")[0] for name in kept.split("\0") if name} if kept else {place.name for place in ROOT.iterdir()} & TOP
    assert top == TOP


def test_every_module_imports_only_what_its_layer_may():
    problems = [problem for module, file in our_modules()
                for problem in check_imports(module, file.read_text("utf-8"), file.name == "__init__.py")]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("module", "source", "words"), [
    ("portal.domain.draw", "import portal.store.tables", "portal.domain may not import portal.store.tables"),
    ("portal.domain.draw", "from ..store import tables", "portal.domain may not import portal.store.tables"),
    ("portal.domain.draw", "from portal import settings", "portal.domain may not import portal.settings"),
    ("portal.domain.draw", "import portal", "portal.domain may not import portal"),
    ("portal.domain.draw", "import numpy", "the standard library only, not numpy"),
    ("portal.domain.draw", "def f():\n    import random", ":2: portal.domain is pure and may not import random"),
    ("portal.domain.draw", "from datetime import date\ndate.today()", ":2: portal.domain is pure and may not call today()"),
    ("portal.domain.draw", "async def f(): pass", "not async"),
    ("portal.sheets.read", "from portal.store import bulk", "portal.sheets may not import portal.store.bulk"),
    ("portal.steps.draw", "from portal.web import app", "portal.steps may not import portal.web.app"),
    ("portal.steps.draw", "import piccolo.query", "piccolo belongs to portal.store"),
    ("portal.web.draw", "from portal.jobs import enqueue", "portal.web may not import portal.jobs.enqueue"),
    ("portal.store.draw", "from litestar import get", "litestar belongs to portal.web"),
    ("portal.helpers", "", "no row in LAYERS"),
    ("portal", "from portal.web import app", "imports nothing"),
    ("public_site.build", "from portal.store import tables", "public_site may not import portal.store.tables"),
    ("public_site.verify.verify", "from portal.domain import draw", "public_site.verify may not import portal.domain.draw"),
    ("public_site.verify.verify", "import cryptography", "the standard library only, not cryptography"),
    ("plugins.pricing", "from portal.domain.model import Field", "plugins.pricing may not import portal.domain.model.Field"),
    ("plugins.pricing", "from plugins.catering import forms", "plugins.pricing may not import plugins.catering.forms"),
    ("plugins.pricing", "from portal.testing import load", "plugins.pricing may not import portal.testing.load"),
])
def test_the_import_check_finds_what_breaks_the_rules(module, source, words):
    assert words in "\n".join(check_imports(module, source))


@pytest.mark.parametrize(("module", "source"), [
    ("portal.domain.draw", "import hashlib\nfrom .trees import root\nfrom portal.domain import codes"),
    ("portal.steps.draw", "from portal.store import draw\nfrom portal.domain.draw import pick\nfrom portal import plugins"),
    ("portal.cli", "import uvicorn\nfrom portal import settings\nfrom public_site.build import build_site"),
    ("public_site.build", "import jinja2, segno\nfrom portal.domain import bundle\nfrom . import pages"),
    ("public_site.verify.verify", "import hashlib, json, pathlib"),
    ("plugins.pricing.forms", "from portal.plugin import Field\nfrom plugins.pricing.words import TITLE\nfrom . import words"),
    ("plugins.pricing.test_pricing", "from portal.testing import load"),
])
def test_the_import_check_accepts_what_the_rules_allow(module, source):
    assert check_imports(module, source) == []


def test_no_python_file_outside_the_tests_is_longer_than_400_lines():
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in our_files()
               if file.suffix == ".py" and file.relative_to(ROOT).parts[0] != "tests"}
    too_long = {name: lines for name, lines in lengths.items() if lines > 400 and "/migrations/" not in name
                and not name.endswith("_table.py")}  # codes and names, made by bench/make_tables.py
    assert not too_long


MACHINE = re.compile(r"""(?:^|[\s"'`(=:<>|])/(?:work|tmp|root|home/\w+|Users/\w+)/\w""", re.MULTILINE)
REGISTRY = re.compile(
    r"\bpypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|\bdeb\.debian\.org|mirrors?\.[\w-]+\.(?:com|cn|org|net|edu)"
    r"|--(?:extra-)?index[-]url|--find[-]links|\bfile:///(?:mnt|opt|srv)/")


#: One of these stands in whatever the two find: most of what is looked at are fonts, where looking for a plain word takes a hundredth.
TRACES = ("/wo" "rk/", "/t" "mp/", "/ro" "ot/", "/ho" "me/", "/Us" "ers/", "pypi", "pythonhosted", "registry", "deb.debian", "mirror", "index", "--find", "file:///")


def traces_in(text: str) -> list[re.Match]:
    return [*MACHINE.finditer(text), *REGISTRY.finditer(text)] if any(map(text.__contains__, TRACES)) else []


@pytest.mark.parametrize("text", [
    "data = '/wo" + "rk/shared'", "cd /ho" + "me/li/mingcha", "see (/t" + "mp/x)",
    "--index" + "-url https://x", "--find" + "-links wheels", "https://py" + "pi.org/simple", "https://mirrors" + ".aliyun.com/x",
    "file:" + "///srv/wheels",
])
def test_the_check_for_machine_paths_and_registries_finds_them(text):
    assert traces_in(text)


def test_no_file_holds_a_path_of_somebodys_machine_or_a_package_registry():
    found = []
    for file in our_files():
        text = file.read_bytes().decode("utf-8", "ignore")
        for match in traces_in(text):
            found.append(f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group().strip()}")
    assert not found, "\n".join(found)


def test_the_lock_file_holds_pins_and_hashes_of_every_dependency_and_nothing_else():
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith((" ", "#"))]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; [\w .<>=!'-]+)? \\", pin)] == []
    assert [line for line in lines if line.startswith(" ")
            and not re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?| +# .*", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["test"],
              *project["dependency-groups"]["install"]]
    names = {re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names - {pin.split("==")[0] for pin in pins} == set()
