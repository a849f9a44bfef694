"""Who may read what a desk keeps: its own user and nobody else of the machine."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpline.channels.web.browsers import load_key
from helpline.errors import LocalError
from helpline.private import is_open_to_others, key_in, make_folder, write_text
from helpline.store import Store
from tests.records.desks import desk_in, talk

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")

LAX = 0o022
"""The umask of most machines: what is made without care is everybody's to read."""


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(LAX)
    yield
    os.umask(before)


def open_to_others(folder):
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]


async def test_nothing_that_a_call_leaves_on_the_disk_is_for_others(tmp_path):
    async with desk_in(tmp_path / "var", trace_calls="yes") as desk:
        await talk(desk, "Cancel order 1001.", "Yes.")
        load_key(tmp_path / "var")
        assert len(list((tmp_path / "var").rglob("*"))) > 4
        assert open_to_others(tmp_path) == []


async def test_a_database_in_a_folder_of_others_is_still_not_theirs(tmp_path):
    store = await Store.open(f"sqlite:///{tmp_path / 'shop.db'}", demo=True)
    assert not is_open_to_others(tmp_path / "shop.db")
    assert open_to_others(tmp_path) == []
    await store.close()


async def test_what_the_owner_has_shared_stays_shared(tmp_path):
    shop = tmp_path / "shop.db"
    shop.touch()
    shop.chmod(0o640)
    tmp_path.chmod(0o755)
    await (await Store.open(f"sqlite:///{shop}", demo=True)).close()
    assert shop.stat().st_mode & 0o777 == 0o640
    assert is_open_to_others(shop)


def test_a_closed_folder_closes_what_is_in_it(tmp_path):
    make_folder(tmp_path / "deep" / "var")
    (tmp_path / "deep" / "var" / "shop.db").write_bytes(b"")
    assert not is_open_to_others(tmp_path / "deep" / "var" / "shop.db")


def test_many_who_start_at_once_have_one_key(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: key_in(tmp_path / "page.key"), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["page.key"]


def test_a_key_that_a_crash_cut_short_is_told_and_not_used(tmp_path, caplog):
    (tmp_path / "page.key").write_bytes(b"")
    assert load_key(tmp_path) != load_key(tmp_path)
    assert "page's key" in caplog.text


def test_a_file_for_a_person_is_theirs_alone_or_one_sentence(tmp_path):
    write_text(tmp_path / "calls.jsonl", "é\n")
    assert (tmp_path / "calls.jsonl").read_text(encoding="utf-8") == "é\n"
    assert open_to_others(tmp_path) == []
    with pytest.raises(LocalError, match="cannot be written"):
        write_text(tmp_path / "missing" / "calls.jsonl", "")


@pytest.mark.parametrize("planted", ["nothing", "a link", "a folder for all"])
def test_where_there_is_no_home_no_folder_of_others_is_trusted(tmp_path, planted):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    guessed = tmp_path / f"helpline-engine-{os.getuid()}"
    if planted == "a link":
        guessed.symlink_to(elsewhere)
    elif planted == "a folder for all":
        guessed.mkdir()
        guessed.chmod(0o777)
    program = "from helpline.engine.lexicon import Library; print(Library().directory)"
    env = {**os.environ, "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": "/dev/null/none"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    found = Path(done.stdout.strip())
    assert (found == guessed) == (planted == "nothing")
    assert found.parent == tmp_path
    assert found.stat().st_mode & 0o777 == 0o700
