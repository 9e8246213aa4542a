"""Frozen pools, rounds, sources, shares and picks."""

from __future__ import annotations

from piccolo.columns import BigInt, Boolean, Bytea, Integer, Text
from piccolo.table import Table

from portal.store.tables.columns import at, json, on, ref, text
from portal.store.tables.people import Account, Organisation
from portal.store.tables.plan import Task


class Pool(Table, tablename="pool"):
    task = ref(Task)
    number = Integer(default=1)  # a task whose round was void is frozen anew
    organisation = ref(Organisation)
    snapshot_on = on()
    snapshot_size = BigInt(default=0)
    size = BigInt(default=0)
    excluded_size = BigInt(default=0)
    strata = text("none")  # none | class | list | town
    quota = json()  # stratum -> ppm or count, as the rules stood at the freeze; {} of a pool older than this column
    unclassed = BigInt(default=0)  # of a pool by class: entries without a class
    removed = json()  # what the law takes out of the base: rule -> count
    digest = text()  # SHA-256 of the whole pool.tsv
    excluded_digest = text()
    frozen_by = ref(Account)
    frozen_at = at()


class PoolBlock(Table, tablename="pool_block"):
    """256 lines of a frozen pool.tsv: the leaves of an open round."""

    pool = ref(Pool)
    n = Integer()
    first_code = text()
    data = Bytea()


class Exclusion(Table, tablename="exclusion"):
    pool = ref(Pool)
    code = text()
    rule = text()
    reason = text()


class Round(Table, tablename="round"):
    code = Text(unique=True)
    organisation = ref(Organisation)
    title = text()
    disclosure = text("open")
    suite = text("sha256")
    state = text("draft")  # draft | committed | drawn | revealed | void
    window_from = on()
    window_to = on()
    draw_not_before = text()
    reveal_due = on()
    rules = json()
    salt_sealed = Bytea(default=b"")  # sealed rounds: salt_key under the portal's key
    round_json = text()
    digest = text()
    roster = text()  # roster and recusals as committed: who may be assigned
    created_by = ref(Account)
    created_at = at()
    committed_by = ref(Account, null=True)
    committed_at = at()
    published_at = at()  # first release that carried the commitment
    drawn_by = ref(Account, null=True)
    drawn_at = at()
    key_sealed = Bytea(default=b"")  # K under the portal's key
    result_json = text()
    result_commit = text()
    revealed_by = ref(Account, null=True)
    revealed_at = at()
    replacement_json = text()  # replacement.json, "" until the one replacement was done
    replacement_commit = text()
    replaced_by = ref(Account, null=True)
    replaced_at = at()
    void_reason = text()
    void_by = ref(Account, null=True)
    void_approver = ref(Account, null=True)
    void_at = at()


class RoundTask(Table, tablename="round_task"):
    round = ref(Round)
    task = ref(Task)
    pool = ref(Pool)
    quota = json()
    rounding = text("ceil")
    minimum = Integer(default=0)
    reserve = Integer(default=0)
    live = Boolean(default=True)  # false once the round is void


class Source(Table, tablename="source"):
    round = ref(Round)
    n = Integer()
    name = text()
    bits = Integer()
    drawn_at = text()
    groups = json("[]")
    value = text()
    entered_by = ref(Account, null=True)
    entered_at = at()


class Share(Table, tablename="share"):
    """One holder's secret: sealed under the holder's passphrase, after release under the portal's key."""

    round = ref(Round)
    n = Integer()
    holder = text()
    account = ref(Account)
    commit = text()
    sealed = Bytea(default=b"")
    released = Bytea(default=b"")
    made_at = at()
    released_at = at()


class Pick(Table, tablename="pick"):
    round = ref(Round)
    task = ref(Task)
    code = Text(index=True)
    stratum = text()
    rank = Integer()
    kind = text("drawn")  # drawn | reserve | external | struck (beside drawn) | replacement (of the struck one of its rank)
