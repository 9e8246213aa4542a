"""Key files of an installation, and sealing under them.

`keys/portal.key` seals what the portal must keep secret (salts, released
secrets, K); `keys/log.key` signs checkpoints (Ed25519).  Both are files of mode
600 in a folder of mode 700, never in a bundle.  Losing portal.key means that
open rounds cannot be revealed by the portal: the third party's sealed copies
are what remains (DRAW.md section 3).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from portal.domain.errors import BadInput, WrongMoment

_SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MiB, about 0.1 s


@dataclass(frozen=True, slots=True)
class Keys:
    """`seal`/`unseal` bind each secret to a label, so that one cannot be passed off as another."""

    master: bytes
    signing: bytes

    def seal(self, secret: bytes, label: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.master).encrypt(nonce, secret, label.encode())

    def unseal(self, sealed: bytes, label: str) -> bytes:
        try:
            return AESGCM(self.master).decrypt(sealed[:12], sealed[12:], label.encode())
        except InvalidTag:
            raise WrongMoment("密钥文件 keys/portal.key 与数据库不匹配，无法解开密文。请换回原来的密钥文件。") from None

    def sign(self, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.signing).sign(message)

    def public(self) -> bytes:
        """The log's raw 32-byte Ed25519 public key."""
        key = Ed25519PrivateKey.from_private_bytes(self.signing).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _write_secret(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def make_keys(folder: Path, token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
    """Make what is missing of the two key files; existing ones are never overwritten."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "portal.key").exists():
        _write_secret(folder / "portal.key", token_bytes(32).hex().encode() + b"\n")
    if not (folder / "log.key").exists():
        private = Ed25519PrivateKey.from_private_bytes(token_bytes(32))
        raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        _write_secret(folder / "log.key", raw.hex().encode() + b"\n")


def load_keys(folder: Path) -> Keys:
    """Raises WrongMoment when a file is missing, unreadable or open to other users."""
    found: list[bytes] = []
    for name in ("portal.key", "log.key"):
        path = folder / name
        try:
            if path.stat().st_mode & 0o077:
                raise WrongMoment(f"密钥文件 keys/{name} 对其他用户可读，请执行 chmod 600 后重试。")
            data = bytes.fromhex(path.read_text().strip())
        except (OSError, ValueError):
            raise WrongMoment(f"密钥文件 keys/{name} 不存在或不能读取。请先运行 portal init，或从备份恢复。") from None
        if len(data) != 32:
            raise WrongMoment(f"密钥文件 keys/{name} 长度不对，应为 32 字节。请从备份恢复。")
        found.append(data)
    return Keys(*found)


def _passphrase_key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())


def seal_under_passphrase(secret: bytes, passphrase: str, label: str) -> bytes:
    """salt (16) || nonce (12) || ciphertext: nobody without the passphrase reads it, the portal included."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    return salt + nonce + AESGCM(_passphrase_key(passphrase, salt)).encrypt(nonce, secret, label.encode())


def unseal_under_passphrase(sealed: bytes, passphrase: str, label: str) -> bytes:
    """Raises BadInput when the passphrase is not the one it was sealed under."""
    try:
        key = _passphrase_key(passphrase, sealed[:16])
        return AESGCM(key).decrypt(sealed[16:28], sealed[28:], label.encode())
    except InvalidTag:
        raise BadInput("口令不对，密值没有打开。请核对后再试；口令遗失的，由第三方启封副本。") from None
