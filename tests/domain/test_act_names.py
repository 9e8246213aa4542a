"""Every act that is written to the audit has a name people read, and every name is of an act."""

import ast
import re
from pathlib import Path

import portal
from portal.domain.act_names import ACT_GROUPS, ACT_NAMES, act_name

CODE = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
#: put together where they are written: `record.` with what was decided, `plan.draft.` with what was done
MADE_UP = {
    "record.approve", "record.return", "record.draft", "record.submit", "plan.draft.row", "plan.draft.withdraw", "plan.draft.restore", "plan.import", "plan.edit",
}  # fmt: skip


def written():
    found = set()
    for file in Path(portal.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in ("audit", "save_act"):
                given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "act")]
                found |= {one.value for part in given for one in ast.walk(part) if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value)}
    return found


def test_every_act_has_a_name_and_every_name_is_of_an_act():
    codes = written()
    assert len(codes) > 80
    assert codes - set(ACT_NAMES) == set()
    assert set(ACT_NAMES) - codes <= MADE_UP
    assert all(name.isprintable() and not name.isascii() for name in ACT_NAMES.values()) and len(set(ACT_NAMES.values())) == len(ACT_NAMES)
    assert act_name("an.older.one") == "an.older.one"


def test_every_act_is_found_in_one_group():
    assert {act for act in ACT_NAMES if sum(act.startswith(start) for start in ACT_GROUPS) != 1} == set()
    assert all(any(act.startswith(start) for act in ACT_NAMES) for start in ACT_GROUPS)
