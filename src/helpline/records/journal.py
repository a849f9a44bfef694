"""A live call's state on the disk: an encrypted file that only grows, and goes when the call is closed.

Each event is sealed by itself (AES-256-GCM, bound to its call and its place in the file) and handed to the
operating system before the customer sees it: a killed process loses nothing, and of an event that it was
writing only that one. The file is locked while its call lives, so that no other process takes it for lost.
"""

import errno
import logging
import os
import secrets
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from helpline.errors import LocalError
from helpline.private import key_in, make_folder

if sys.platform == "win32":

    def _lock(handle: int) -> None:
        """Windows has no such locks: there, two desks may not share a data folder."""

else:
    import fcntl

    def _lock(handle: int) -> None:
        """Raises BlockingIOError when another process has it."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


log = logging.getLogger(__name__)

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_LENGTH: Final = struct.Struct(">I")
_SUFFIX: Final = ".call"


class JournalError(LocalError):
    """The folder of live calls cannot be used: change HELPLINE_DATA_DIR."""


class Journals:
    """The folder of the journals of live calls, with the key that they are sealed by."""

    def __init__(self, data_dir: Path) -> None:
        """Makes the folder and, the first time, the key. Raises JournalError."""
        self.folder = data_dir / "live"
        try:
            make_folder(data_dir)
            make_folder(self.folder)
            self._cipher = AESGCM(key_in(data_dir / "live.key"))
        except (OSError, ValueError) as error:
            raise JournalError from error

    def begin(self, call_id: str) -> "Journal":
        """A new journal, locked. Raises OSError."""
        path = self.folder / f"{call_id}{_SUFFIX}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _lock(handle)
        return Journal(path, handle, self._cipher)

    def left_behind(self) -> Iterator["Journal"]:
        """The journals whose process is gone, each locked for us: close it when its call is in the record."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            journal = self._take(path)
            if journal is not None:
                yield journal

    def _take(self, path: Path) -> "Journal | None":
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.error("%s cannot be opened: %s", path, type(error).__name__)
            return None
        try:
            _lock(handle)
        except BlockingIOError:
            os.close(handle)
            return None
        if not os.fstat(handle).st_nlink:  # Its call was closed while we waited for it.
            os.close(handle)
            return None
        return Journal(path, handle, self._cipher)

    def read_live(self) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        """The calls of other processes as far as they have got, by id; nothing is locked or changed."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            try:
                data = path.read_bytes()
            except OSError:  # It is over by now, or `left_behind` has said what is wrong with it.
                continue
            yield path.stem, tuple(_unsealed(data, path.stem, self._cipher))


class Journal:
    """One call's file."""

    def __init__(self, path: Path, handle: int, cipher: AESGCM) -> None:
        self.path = path
        self.call_id = path.stem
        self._handle = handle
        self._cipher = cipher
        self._count = 0

    def write(self, event: bytes) -> None:
        """Add an event. Raises OSError when the disk is full."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, event, _bound_to(self.call_id, self._count))
        framed = _LENGTH.pack(len(sealed)) + sealed
        written = os.write(self._handle, framed)
        if written < len(framed):  # Half an event would hide all that come after it.
            os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._count += 1

    def read(self) -> Iterator[bytes]:
        """Its events, but for those that were damaged or cut short."""
        yield from _unsealed(self.path.read_bytes(), self.call_id, self._cipher)

    def resume(self) -> tuple[bytes, ...]:
        """Its events, with what was cut short behind them removed: what comes next is read after them.

        What is damaged among them keeps its place. A file of which nothing can be read stays as it is.
        """
        data = self.path.read_bytes()
        frames = tuple(_frames(data))
        events = tuple(_unsealed(data, self.call_id, self._cipher))
        if not events:
            return ()
        if len(events) < len(frames):
            damaged = len(frames) - len(events)
            log.error("%s: %d of its %d events are damaged and lost", self.path, damaged, len(frames))
        os.ftruncate(self._handle, sum(_LENGTH.size + len(sealed) for sealed in frames))
        self._count = len(frames)
        return events

    def set_aside(self) -> bool:
        """Rename a file that holds something which cannot be read: its key may be found again.

        False when there is nothing in it to keep.
        """
        if self.path.stat().st_size <= _LENGTH.size + _NONCE_BYTES + _TAG_BYTES:
            return False
        self.path = self.path.rename(self.path.with_suffix(".unreadable"))
        os.close(self._handle)
        return True

    def leave(self) -> None:
        """Let go of the file without removing it: whoever starts next takes it up."""
        os.close(self._handle)

    def close(self) -> None:
        """Remove the file: its call is in the record."""
        # Windows removes no open file; elsewhere the lock is held until the name is gone.
        if sys.platform == "win32":
            os.close(self._handle)
            self.path.unlink(missing_ok=True)
        else:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)


def _frames(data: bytes) -> Iterator[bytes]:
    """What was sealed, up to what was cut short."""
    at = 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length < _NONCE_BYTES or at + length > len(data):
            return
        yield data[at : at + length]
        at += length


def _unsealed(data: bytes, call_id: str, cipher: AESGCM) -> Iterator[bytes]:
    """The events; each is sealed for its place, so that none of them can stand for one that is damaged."""
    for count, sealed in enumerate(_frames(data)):
        with suppress(InvalidTag):
            yield cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(call_id, count))


def _bound_to(call_id: str, count: int) -> bytes:
    return f"{call_id}:{count}".encode()
