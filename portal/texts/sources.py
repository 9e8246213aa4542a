"""All messages of the portal, read from its templates, its Python and its scripts: nothing has to be marked.

What stays outside: printed documents and the public site (official Chinese documents), sheets that are imported again, tables of codes and of
made-up names, and what a sector says (its words are data, as versioned as its forms).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from string import Formatter

from jinja2 import Environment, nodes
from jinja2.visitor import NodeVisitor

from portal.texts.messages import CHINESE, HAN, Found, join, quote
from portal.texts.runs import rewrite

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "portal"
SCRIPTS = ROOT / "portal" / "web" / "static"
#: official documents, tables, made-up names, and what only programmers read
OUTSIDE = re.compile(r"portal/(prints/wording|prints/pages|domain/sample\w*|domain/\w+_table|domain/headings|domain/regions|testing|store/migrations/.*|cli/demo\w*)\.py")

Piece = str | tuple[str]


@cache
def all_messages() -> tuple[Found, ...]:
    """Every message where it stands, in the order of files and lines. Takes three seconds, once a process."""
    found = [*in_templates(), *in_python(), *in_scripts()]
    return tuple(sorted(found, key=lambda one: (one.file, one.line)))


# Templates ----------------------------------------------------------------------------


def in_templates() -> Iterator[Found]:
    environment = Environment(trim_blocks=True, lstrip_blocks=True)
    for file in sorted(TEMPLATES.rglob("*.html")):
        yield from in_template(environment, file.read_text("utf-8"), str(file.relative_to(ROOT)))


def in_template(environment: Environment, source: str, file: str) -> list[Found]:
    """Its runs of text, and the strings of its expressions."""
    found: list[Found] = []

    def note(message: str, line: int) -> None:
        found.append(Found(message, file, line))

    for _ in rewrite(environment._tokenize(source, None, file), note):  # type: ignore[func-returns-value]
        pass
    seeker = _Expressions(file)
    seeker.visit(environment.parse(source))
    return found + seeker.found


class _Expressions(NodeVisitor):
    """Strings in the expressions of a template: alone, strung together by `~`, and filled by `|format`."""

    def __init__(self, file: str):
        self.file, self.found = file, []

    def note(self, pieces: Iterable[Piece], line: int) -> None:
        pieces = list(pieces)
        if any(isinstance(piece, str) and CHINESE.search(piece) for piece in pieces):
            self.found.append(Found(join(pieces).strip(), self.file, line))

    def visit_Const(self, node: nodes.Const) -> None:
        if isinstance(node.value, str):
            self.note([node.value], node.lineno)

    def visit_Concat(self, node: nodes.Concat) -> None:
        self.note([one.value if isinstance(one, nodes.Const) else (_node_name(one),) for one in node.nodes], node.lineno)
        for one in node.nodes:
            if not isinstance(one, nodes.Const):
                self.visit(one)

    def visit_Filter(self, node: nodes.Filter) -> None:
        if node.name == "format" and isinstance(node.node, nodes.Const):
            texts = re.split(r"%[\d.]*[sdf]", node.node.value)
            self.note([piece for text in texts for piece in (("value",), text)][1:], node.lineno)
        elif node.name == "replace":
            self.visit(node.node)
        else:
            self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> None:
        """What is compared is a code, not said."""


def _node_name(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Name):
        return node.name
    inner = getattr(node, "node", None)
    return _node_name(inner) if isinstance(inner, nodes.Node) else "value"


# Python -------------------------------------------------------------------------------


def in_python() -> Iterator[Found]:
    for file in sorted((ROOT / "portal").rglob("*.py")):
        name = str(file.relative_to(ROOT))
        if not OUTSIDE.fullmatch(name):
            yield from in_module(file.read_text("utf-8"), name)


def in_module(source: str, file: str) -> list[Found]:
    """The Chinese strings of a module: plain, f-strings, `+`, `.format`; without docstrings, patterns, SQL and what is compared."""
    if not HAN.search(source):
        return []
    seeker = _Strings(file)
    seeker.visit(ast.parse(source))
    return seeker.found


class _Strings(ast.NodeVisitor):
    def __init__(self, file: str):
        self.file, self.found = file, []

    def note(self, pieces: Iterable[Piece], line: int) -> None:
        pieces = list(pieces)
        if any(isinstance(piece, str) and HAN.search(piece) for piece in pieces) and not any("SELECT " in piece for piece in pieces):
            self.found.append(Found(join(pieces).strip(), self.file, line))

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str) or not HAN.search(node.value):
            return
        fields = _fields(node.value)
        if fields:
            self.note(fields, node.lineno)
        else:
            self.found.append(Found(quote(node.value.strip()), self.file, node.lineno))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.note([one.value if isinstance(one, ast.Constant) else (_name(one.value),) for one in node.values], node.lineno)
        for one in node.values:
            if isinstance(one, ast.FormattedValue):
                self.visit(one.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, ast.Add):
            self.generic_visit(node)
            return
        terms = _terms(node)
        pieces = [piece for term in terms for piece in _pieces(term)]
        if sum(isinstance(term, ast.Constant | ast.JoinedStr) for term in terms):
            self.note(pieces, node.lineno)
        for term in terms:
            self.visit(term)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """What is compared is a code, not said."""
        for one in (node.left, *node.comparators):
            if not isinstance(one, ast.Constant | ast.Tuple | ast.Set):
                self.visit(one)

    def visit_Call(self, node: ast.Call) -> None:
        if not (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            self.generic_visit(node)


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _terms(node.left) + _terms(node.right)
    return [node]


def _pieces(node: ast.expr) -> list[Piece]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [piece for one in node.values for piece in (_pieces(one) if isinstance(one, ast.Constant) else [(_name(one.value),)])]  # type: ignore[attr-defined]
    return [(_name(node),)]


def _fields(text: str) -> list[Piece]:
    """The pieces of a string that `.format` will fill; empty where it has no fields."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return []
    named = [name for _, name, _, _ in parts if name is not None]
    if not named or not all(re.fullmatch(r"\w*", name) for name in named):
        return []
    return [piece for said, name, _, _ in parts for piece in ((said,) if name is None else (said, (name if name and not name.isdigit() else "value",)))]


def _name(node: ast.AST) -> str:
    """What a value in an f-string is called."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _name(node.args[0]) if node.args else _name(node.func)
    if isinstance(node, ast.Subscript):
        return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else _name(node.value)
    return "value"


# Scripts ------------------------------------------------------------------------------


def in_scripts() -> Iterator[Found]:
    """`say("…")` in the scripts."""
    for file in sorted(SCRIPTS.glob("*.js")):
        source = file.read_text("utf-8")
        for found in re.finditer(r'\bsay\("([^"\\]+)"\)', source):
            yield Found(found[1], str(file.relative_to(ROOT)), source.count("\n", 0, found.start()) + 1)
