"""The sealed archive: same files are same bytes, and no changed byte goes unnoticed."""

import io
import random
import tarfile

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.store import archive


@pytest.fixture
def made(tmp_path):
    """An archive of three files, one empty, one with a long Chinese name."""
    sources = []
    for n, (name, data) in enumerate((("b/长" * 20 + "名.txt", b"two\n"), ("a/one", bytes(range(256)) * 40), ("c", b""))):
        place = tmp_path / f"source{n}"
        place.write_bytes(data)
        sources.append((name, place))
    file = tmp_path / "made.tar"
    with archive.open_new(file) as out:
        archive.write_archive(out, sources, {"spec": "test"})
    return file


def test_what_is_written_is_read_again(made, tmp_path):
    opened = archive.open_archive(made)
    assert opened.manifest["spec"] == "test" and len(opened.manifest["files"]) == 3
    assert opened.unpack("", tmp_path / "out") == 3
    assert (tmp_path / "out" / "a" / "one").read_bytes() == bytes(range(256)) * 40
    assert opened.unpack("a/", tmp_path / "part") == 1 and (tmp_path / "part" / "one").exists()


def test_any_tar_reads_it_in_a_fixed_order(made):
    with tarfile.open(made) as tar:
        names = tar.getnames()
        assert tar.extractfile("c").read() == b""
    assert names[0] == "a/one" and names[-3:] == ["c", "manifest.json", "SHA256"]


def test_same_files_are_same_bytes(made, tmp_path):
    again = tmp_path / "again.tar"
    sources = [("c", tmp_path / "source2"), ("b/长" * 20 + "名.txt", tmp_path / "source0"), ("a/one", tmp_path / "source1")]
    with archive.open_new(again) as out:
        archive.write_archive(out, sources, {"spec": "test"})
    assert again.read_bytes() == made.read_bytes()


def test_every_byte_counts(made):
    whole = made.read_bytes()
    chance = random.Random(7)
    places = {0, len(whole) - 1, len(whole) - 1500, *(chance.randrange(len(whole)) for _ in range(200))}
    for place in sorted(places):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        made.write_bytes(changed)
        with pytest.raises(BadInput, match="不是完整的备份"):
            archive.open_archive(made)


@pytest.mark.parametrize("data", [b"", b"x", bytes(10240), b"\x1f\x8b" + bytes(4000)])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(BadInput, match="不是完整的备份"):
        archive.open_archive(tmp_path / "x")


def test_a_shortened_or_lengthened_archive_is_refused(made):
    whole = made.read_bytes()
    for data in (whole[:-1], whole[:-512], whole[:-2048], whole[: len(whole) // 2], whole + b"\0", whole + bytes(512)):
        made.write_bytes(data)
        with pytest.raises(BadInput, match="不是完整的备份"):
            archive.open_archive(made)


def sealed(tmp_path, members):
    """An archive of such members with a seal that holds, as a forger would make it."""
    out = io.BytesIO()
    counted = archive._Hashing(out)
    tar = tarfile.TarFile(fileobj=counted, mode="w")
    for member, data in members:
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    (tmp_path / "forged").write_bytes(out.getvalue() + archive._seal(counted.hash.hexdigest()))
    return tmp_path / "forged"


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../x"])
def test_a_sealed_archive_cannot_write_elsewhere(tmp_path, name):
    manifest = b'{"files":{}}'
    file = sealed(tmp_path, [(tarfile.TarInfo(name), b"x"), (tarfile.TarInfo("manifest.json"), manifest)])
    with pytest.raises(BadInput, match="不认识的内容"):
        archive.open_archive(file)


def test_a_sealed_archive_holds_files_only(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with pytest.raises(BadInput, match="不认识的内容“link”"):
        archive.open_archive(sealed(tmp_path, [(link, b""), (tarfile.TarInfo("manifest.json"), b'{"files":{}}')]))


@pytest.mark.parametrize("manifest", [b"[]", b"{}", b"nonsense", b'{"files":{"b":[1,""]}}'])
def test_a_manifest_that_names_other_files_is_refused(tmp_path, manifest):
    file = sealed(tmp_path, [(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("manifest.json"), manifest)])
    with pytest.raises(BadInput, match="不是完整的备份"):
        archive.open_archive(file)


def test_a_file_that_differs_from_the_manifest_is_not_taken_for_whole(tmp_path):
    manifest = b'{"files":{"a":[1,"00"]}}'
    file = sealed(tmp_path, [(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("manifest.json"), manifest)])
    with pytest.raises(WrongMoment, match="“a”与清单不符"):
        archive.open_archive(file).unpack("", tmp_path / "out")


def test_unpacking_never_replaces_a_file(made, tmp_path):
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / "a" / "one").write_text("mine")
    with pytest.raises(FileExistsError):
        archive.open_archive(made).unpack("", tmp_path / "out")
    assert (tmp_path / "out" / "a" / "one").read_text() == "mine"


class Shrinking(io.RawIOBase):
    def read(self, count=-1):
        return b"x"


def test_a_file_that_shrinks_or_goes_while_it_is_read_is_named(tmp_path):
    with pytest.raises(WrongMoment, match="“log.txt”在备份时被改动"):
        archive._Reading(Shrinking(), "log.txt").read(10)
    with archive.open_new(tmp_path / "x") as out, pytest.raises(WrongMoment, match="“gone.txt”在备份时被移走"):
        archive.write_archive(out, [("gone.txt", tmp_path / "gone.txt")], {})
