"""Who acts, when, and with what: the one argument every step takes first."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from portal.domain import roles
from portal.domain.errors import DoneBefore, NotAllowed, NotFound
from portal.plugins import Sectors
from portal.steps.catalogue import with_sheets
from portal.store import accounts, audit
from portal.store.keys import Keys

BEIJING = timezone(timedelta(hours=8))


def stamp(at: datetime) -> str:
    """An instant as every public file writes it: YYYY-MM-DDTHH:MM:SS+08:00."""
    return at.astimezone(BEIJING).isoformat(timespec="seconds")


@dataclass(slots=True)
class Once:
    """One posted form: acted on once however often it is sent. `done`: this request did it."""

    digest: str
    request: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """An account at work. `tree`: its organisation and below; `line`: that plus its ancestors.

    `bureau` is the nearest bureau in its line, `top` the root: a county under a city is a bureau of its own,
    which sees what the city does and changes none of it. `over`: the bureaus above its own, nearest first.
    `whole`: all organisations under `top`, whose one site shows the releases of all.
    `joint`: `tree` and the other departments that check beside it (`store.accounts.joint_tree_of`).
    `organisations`: all of them in the order of codes, as they were when the act began; all of the above are among them.

    `now` is fixed for the whole act; chance comes only through `token_bytes`.
    """

    account: int
    login: str
    name: str
    roles: tuple[str, ...]
    organisation: Mapping[str, Any]
    bureau: Mapping[str, Any]
    top: Mapping[str, Any]
    over: tuple[int, ...]
    tree: frozenset[int]
    line: frozenset[int]
    whole: frozenset[int]
    joint: frozenset[int]
    organisations: Sequence[Mapping[str, Any]]
    now: datetime
    keys: Keys
    sectors: Sectors
    inspector: Mapping[str, Any] | None = None
    address: str = "local"
    token_bytes: Callable[[int], bytes] = field(default=secrets.token_bytes)
    form: Once | None = None

    @property
    def today(self) -> date:
        return self.now.astimezone(BEIJING).date()

    def may(self, act: str) -> bool:
        return roles.may(self.roles, act) and (self.organisation["kind"] != "partner" or act in roles.PARTNER_ACTS)

    def require(self, act: str) -> None:
        """Raises NotAllowed, naming who may."""
        if not self.may(act) and roles.may(self.roles, act):
            raise NotAllowed(f"本操作由{self.bureau['name']}办理，{self.organisation['name']}在联合检查中录入和审核自己的记录。")
        if not self.may(act):
            who = "、".join(roles.ROLES[role] for role in sorted(roles.ACTS[act]))
            raise NotAllowed(f"账号“{self.login}”没有这项权限，本操作由{who}办理。")

    async def audit(self, act: str, object: str, *, before: str = "", after: str = "", **detail: Any) -> None:
        """Write the act into the audit chain, in the transaction that does it.

        Raises DoneBefore, which takes the act back, where another request acted on the same form: acts
        take turns in the chain, so of two at once the second one finds the first.
        """
        await audit.save_act(
            at=stamp(self.now), actor=self.login, organisation=self.organisation["code"], address=self.address,
            act=act, object=object, before=before, after=after, detail=detail,
        )  # fmt: skip
        if self.form:
            if (led := await accounts.save_done(self.form.digest, self.form.request, self.now)) is not None:
                raise DoneBefore(led)
            self.form.done = True


async def open_acting(
    account: Mapping[str, Any] | None, login: str, now: datetime, keys: Keys, sectors: Sectors, address: str = "local",
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Acting:  # fmt: skip
    """The Acting of an account row. Raises NotFound / NotAllowed for unknown or disabled accounts."""
    if account is None:
        raise NotFound(f"没有登录名为“{login}”的账号。")
    if not account["active"]:
        raise NotAllowed(f"账号“{login}”已停用。")
    organisations = await accounts.load_organisations()
    by_id = {o["id"]: o for o in organisations}
    line = accounts.line_of(organisations, account["organisation"])
    tree = accounts.tree_of(organisations, account["organisation"])
    bureaus = accounts.bureaus_of(organisations, account["organisation"])
    return Acting(
        account=account["id"], login=account["login"], name=account["name"], roles=account["roles"],
        organisation=by_id[account["organisation"]], bureau=by_id[bureaus[0]], top=by_id[line[-1]], over=tuple(bureaus[1:]),
        tree=tree, line=tree | frozenset(line), whole=accounts.joint_tree_of(organisations, line[-1]),
        joint=accounts.joint_tree_of(organisations, account["organisation"]), organisations=tuple(organisations), now=now, keys=keys, sectors=await with_sheets(sectors), inspector=await accounts.load_inspector_of(account),
        address=address, token_bytes=token_bytes,
    )  # fmt: skip
