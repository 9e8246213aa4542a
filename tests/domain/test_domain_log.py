"""The public log: tiles, entry bundles, checkpoints, signed notes, proofs."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain import log
from portal.domain.errors import BadInput

LEAVES = [log.leaf_hash(b"%d" % number) for number in range(70_000)]
KEY = bytes(range(32))
NAME = "mingcha.example/log"


def sign(message):
    """A stand-in for Ed25519: the log's text format does not look inside a signature."""
    return hashlib.sha512(KEY + message).digest()


def verify(public_key, signature, message):
    return signature == hashlib.sha512(public_key + message).digest()


# ---- tiles --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((1, 67), "tile/1/067"),
        ((0, 999), "tile/0/999"),
        ((0, 1000), "tile/0/x001/000"),
        ((0, 1234067), "tile/0/x001/x234/067"),
        ((0, 1234067, 8), "tile/0/x001/x234/067.p/8"),
        (("entries", 5, 3), "tile/entries/005.p/3"),
    ],
)
def test_tiles_lie_where_c2sp_says(args, path):
    assert log.tile_path(*args) == path


def test_a_log_of_70000_has_the_tiles_of_the_specification():
    # c2sp.org/tlog-tiles: 273 full tiles and one of 112 hashes at level 0, one full and one of 17 at level 1, one of 1 at level 2.
    tiles = dict(log.hash_tiles(LEAVES))
    assert len(tiles) == 274 + 2 + 1
    assert {
        "tile/0/000",
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    } <= tiles.keys()
    assert len(tiles["tile/0/272"]) == 256 * 32 and len(tiles["tile/0/273.p/112"]) == 112 * 32
    assert log.parse_hash_tile(tiles["tile/1/000"])[3] == log.tree_root(LEAVES[3 * 256 : 4 * 256])
    assert tiles["tile/2/000.p/1"] == log.tree_root(LEAVES[:65_536])


@settings(max_examples=30)
@given(st.integers(0, 1_200), st.integers(0, 1_200))
def test_tiles_written_step_by_step_are_those_written_at_once(first, second):
    old, new = sorted((first, second))
    at_once = dict(log.hash_tiles(LEAVES[:new]))
    grown = dict(log.hash_tiles(LEAVES[:old])) | dict(log.hash_tiles(LEAVES[:new], old))
    assert at_once.items() <= grown.items()
    assert all(".p/" in path for path in grown.keys() - at_once.keys())  # outgrown partial tiles stay


def test_nothing_new_means_no_tiles():
    assert list(log.hash_tiles(LEAVES[:300], 300)) == [] == list(log.entry_tiles([b"x"], 1))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=600))
def test_entry_bundles_read_back_give_the_entries(entries):
    found = []
    for number, (path, data) in enumerate(log.entry_tiles(entries)):
        part = log.parse_entry_tile(data)
        assert path == log.tile_path("entries", number, len(part))
        found += part
    assert found == entries


def test_an_entry_is_prefixed_by_its_length_in_two_bytes():
    assert list(log.entry_tiles([b"ab", b""])) == [("tile/entries/000.p/2", b"\0\2ab\0\0")]
    assert len(log.leaf_hash(b"x" * 65_535)) == 32
    with pytest.raises(BadInput, match="65536"):
        log.leaf_hash(b"x" * 65_536)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\2a", b"\0\1a\0", b"\0\0" * 257])
def test_an_entry_bundle_that_breaks_off_is_refused(data):
    with pytest.raises(BadInput, match="日志条目块"):
        log.parse_entry_tile(data)


@pytest.mark.parametrize("size", [0, 31, 33, 257 * 32])
def test_a_hash_tile_of_another_size_is_refused(size):
    with pytest.raises(BadInput, match="日志块"):
        log.parse_hash_tile(bytes(size))


# ---- proofs -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 7, 256, 257])
def test_every_entry_is_provably_in_the_log_and_no_other_is(size):
    root = log.tree_root(LEAVES[:size])
    for index in range(0, size, max(1, size // 9)):
        proof = log.inclusion_proof(LEAVES, index, size)
        assert log.is_included(LEAVES[index], index, size, root, proof)
        assert not log.is_included(LEAVES[index + 1], index, size, root, proof)
        assert not log.is_included(LEAVES[index], index, size, LEAVES[index + 1], proof)
        assert not log.is_included(LEAVES[index], index, size, root, [*proof, root])


def head(size, origin=NAME):
    return log.Checkpoint(origin, size, log.tree_root(LEAVES[:size]))


@pytest.mark.parametrize(("old", "new"), [(0, 5), (1, 2), (3, 7), (256, 300), (255, 257), (9, 9)])
def test_a_log_that_only_grew_proves_it(old, new):
    proof = log.consistency_proof(LEAVES, old, new)
    assert log.is_consistent(head(old), head(new), proof)
    assert not log.is_consistent(head(old, "other"), head(new), proof)
    rewritten = log.Checkpoint(NAME, new, log.tree_root([LEAVES[-1], *LEAVES[1:new]]))
    if old:
        assert not log.is_consistent(head(old), rewritten, proof)
        assert not log.is_consistent(
            head(old), rewritten, log.consistency_proof([LEAVES[-1], *LEAVES[1:new]], old, new)
        )


def test_proofs_outside_the_log_are_refused():
    with pytest.raises(BadInput, match="第 3 条"):
        log.inclusion_proof(LEAVES[:5], 3, 3)
    with pytest.raises(BadInput, match="从 4 条到 3 条"):
        log.consistency_proof(LEAVES, 4, 3)


# ---- checkpoints and notes ----------------------------------------------------------------


def test_a_checkpoint_is_origin_size_and_root_each_on_a_line():
    text = log.format_checkpoint("example.com/behind-the-sofa", 20852163, bytes(32))
    assert text == "example.com/behind-the-sofa\n20852163\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    assert log.parse_checkpoint(text) == log.Checkpoint("example.com/behind-the-sofa", 20852163, bytes(32))
    assert log.parse_checkpoint(text + "extension\n").size == 20852163


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\n" + "A" * 43 + "=\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "\n1\n" + "A" * 43 + "=\n",
        "a\n1\nAAAA\n",
    ]
    + [
        "a\n1\n" + "A" * 43 + "=",
        "a\n1\n" + "A" * 42 + "B=\n",
        "a\n1\n" + "A" * 43 + "=\n\n",
        "a\n１\n" + "A" * 43 + "=\n",
    ],
)
def test_a_checkpoint_of_another_form_is_refused(text):
    with pytest.raises(BadInput, match="检查点"):
        log.parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"), [("", 1, bytes(32)), ("a\nb", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 1, b"")]
)
def test_a_checkpoint_that_cannot_be_read_back_is_not_written(origin, size, root):
    with pytest.raises(BadInput, match="检查点"):
        log.format_checkpoint(origin, size, root)


def test_the_key_hash_and_vkey_are_those_of_the_signed_note_specification():
    # A known verifier key: the Go checksum database's.
    vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    name, key = log.parse_vkey(vkey)
    assert name == "sum.golang.org" and len(key) == 32
    assert log.key_hash(name, key).hex() == "033de0ae"
    assert log.format_vkey(name, key) == vkey


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "x+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    ],
)
def test_a_verifier_key_that_does_not_fit_is_refused(vkey):
    with pytest.raises(BadInput, match="公钥"):
        log.parse_vkey(vkey)


def test_a_signed_note_opens_to_its_text_also_among_other_signatures():
    text = log.format_checkpoint(NAME, 3, head(3).root)
    note = log.sign_note(text, NAME, KEY, sign)
    assert note.startswith(text + f"\n— {NAME} ") and note.endswith("\n")
    assert log.open_note(note, NAME, KEY, verify) == text
    assert log.open_note(note + "— witness.example AAAAAAAA\n", NAME, KEY, verify) == text


def test_a_note_changed_in_any_line_does_not_open():
    text = log.format_checkpoint(NAME, 3, head(3).root)
    note = log.sign_note(text, NAME, KEY, sign)
    for wrong, why in (
        (note.replace("\n3\n", "\n4\n"), "不成立"),
        (text, "空一行|格式"),
        (note[:-1], "格式"),
        (note.replace("— ", "- "), "格式"),
        (note.replace("— ", "—  "), "格式"),
        (note + "\n", "格式"),
        (note.replace(NAME + " ", "other "), "没有"),
        (note.replace("=", ""), "格式"),
        (note.replace("\n3\n", "\n3\x01\n"), "格式"),
    ):
        assert wrong != note
        with pytest.raises(BadInput, match=why):
            log.open_note(wrong, NAME, KEY, verify)
    with pytest.raises(BadInput, match="没有"):
        log.open_note(note, NAME, bytes(32), verify)


@pytest.mark.parametrize(("text", "name"), [("a", NAME), ("a\tb\n", NAME), ("a\n", ""), ("a\n", "a b"), ("a\n", "a+b")])
def test_a_note_that_could_not_be_opened_is_not_signed(text, name):
    with pytest.raises(BadInput):
        log.sign_note(text, name, KEY, sign)


def test_a_real_ed25519_signature_opens():
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = private.public_key().public_bytes_raw()

    def check(key, signature, message):
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except Exception:
            return False
        return True

    note = log.sign_note("a\n", NAME, public, private.sign)
    assert log.open_note(note, NAME, public, check) == "a\n"
    with pytest.raises(BadInput, match="不成立"):
        log.open_note(note.replace("a\n", "b\n", 1), NAME, public, check)
