"""A made-up register of any size, one entity at a time: same seed, same rows, flat memory.

Each number makes one entity from one SHA-256 digest. Codes are unique without a
memory: the counter is permuted (multiplied and shifted modulo 31^6) and written
as the last six places of an organisation code MA......; both check digits hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Any

from portal.domain.codes import (
    ALPHABET, ORGANISATION_WEIGHTS, USCC_WEIGHTS, legacy_check_digit, make_legacy,
)
from portal.domain.directory import EntityRow
from portal.domain.sample_names import (
    BRAND_ENDS, BRAND_STARTS, COUNTY, REGION, ROADS, STATIONS, TOWNS, TRADES, Trade,
)
from portal.domain.sample_stream import table_of, topic_key

__all__ = ["SNAPSHOT_ON", "entity_maker", "sample_entities"]

#: The register is as of this day: nothing in it is later.
SNAPSHOT_ON = date(2025, 12, 31)
#: From this number on nobody gets a 15-digit number: there are no unused ones.
LEGACY_NUMBERS = 30_000_000

BUREAU = f"{COUNTY}市场监督管理局"

_STATUS = table_of((("存续", 940), ("注销", 40), ("吊销", 15), ("迁出", 5)), 256)
_CLASS = table_of((("A", 65), ("B", 25), ("C", 8), ("D", 2)), 256)
_TOWN = table_of(TOWNS, 256)
_STATION = {town: station for station, towns in STATIONS for town in towns}
_CAPITAL = table_of((("10万元人民币", 20), ("50万元人民币", 30), ("100万元人民币", 25), ("500万元人民币", 15), ("1000万元人民币", 8), ("5000万元人民币", 2)), 256)
_TYPES = {"企": "企业", "个": "个体工商户", "农": "农民专业合作社"}
_KIND = {"企": "1", "个": "2", "农": "3"}

_MODULUS = 31**6
_STEP = 387_420_511  # a prime that is no multiple of 31: i -> i * step + shift permutes the 31^6 codes


def sample_entities(n: int, seed: str | int = 1) -> Iterator[EntityRow]:
    """Exactly `n` directory rows of 望溪县; a longer register begins with the shorter one.

    About 1 % are further shops (`USCC#2`, `USCC#3`) of the chain before them.
    """
    make = entity_maker(seed)
    given = number = 0
    while given < n:
        row, shops = make(number)
        yield row
        given += 1
        number += 1
        for shop in range(2, 2 + shops):
            if given < n:
                yield _shop(row, shop)
                given += 1


def entity_maker(seed: str | int) -> Callable[[int], tuple[EntityRow, int]]:
    """A function from a number (below 31^6) to its entity and how many further shops it has."""
    key = topic_key(seed, "entities")
    shift = int.from_bytes(key[:8], "big")
    trades = table_of([(_prepared(trade), trade.weight) for trade in TRADES])
    triples = _triples()
    prefixes = {kind: (f"9{kind}{REGION}MA", _partial(f"9{kind}{REGION}MA", USCC_WEIGHTS, ALPHABET)) for kind in "123"}
    organisation_start = _partial("MA", ORGANISATION_WEIGHTS, _LETTERS)
    today = SNAPSHOT_ON.toordinal()
    day = date.fromordinal

    def make(number: int) -> tuple[EntityRow, int]:
        b = sha256(key + number.to_bytes(8, "big")).digest()
        form, word, scope, industries, tags, licence, chain = trades[(b[0] << 8 | b[1]) & 1023][b[2] & 15]
        town = _TOWN[b[3]]
        status = _STATUS[b[4]]
        age = b[5] << 8 | b[6]
        registered = today - 1 - (age * age * 12_400 >> 32)  # up to 34 years, most of them recent
        old = registered < 735_872  # 2015-10-01: from then on every new entity has a USCC
        permuted = (number * _STEP + shift) % _MODULUS
        if old and b[7] < 40 and form != "农" and number < LEGACY_NUMBERS:
            code = make_legacy(REGION, (number + shift) % LEGACY_NUMBERS + (10_000_000 if form == "企" else 60_000_000))
            status = "吊销" if b[7] < 8 else status
        else:
            high, low = divmod(permuted, 29_791)
            text, sum_o, _, sum_u, _ = triples[high]
            text_l, _, sum_ol, _, sum_ul = triples[low]
            prefix, sum_p = prefixes[_KIND[form]]
            check = "0123456789X"[-(organisation_start + sum_o + sum_ol) % 11]
            last = ALPHABET[-(sum_p + sum_u + sum_ul + _VALUES[check] * 28) % 31]
            code = prefix + text + text_l + check + last
        brand = BRAND_STARTS[b[8] % len(BRAND_STARTS)] + BRAND_ENDS[b[9] % len(BRAND_ENDS)]
        if form == "企":
            name = f"{COUNTY}{brand}{word}有限公司"
        elif form == "个":
            name = f"{COUNTY}{town[:-1]}{brand}{word}"
        else:
            name = f"{COUNTY}{brand}{word}专业合作社"
        old_names = ()
        if form == "企" and b[10] < 8:
            old_names = (f"{COUNTY}{BRAND_STARTS[b[11] % len(BRAND_STARTS)]}{BRAND_ENDS[b[12] % len(BRAND_ENDS)]}{word}有限公司",)
        return EntityRow(
            code=code, kind="entity", holder=code, site="", name=name, old_names=old_names, type=_TYPES[form],
            status=status, region=REGION, station=_STATION[town], town=town,
            address=f"{COUNTY}{town}{ROADS[b[13] % len(ROADS)]}{1 + (b[14] << 8 | b[15]) % 388}号",
            industries=industries, scope=scope, registered_on=day(registered), risk_class=_CLASS[b[16]], tags=tags,
            licences=_licences(licence, number, registered, b) if licence else (),
            attributes=_ATTRIBUTES if form == "个" else _WITH_CAPITAL[_CAPITAL[b[17]]],
        ), (1 + (b[18] & 1) if chain and form == "企" and status == "存续" and b[19] < 22 else 0)

    return make


def _shop(row: EntityRow, shop: int) -> EntityRow:
    town = _TOWN[(len(row.name) * 37 + shop * 101 + ord(row.code[-1])) & 255]
    road = ROADS[(shop * 7 + ord(row.code[-2])) % len(ROADS)]
    return EntityRow(
        code=f"{row.code}#{shop}", kind="site", holder=row.code, site=str(shop), name=f"{row.name}（{town[:-1]}{shop}店）",
        type=row.type, status=row.status, region=row.region, station=_STATION[town], town=town,
        address=f"{COUNTY}{town}{road}{shop * 11 + ord(row.code[-3])}号", industries=row.industries, scope=row.scope,
        registered_on=row.registered_on, risk_class=row.risk_class, tags=row.tags, attributes=row.attributes,
    )


_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {c: at for at, c in enumerate(ALPHABET)}
_ATTRIBUTES: Mapping[str, Any] = {"authority": BUREAU}
_WITH_CAPITAL = {capital: {"authority": BUREAU, "capital": capital} for capital in _CAPITAL}
_LICENCE_LETTERS = {"食品经营许可证": "JY1", "食品生产许可证": "SC1"}


def _prepared(trade: Trade) -> tuple[tuple[Any, ...], ...]:
    """Sixteen ready variants of a trade: form, word, scope, industries, tags, licence, chain."""
    variants = []
    for at in range(16):
        form = trade.forms[at % len(trade.forms)]
        industries = (trade.industries[at // 3 % len(trade.industries)],)
        variants.append((form, trade.words[at % len(trade.words)], trade.scope, industries, trade.tags, trade.licence, trade.chain))
    return tuple(variants)


def _partial(text: str, weights: tuple[int, ...], alphabet: str, start: int = 0) -> int:
    return sum(alphabet.index(c) * weights[start + at] for at, c in enumerate(text))


@cache
def _triples() -> tuple[tuple[str, int, int, int, int], ...]:
    """Every three characters with their shares of both check digits, as places 3-5 and as 6-8 of the organisation code."""
    values = [(c, _VALUES[c], _LETTERS.index(c)) for c in ALPHABET]
    (o3, o4, o5, o6, o7, o8), (u3, u4, u5, u6, u7, u8) = ORGANISATION_WEIGHTS[2:], USCC_WEIGHTS[10:16]
    return tuple(
        (a + b + c, ao * o3 + bo * o4 + co * o5, ao * o6 + bo * o7 + co * o8,
         au * u3 + bu * u4 + cu * u5, au * u6 + bu * u7 + cu * u8)
        for a, au, ao in values for b, bu, bo in values for c, cu, co in values
    )


def _licences(name: str, number: int, registered: int, b: bytes) -> tuple[Mapping[str, str], ...]:
    issued = max(registered, SNAPSHOT_ON.toordinal() - 1 - (b[20] << 8 | b[21]) % 2_000)
    until = date.fromordinal(issued + 1_826 - 1)
    serial = f"{REGION}{number % 1_000_000:06d}"
    letters = _LICENCE_LETTERS.get(name)
    if letters:
        body = letters[2] + serial + str(b[22] % 10)
        text = letters[:2] + body + legacy_check_digit(body)
    else:
        text = f"闽Z{serial}"
    return ({
        "name": name, "number": text, "issued_on": date.fromordinal(issued).isoformat(), "valid_to": until.isoformat(),
        "authority": BUREAU,
    },)
