"""Key files and what is sealed under them."""

import stat
from pathlib import Path

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.store import keys


@pytest.fixture
def folder(tmp_path):
    keys.make_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_are_made_for_their_owner_only_and_never_made_again(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"portal.key", "log.key"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    keys.make_keys(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["portal.key", "log.key"])
def test_a_key_file_that_others_can_read_is_refused(folder, name):
    (folder / name).chmod(0o640)
    with pytest.raises(WrongMoment, match=f"keys/{name} 对其他用户可读，请执行 chmod 600"):
        keys.load_keys(folder)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "不存在或不能读取"), (b"", "长度不对"), (b"zz", "不能读取"), (b"00" * 31, "长度不对"), (b"\xff\xfe", "不能读取")]
)
def test_a_missing_or_damaged_key_file_is_refused_with_what_to_do(folder, content, words):
    place = folder / "portal.key"
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)
    with pytest.raises(WrongMoment, match=words):
        keys.load_keys(folder)


def test_what_is_sealed_opens_under_its_own_label_and_key_only(folder):
    own = keys.load_keys(folder)
    sealed = own.seal(b"secret", "share/R1/0")
    assert own.unseal(sealed, "share/R1/0") == b"secret" and b"secret" not in sealed
    assert own.seal(b"secret", "share/R1/0") != sealed, "a new nonce each time"
    other = keys.Keys(bytes(32), own.signing)
    for reader, label, data in ((own, "share/R1/1", sealed), (other, "share/R1/0", sealed), (own, "share/R1/0", sealed[:-1] + b"\0")):
        with pytest.raises(WrongMoment, match="与数据库不匹配，无法解开密文"):
            reader.unseal(data, label)


def test_a_passphrase_is_stretched_for_real_outside_these_tests():
    assert keys._SCRYPT["n"] == 16, "made cheap by tests/office_fixtures.py"
    assert '_SCRYPT = {"n": 2**15, "r": 8, "p": 1}' in Path(keys.__file__).read_text()


def test_a_share_opens_under_its_passphrase_and_label_only():
    sealed = keys.seal_under_passphrase(b"s" * 32, "一句口令", "share/R1/planner")
    assert keys.unseal_under_passphrase(sealed, "一句口令", "share/R1/planner") == b"s" * 32
    for passphrase, label in (("一句口令 ", "share/R1/planner"), ("一句口令", "share/R1/supervisor")):
        with pytest.raises(BadInput, match="口令不对，密值没有打开"):
            keys.unseal_under_passphrase(sealed, passphrase, label)
