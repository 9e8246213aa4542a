"""Everything an operator can set, read once from the environment.

| variable | meaning | default |
|---|---|---|
| PORTAL_DATA | data folder: database, keys, draw folders, site | ./var |
| DATABASE_URL | sqlite:///PATH or postgresql://... | SQLite in the data folder |
| PORTAL_CLOCK | `system`, or `simulated` for demo and tests | system |
| PORTAL_SECTORS | allow-list of sectors, comma separated | all installed |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from portal.domain.errors import BadInput, WrongMoment

KNOWN = ("PORTAL_DATA", "PORTAL_CLOCK", "PORTAL_SECTORS")
BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    database_url: str
    simulated: bool
    sectors: tuple[str, ...] | None

    @property
    def clock_file(self) -> Path:
        return self.data / "clock"

    def now(self) -> datetime:
        """The instant of an act, aware, whole seconds; simulated time stands still until moved."""
        if self.simulated:
            if not self.clock_file.exists():
                raise WrongMoment("模拟时钟还没有设定。请先运行 portal clock YYYY-MM-DDTHH:MM:SS+08:00。")
            return datetime.fromisoformat(self.clock_file.read_text().strip())
        return datetime.now(UTC).astimezone(BEIJING).replace(microsecond=0)

    def set_clock(self, text: str) -> datetime:
        """Move simulated time forward. Raises BadInput (shape) or WrongMoment (backward, not simulated)."""
        if not self.simulated:
            raise WrongMoment("本数据目录使用真实时间，不能设定时钟。模拟时钟只用于演示和测试（PORTAL_CLOCK=simulated）。")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.utcoffset() != timedelta(hours=8) or at.isoformat() != text:
            raise BadInput(f"时间“{text}”写法不对，应为 YYYY-MM-DDTHH:MM:SS+08:00。")
        if self.clock_file.exists() and at < self.now():
            raise WrongMoment(f"模拟时钟只能向前：现在是 {self.now().isoformat()}，不能回到 {text}。")
        self.data.mkdir(parents=True, exist_ok=True)
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(text + "\n")
        os.replace(fresh, self.clock_file)  # a crash leaves the old time or the new, never half a line
        return at


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
    simulated = clock == "simulated" or (folder / "clock").exists()
    sectors = environ.get("PORTAL_SECTORS")
    return Settings(
        data=folder,
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{folder / 'portal.db'}",
        simulated=simulated,
        sectors=tuple(s.strip() for s in sectors.split(",") if s.strip()) if sectors else None,
    )
