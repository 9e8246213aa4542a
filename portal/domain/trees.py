"""RFC 6962 hash trees: root, inclusion path, consistency proof, and the checking of both.

Leaves are given as leaf hashes (32 bytes); `hash` is the suite's function. An odd node is
promoted unchanged, an empty tree is H(""). Paths list sibling hashes from the leaf up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portal.domain.bundle import Hash


def leaf_hash(hash: Hash, data: bytes) -> bytes:
    return hash(b"\x00" + data)


def node_hash(hash: Hash, left: bytes, right: bytes) -> bytes:
    return hash(b"\x01" + left + right)


def root(hash: Hash, leaves: Iterable[bytes]) -> bytes:
    """The root of a tree of any size in one pass, holding one hash a level."""
    stack: list[bytes] = []
    for number, leaf in enumerate(leaves, 1):
        stack.append(leaf)
        while not number & 1:  # as many merges as the number has trailing zero bits
            right = stack.pop()
            stack[-1] = hash(b"\x01" + stack[-1] + right)
            number >>= 1
    if not stack:
        return hash(b"")
    while len(stack) > 1:
        right = stack.pop()
        stack[-1] = hash(b"\x01" + stack[-1] + right)
    return stack[0]


def levels(hash: Hash, leaves: Iterable[bytes]) -> list[list[bytes]]:
    """All levels, leaves first; for many paths out of one tree."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        below = rows[-1]
        row = [hash(b"\x01" + below[i] + below[i + 1]) for i in range(0, len(below) - 1, 2)]
        if len(below) & 1:
            row.append(below[-1])
        rows.append(row)
    return rows


def path(rows: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The inclusion path of a leaf from the tree's `levels`."""
    found = []
    for row in rows[:-1]:
        sibling = index ^ 1
        if sibling < len(row):
            found.append(row[sibling])
        index >>= 1
    return found


def root_by_path(hash: Hash, leaf: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root a path leads to, or None where it has not the length its index and size ask for (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    last = size - 1
    found = leaf
    for sibling in siblings:
        if last == 0:
            return None
        if index & 1 or index == last:
            found = node_hash(hash, sibling, found)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            found = node_hash(hash, found, sibling)
        index >>= 1
        last >>= 1
    return found if last == 0 else None


def consistency(hash: Hash, leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the first `old_size` leaves are a prefix of all (RFC 6962, 2.1.2); empty for 0 and for all."""
    if not 0 <= old_size <= len(leaves):
        raise ValueError("old size is outside the tree")
    if old_size in (0, len(leaves)):
        return []
    proof: list[bytes] = []
    low, high, known = 0, len(leaves), True  # `known`: the verifier has this subtree's root already
    size = old_size
    while size != high - low:
        half = 1 << (high - low - 1).bit_length() - 1
        if size <= half:
            proof.append(root(hash, leaves[low + half : high]))
            high = low + half
        else:
            proof.append(root(hash, leaves[low : low + half]))
            low, size, known = low + half, size - half, False
    if not known:
        proof.append(root(hash, leaves[low:high]))
    return proof[::-1]


def is_consistent(
    hash: Hash, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a consistency proof holds (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == hash(b"")
    pieces = list(proof)
    if old_size & (old_size - 1) == 0:
        pieces.insert(0, old_root)
    if not pieces:
        return False
    index, last = old_size - 1, new_size - 1
    while index & 1:
        index >>= 1
        last >>= 1
    old = new = pieces[0]
    for piece in pieces[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(hash, piece, old), node_hash(hash, piece, new)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            new = node_hash(hash, new, piece)
        index >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root
