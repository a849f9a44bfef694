"""Files that nobody but the desk's own user may read: its data folder and what lies in it.

Customers' names, addresses and calls are in there, and the keys that seal and sign. What is there already
keeps the permissions that its owner gave it.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from helpline.errors import LocalError

KEY_BYTES: Final = 32
_OTHERS_READ, _OTHERS_WRITE, _OTHERS_ENTER = 0o044, 0o022, 0o011


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, with the folders above it, unless it is there. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file for its owner alone, unless it is there. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def key_in(path: Path) -> bytes:
    """The key of `KEY_BYTES` in that file, made at its first use: two processes that start at once make one.

    Raises OSError, and ValueError for a file that holds something else.
    """
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        with suppress(FileExistsError):  # Another process was first: its key is the key.
            os.link(fresh, path)
        fresh.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path.name} holds no key")
    return key


def is_open_to_others(path: Path) -> bool:
    """Whether other users of this machine may read a file, as far as its mode and its folder's say."""
    if os.name != "posix" or not path.exists():
        return False
    mode, folder = path.stat().st_mode, path.parent.stat().st_mode
    return bool(mode & _OTHERS_READ) and bool(folder & _OTHERS_ENTER)


def is_ours_alone(folder: Path) -> bool:
    """Whether a folder, and no link to one, is this user's, and nobody else may write into it."""
    if os.name != "posix":
        return True
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS_WRITE


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, in place of what it held; a new one is its owner's alone. Raises LocalError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise LocalError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
