"""Everything an operator can set, read once from the environment.

| variable | meaning | default |
|---|---|---|
| PORTAL_DATA | data folder: database, keys, draw folders, site | ./var |
| DATABASE_URL | sqlite:///PATH or postgresql://... | SQLite in the data folder |
| PORTAL_CLOCK | `system`, or `simulated` for demo and tests | system |
| PORTAL_SECTORS | allow-list of sectors, comma separated | all installed |
| PORTAL_FONTS | folder with 仿宋, 小标宋, 黑体, 楷体 of the operator's, for the PDFs | the fonts shipped |
| PORTAL_TEXTS | the wording the portal speaks: `en`, or a .po or .mo file, or a folder of them | Chinese as written |
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from portal.domain.errors import BadInput, WrongMoment

KNOWN = ("PORTAL_DATA", "PORTAL_CLOCK", "PORTAL_SECTORS", "PORTAL_FONTS", "PORTAL_TEXTS")
BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    database_url: str
    simulated: bool
    sectors: tuple[str, ...] | None
    fonts: Path | None = None
    texts: str = ""

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, None where the database is PostgreSQL."""
        path = self.database_url.removeprefix("sqlite:///")
        return Path(path) if path != self.database_url else None

    @property
    def clock_file(self) -> Path:
        return self.data / "clock"

    def now(self) -> datetime:
        """The instant of an act, aware, whole seconds; simulated time stands still until moved."""
        if self.simulated:
            if not self.clock_file.exists():
                raise WrongMoment("模拟时钟还没有设定。请先运行 portal clock YYYY-MM-DDTHH:MM:SS+08:00。")
            text = self.clock_file.read_text("utf-8", "replace").strip()
            at = parse_moment(text)
            if at is None:
                raise WrongMoment(f"模拟时钟文件 clock 的内容“{text[:40]}”不是时刻，可能被改动过。请重新建立这个数据目录。")
            return at
        return datetime.now(UTC).astimezone(BEIJING).replace(microsecond=0)

    def set_clock(self, text: str) -> datetime:
        """Move simulated time forward. Raises BadInput (shape) or WrongMoment (backward, not simulated)."""
        if not self.simulated:
            raise WrongMoment("本数据目录使用真实时间，不能设定时钟。模拟时钟只用于演示和测试（PORTAL_CLOCK=simulated）。")
        at = parse_moment(text)
        if at is None:
            raise BadInput(f"时间“{text}”写法不对，应为 YYYY-MM-DDTHH:MM:SS+08:00。")
        if self.clock_file.exists() and at < self.now():
            raise WrongMoment(f"模拟时钟只能向前：现在是 {self.now().isoformat()}，不能回到 {text}。")
        self.data.mkdir(parents=True, exist_ok=True)
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(text + "\n")
        os.replace(fresh, self.clock_file)  # a crash leaves the old time or the new, never half a line
        return at


def parse_moment(text: str) -> datetime | None:
    """The instant of YYYY-MM-DDTHH:MM:SS+08:00, None for anything written otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.utcoffset() == BEIJING.utcoffset(None) and at.isoformat(timespec="seconds") == text else None


def load_settings(environ: Mapping[str, str] | None = None, data: Path | None = None) -> Settings:
    """Settings from the environment. Raises BadInput for an unknown PORTAL_ variable or value."""
    environ = os.environ if environ is None else environ
    unknown = sorted(name for name in environ if name.startswith("PORTAL_") and name not in KNOWN)
    if unknown:
        raise BadInput(f"不认识的设置 {'、'.join(unknown)}。可用的设置：{'、'.join(KNOWN)}、DATABASE_URL。")
    clock = environ.get("PORTAL_CLOCK", "system") or "system"
    if clock not in ("system", "simulated"):
        raise BadInput(f"PORTAL_CLOCK 只能是 system 或 simulated，现在是“{clock}”。")
    folder = Path(data or environ.get("PORTAL_DATA") or "var").absolute()
    # A folder made under simulated time stays simulated: nobody can mix real and played evidence.
    simulated = (folder / "clock").exists()
    if clock == "simulated" and not simulated and ((folder / "keys").exists() or (folder / "portal.db").exists()):
        raise BadInput(f"数据目录“{folder}”是在真实时间下建立的，不能改用模拟时间。请用 PORTAL_DATA 另指一个空目录。")
    sectors = environ.get("PORTAL_SECTORS")
    return Settings(
        data=folder,
        database_url=_database_url(environ.get("DATABASE_URL", ""), folder),
        simulated=simulated or clock == "simulated",
        sectors=tuple(s.strip() for s in sectors.split(",") if s.strip()) if sectors else None,
        fonts=Path(environ["PORTAL_FONTS"]).absolute() if environ.get("PORTAL_FONTS") else None,
        texts=environ.get("PORTAL_TEXTS", ""),
    )


def _database_url(text: str, folder: Path) -> str:
    """DATABASE_URL checked for its kind, or SQLite in the data folder."""
    if not text:
        return f"sqlite:///{folder / 'portal.db'}"
    kind, found, rest = text.partition("://")
    if not found or kind not in ("sqlite", "postgresql", "postgres"):
        raise BadInput(f"DATABASE_URL 应写成 sqlite:///路径 或 postgresql://…，现在是“{_without_password(text)}”。")
    if kind == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise BadInput(f"DATABASE_URL“{text}”没有写明数据库文件，应为 sqlite:///路径。")
    return text


def _without_password(url: str) -> str:
    return re.sub(r"(?<=:)[^:@/]*(?=@)", "…", url)
