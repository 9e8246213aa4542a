"""The public log as C2SP tlog-tiles: tiles, entry bundles, checkpoints, signed notes and proofs.

Sources: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/signed-note, RFC 6962, RFC 9162.
The log hashes with SHA-256 whatever suite a round has. Signing and checking of Ed25519
are functions given by the caller: `sign(message) -> 64 bytes`, `verify(key, signature, message) -> bool`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from portal.domain import trees
from portal.domain.bundle import hasher, refuse

TILE_WIDTH = 256  # height 8
HASH_SIZE = 32
LARGEST_ENTRY = 65_535
ED25519 = b"\x01"  # the signature type of a note key

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]

_HASH = hasher("sha256")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: its origin line, its size in entries, its root."""

    origin: str
    size: int
    root: bytes


# ---- the tree -----------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of an entry; an entry is at most 65,535 bytes."""
    if len(entry) > LARGEST_ENTRY:
        refuse(f"日志条目有 {len(entry)} 字节，不能超过 {LARGEST_ENTRY} 字节。")
    return trees.leaf_hash(_HASH, entry)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    return trees.root(_HASH, leaves)


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of the first `size` leaves."""
    if not 0 <= index < size <= len(leaves):
        refuse(f"日志中没有第 {index} 条（当时共 {size} 条）。")
    return trees.path(trees.levels(_HASH, leaves[:size]), index)


def is_included(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    return trees.root_by_path(_HASH, leaf, index, size, proof) == root


def consistency_proof(leaves: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """The proof that the tree of `old_size` leaves is a prefix of that of `new_size`."""
    if not 0 <= old_size <= new_size <= len(leaves):
        refuse(f"日志没有从 {old_size} 条到 {new_size} 条的版本。")
    return trees.consistency(_HASH, leaves[:new_size], old_size)


def is_consistent(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Whether `new` only appends to `old`: same origin, proof holds."""
    return old.origin == new.origin and trees.is_consistent(_HASH, old.size, old.root, new.size, new.root, proof)


# ---- tiles --------------------------------------------------------------------------------


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """`tile/<level>/<index>[.p/<width>]`; level is a number or `entries`, index in groups of three digits."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(groups))}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def hash_tiles(leaves: Sequence[bytes], old_size: int = 0) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every tile that a tree of these leaves has and one of `old_size` leaves had not."""
    row = list(leaves)
    level, had = 0, old_size
    while row:
        yield from ((path, b"".join(part)) for path, part in _tiles(level, row, had))
        full = len(row) // TILE_WIDTH
        row = [trees.root(_HASH, row[i * TILE_WIDTH : (i + 1) * TILE_WIDTH]) for i in range(full)]
        level, had = level + 1, had // TILE_WIDTH


def entry_tiles(entries: Sequence[bytes], old_size: int = 0) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every entry bundle that these entries have and `old_size` of them had not."""
    for path, part in _tiles("entries", entries, old_size):
        yield path, b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)


def _tiles(level: int | str, row: Sequence[bytes], had: int) -> Iterator[tuple[str, Sequence[bytes]]]:
    if len(row) == had:
        return
    for index in range(had // TILE_WIDTH, -(-len(row) // TILE_WIDTH)):
        part = row[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]
        yield tile_path(level, index, len(part)), part


def parse_hash_tile(data: bytes) -> list[bytes]:
    """The 1 to 256 hashes of a tile."""
    if len(data) % HASH_SIZE or not HASH_SIZE <= len(data) <= TILE_WIDTH * HASH_SIZE:
        refuse(f"日志块有 {len(data)} 字节，应为 32 的倍数、至多 {TILE_WIDTH * HASH_SIZE} 字节。")
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def parse_entry_tile(data: bytes) -> list[bytes]:
    """The 1 to 256 entries of an entry bundle."""
    entries = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if at + 2 > len(data) or len(entry) != length:
            refuse("日志条目块在一条的中间断开，文件不完整。")
        entries.append(entry)
        at += 2 + length
    if not 1 <= len(entries) <= TILE_WIDTH:
        refuse(f"日志条目块有 {len(entries)} 条，应有 1 到 {TILE_WIDTH} 条。")
    return entries


# ---- checkpoints and signed notes ---------------------------------------------------------


def format_checkpoint(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint note: origin, size, root, each on a line."""
    if not origin or "\n" in origin or size < 0 or len(root) != HASH_SIZE:
        refuse("检查点的来源名不能为空或换行，条数不能为负，根应为 32 字节。")
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text; extension lines after the root are allowed and ignored."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "" or "" in lines[:-1] or not _DECIMAL.fullmatch(lines[1]):
        refuse("检查点格式不对：应依次为来源名、条数、根，各占一行。")
    root = _base64(lines[2])
    if root is None or len(root) != HASH_SIZE:
        refuse("检查点的根不是 32 字节的 Base64。")
    return Checkpoint(lines[0], int(lines[1]), root)


def key_hash(name: str, public_key: bytes) -> bytes:
    """The 4 bytes that say which key signed: of its name, its type (Ed25519) and the 32-byte key."""
    return _HASH(name.encode() + b"\n" + ED25519 + public_key)[:4]


def format_vkey(name: str, public_key: bytes) -> str:
    """A verifier key as published: `name+hash+base64(type || key)`."""
    _require_name(name)
    return f"{name}+{key_hash(name, public_key).hex()}+{b64encode(ED25519 + public_key).decode()}"


def parse_vkey(text: str) -> tuple[str, bytes]:
    """(name, 32-byte Ed25519 public key) of a verifier key."""
    name, _, rest = text.partition("+")
    hash, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if key is None or len(key) != 33 or key[:1] != ED25519 or hash != key_hash(name, key[1:]).hex():
        refuse(f"日志公钥“{text[:80]}”不合格式，应为 名称+校验值+Base64。")
    _require_name(name)
    return name, key[1:]


def sign_note(text: str, name: str, public_key: bytes, sign: Sign) -> str:
    """A signed note: the text, an empty line and one signature line."""
    _require_name(name)
    if not text.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in text):
        refuse("待签的文本应以换行结尾，不能含有控制字符。")
    signature = b64encode(key_hash(name, public_key) + sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def open_note(note: str, name: str, public_key: bytes, verify: Verify) -> str:
    """The text of a note that this key has signed; other keys' signature lines are ignored, a wrong one is refused."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in note):
        refuse("签名文本格式不对：正文和签名之间应空一行。")
    text += "\n"
    signed = False
    for line in signatures[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        signature = _base64(encoded)
        if dash != "—" or not _NAME.fullmatch(signer) or signature is None or len(signature) < 5:
            refuse(f"签名行“{line[:80]}”格式不对。")
        if signer == name and signature[:4] == key_hash(name, public_key):
            if not verify(public_key, signature[4:], text.encode()):
                refuse(f"“{name}”的签名不成立，检查点被改动过或不是该公钥所签。")
            signed = True
    if not signed:
        refuse(f"没有“{name}”的签名。")
    return text


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        refuse(f"密钥名称“{name}”不能为空，不能含空白或加号。")


def _base64(text: str) -> bytes | None:
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None
