"""portal new-sector: the folder of a distribution with one sector and its test, which run at once."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
import tempfile
from argparse import Namespace, _SubParsersAction
from importlib.util import find_spec
from pathlib import Path

from portal.cli.failures import words_of
from portal.cli.office import say
from portal.cli.parsing import add_command
from portal.domain.errors import BadInput

#: real files: a sector called `sector_code`, read 模块名称
TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "sector"
CODE, NAME = "sector_code", "模块名称"


def add_commands(commands: _SubParsersAction) -> None:
    command = add_command(commands, "new-sector", run_new_sector, "写出一个新业务模块的文件夹：安装包、模块、测试，写完就能运行")
    command.add_argument("code", metavar="CODE", help="模块代码：小写字母、数字和下划线，以字母开头")
    command.add_argument("--name", metavar="名称", help="模块名称，例如 电梯；不写则同代码")
    command.add_argument("--folder", metavar="DIR", help="写到哪个文件夹，不能已经存在；不写则在当前文件夹里以代码为名")


def run_new_sector(args: Namespace) -> None:
    code, name = require_code(args.code), require_name(args.name or args.code)
    folder = write_sector(code, name, Path(args.folder or code))
    say(f"已写好业务模块“{name}”（{code}）：{folder}")
    say(f"  测试　cd {folder} && {sys.executable} -m pytest")
    say(f"  安装　{sys.executable} -m pip install --no-build-isolation {folder}")
    say("  查看　portal plugins")
    say("事项、依据和检查项都是样例，请逐处改成本行业的内容，写法见 plugins/README.md。")


def require_code(code: str) -> str:
    """The code. BadInput where it cannot be a prefix, or a module of that name would hide another."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code):
        raise BadInput(f"模块代码“{code[:60]}”不对：只能用小写字母、数字和下划线，以字母开头，最长 40 个字符。")
    if keyword.iskeyword(code) or keyword.issoftkeyword(code) or code in sys.stdlib_module_names or find_spec(code):
        raise BadInput(f"模块代码“{code}”已是 Python 的词或已安装的模块名，请换一个代码。")
    if (TEMPLATE.parents[1] / "plugins" / code).exists():
        raise BadInput(f"模块代码“{code}”是内置业务模块的代码，请换一个代码。")
    return code


def require_name(name: str) -> str:
    """The name, which goes into source text. BadInput where it would end the text it stands in."""
    name = name.strip()
    if not 1 <= len(name) <= 40 or not name.isprintable() or set(name) & set("\"'\\{}<>&"):
        raise BadInput(f"模块名称“{name[:60]}”不对：1 到 40 个字，不能有引号、反斜线、括号 {{}} 和 <>&。")
    return name


def write_sector(code: str, name: str, folder: Path) -> Path:
    """The folder, written whole or not at all. BadInput where something is there already or it cannot be written."""
    if folder.exists() or folder.is_symlink():
        raise BadInput(f"“{folder}”已经存在，没有写入。请换一个文件夹（--folder）。")
    fresh = None
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{code}-", dir=folder.absolute().parent))
        for source in sorted(TEMPLATE.iterdir()):
            if source.is_file():
                text = source.read_text("utf-8").replace(CODE, code).replace(NAME, name)
                (fresh / source.name.replace(CODE, code)).write_text(text, "utf-8")
        fresh.chmod(0o755)
        fresh.rename(folder)
    except OSError as problem:
        if fresh:  # a full disk: half a sector helps nobody
            shutil.rmtree(fresh, ignore_errors=True)
        raise BadInput(f"“{folder}”不能写入：{words_of(problem)}。") from None
    return folder
