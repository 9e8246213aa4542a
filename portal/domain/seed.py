"""Where a draw's chance comes from: announced lottery issues or dice, and the holders' secrets (DRAW.md section 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import comb
from typing import Any

from portal.domain.bundle import (
    Document,
    hasher,
    parse_canonical,
    refuse,
    require_count,
    require_hex,
    require_keys,
    require_list,
    require_text,
    require_time,
    require_unique,
    sealed,
)

NOT_DRAWN = "-"  # the value of an issue not drawn within 72 hours
BITS_NEEDED = 80
HOLDERS_NEEDED = 2
# No lottery or die comes near these; they keep the arithmetic of a hostile file small.
_MOST_NUMBERS, _HIGHEST_NUMBER, _MOST_GROUPS = 1_000, 10**9, 1_000

_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


def bits_of(groups: Sequence[Sequence[int]]) -> int:
    """floor(log2(product of C(highest - lowest + 1, how many))), the whole bits a source of this shape gives."""
    product = 1
    for many, lowest, highest in groups:
        product *= comb(highest - lowest + 1, many)
    return product.bit_length() - 1


def require_source(source: object) -> Document:
    """One entry of a round's `sources`: `{name, bits, drawn_at, groups: [[how many, lowest, highest], ...]}`."""
    found = require_keys(source, ("name", "bits", "drawn_at", "groups"), "种子来源", more=True)
    name = require_text(found["name"], "种子来源的名称")
    require_time(found["drawn_at"], f"种子来源“{name}”的开奖时间")
    groups = require_list(found["groups"], f"种子来源“{name}”的 groups")
    if not 1 <= len(groups) <= _MOST_GROUPS:
        refuse(f"种子来源“{name}”应有 1 到 {_MOST_GROUPS} 组号码。")
    for group in groups:
        if len(require_list(group, f"种子来源“{name}”的一组")) != 3:
            refuse(f"种子来源“{name}”的每组应写成 [个数, 最小号, 最大号]。")
        many, lowest, highest = (require_count(number, f"种子来源“{name}”的号码范围") for number in group)
        if highest > _HIGHEST_NUMBER or not 1 <= many <= min(_MOST_NUMBERS, highest - lowest + 1):
            refuse(f"种子来源“{name}”的一组 [{many}, {lowest}, {highest}] 不成立：个数或号码范围不对。")
    bits = require_count(found["bits"], f"种子来源“{name}”的 bits")
    if bits != bits_of(groups):
        refuse(f"种子来源“{name}”申报 {bits} 比特，按其号码组算应为 {bits_of(groups)} 比特。")
    return found


def require_secret(secret: object) -> Document:
    """One entry of a round's `secrets`: `{holder, commit}`."""
    found = require_keys(secret, ("holder", "commit"), "秘密持有人", more=True)
    require_text(found["holder"], "秘密持有人的名称")
    require_hex(found["commit"], f"秘密持有人“{found['holder']}”的承诺值")
    return found


def require_chance(sources: Sequence[Document], secrets: Sequence[Document], draw_not_before: str) -> None:
    """What a round's sources and secrets must amount to together."""
    for source in sources:
        require_source(source)
    for secret in secrets:
        require_secret(secret)
    # One issue named twice would count its bits twice.
    require_unique((source["name"] for source in sources), "种子来源")
    for source in sources:
        if source["drawn_at"] >= draw_not_before:  # all times are +08:00, so text order is time order
            refuse(f"抽取时间 {draw_not_before} 须晚于种子来源“{source['name']}”的开奖时间 {source['drawn_at']}。")
    if not sources:
        if not secrets:
            refuse("本轮没有种子来源，也没有秘密持有人。请至少设一位秘密持有人。")
        return
    require_bits(sources)
    if len({secret["holder"] for secret in secrets}) < HOLDERS_NEEDED:
        refuse("有种子来源的轮次至少要有两位不同的秘密持有人（如信用监管科和纪检监察组）。")


def require_bits(sources: Sequence[Document]) -> None:
    """Refuse sources (those that count) that give fewer than 80 bits in all."""
    total = sum(source["bits"] for source in sources)
    if total < BITS_NEEDED:
        refuse(
            f"种子来源合计 {total} 比特，不足 {BITS_NEEDED} 比特，本轮不能抽取。请增加来源，或将本轮作废后另开一轮。"
        )


def format_value(groups: Sequence[Sequence[int]]) -> str:
    """Drawn numbers in the syntax of RFC 3797: `[[4, 11], [9]]` gives `4.11./9./`; each group is sorted here."""
    return "".join(".".join(str(number) for number in sorted(group)) + "./" for group in groups)


def require_value(source: Document, value: object) -> str:
    """A source's value: `-`, or numbers of exactly the committed shape."""
    name = source["name"]
    if value == NOT_DRAWN:
        return NOT_DRAWN
    wrong = f"种子来源“{name}”的号码“{value}”不合格式："
    if not isinstance(value, str) or not value.endswith("/"):
        refuse(wrong + "应写成 4.11.17./9./ 的样子，每组以 ./ 结尾。")
    written = value[:-1].split("/")
    if len(written) != len(source["groups"]):
        refuse(wrong + f"应有 {len(source['groups'])} 组，写了 {len(written)} 组。")
    for text, (many, lowest, highest) in zip(written, source["groups"], strict=True):
        parts = text.split(".")
        if parts.pop() != "" or not all(_NUMBER.fullmatch(part) for part in parts):
            refuse(wrong + "号码应为不带前导零的十进制数，每个号码后加点。")
        numbers = [int(part) for part in parts]
        if len(numbers) != many:
            refuse(wrong + f"这一组应有 {many} 个号码，写了 {len(numbers)} 个。")
        if any(a >= b for a, b in zip(numbers, numbers[1:], strict=False)):
            refuse(wrong + "组内号码应从小到大排列，不能重复。")
        if numbers[0] < lowest or numbers[-1] > highest:
            refuse(wrong + f"号码应在 {lowest} 到 {highest} 之间。")
    return value


def require_values(round_: Document, values: object, what: str) -> list[list[str]]:
    """`[[name, value, drawn_at], ...]` in the round's order, dated and shaped as committed, 80 bits among those drawn."""
    rows = require_list(values, what)
    if len(rows) != len(round_["sources"]):
        refuse(f"{what} 有 {len(rows)} 个种子来源，本轮承诺的是 {len(round_['sources'])} 个。")
    drawn = []
    for source, row in zip(round_["sources"], rows, strict=True):
        if len(require_list(row, f"{what} 的一项")) != 3:
            refuse(f"{what} 的每项应写成 [名称, 号码, 开奖时间]。")
        name, value, drawn_at = row
        if name != source["name"] or drawn_at != source["drawn_at"]:
            refuse(f"{what} 的“{name}”（{drawn_at}）与承诺的种子来源“{source['name']}”（{source['drawn_at']}）不符。")
        if require_value(source, value) != NOT_DRAWN:
            drawn.append(source)
    if round_["sources"]:
        require_bits(drawn)
    return rows


def parse_reveal(round_: Document, data: bytes) -> Document:
    """`reveal.json`, checked against its round: values, secrets and (sealed) the salt key open the commitments."""
    what = "reveal.json"
    keys = ("sources", "secrets", "salt_key") if sealed(round_) else ("sources", "secrets")
    reveal = require_keys(parse_canonical(data, what), keys, what)
    require_values(round_, reveal["sources"], what)
    hash = hasher(round_["suite"])
    secrets = require_list(reveal["secrets"], f"{what} 的 secrets")
    if len(secrets) != len(round_["secrets"]):
        refuse(f"{what} 有 {len(secrets)} 个秘密，本轮承诺的是 {len(round_['secrets'])} 个。")
    for committed, secret in zip(round_["secrets"], secrets, strict=True):
        require_hex(secret, f"{committed['holder']}的秘密")
        if hash(bytes.fromhex(secret)).hex() != committed["commit"]:
            refuse(f"{committed['holder']}给出的秘密与事先承诺的不符。请核对封存件，改用当时封存的秘密。")
    if sealed(round_):
        require_hex(reveal["salt_key"], f"{what} 的 salt_key")
        if hash(bytes.fromhex(reveal["salt_key"])).hex() != round_["salt_commit"]:
            refuse("盐值密钥（salt_key）与事先承诺的不符。请核对封存件。")
    return reveal


def commit_of(suite: str, secret: bytes) -> str:
    """The commitment to a holder's secret or to a salt key, hex; both are 32 random bytes."""
    if len(secret) != 32:
        refuse(f"秘密应为 32 字节的随机数，给出的是 {len(secret)} 字节。")
    return hasher(suite)(secret).hex()


def seed_of(suite: str, round_digest: bytes, values: Sequence[Sequence[Any]], secrets: Sequence[str]) -> bytes:
    """S: of the round's digest, `[name, value, ...]` of each source and each secret (hex), in the round's order."""
    lines = ["ssj/1 seed\n", round_digest.hex(), "\n"]
    lines += [f"{row[0]}={row[1]}\n" for row in values]
    lines += [f"secret={secret}\n" for secret in secrets]
    return hasher(suite)("".join(lines).encode("utf-8"))


def key_of(suite: str, seed: bytes, label: str) -> bytes:
    """K for a label: `draw/<round>` for entries, `assign/<round>` for inspectors."""
    return hasher(suite)(b"ssj/1 key\n" + seed + label.encode("ascii"))
