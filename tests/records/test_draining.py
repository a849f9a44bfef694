"""A desk that is told to stop: no call is cut, no new one is taken, and then it ends by itself."""

import asyncio
import signal
import socket
import sys

import httpx
import pytest

from helpline.channels.operator import NoDesk, ask, listening
from helpline.records import archive
from helpline.records.archive import Filter
from tests.records.desks import desk_in
from tests.records.served import CALLS


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def serve_ten_calls(folder, port):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.records.served", str(folder), str(port), stdout=asyncio.subprocess.PIPE
    )
    waiting = {"live": CALLS, "open at": 1}
    while any(waiting.values()):
        line = (await process.stdout.readline()).decode()
        assert line, "it ended"
        for word in waiting:
            waiting[word] -= word in line
    return process


async def check_that_none_was_cut(process, folder):
    rest = (await process.stdout.read()).decode().splitlines()
    assert await process.wait() == 0
    assert rest.count("finished") == CALLS
    assert "refused" in rest
    async with desk_in(folder) as desk, desk.store.database.read() as connection:
        records = await archive.exported(connection, Filter(limit=100))
    assert [record["outcome"] for record in records] == ["solved"] * CALLS
    assert {record["ended"] for record in records} == {"the customer hung up"}


@pytest.mark.timeout(120)
async def test_sigterm_cuts_none_of_ten_calls(tmp_path, port):
    process = await serve_ten_calls(tmp_path, port)
    process.send_signal(signal.SIGTERM)
    await check_that_none_was_cut(process, tmp_path)


@pytest.mark.timeout(120)
async def test_an_operators_drain_cuts_none_and_says_when_it_is_done(tmp_path, port):
    process = await serve_ten_calls(tmp_path, port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/health/ready")).status_code == 200
        metrics = await client.get("/metrics")
        assert f"helpline_calls_active {CALLS}.0" in metrics.text
    said = [state async for state in ask(tmp_path, "drain")]
    assert said[0]["calls"] == CALLS
    assert said[-1] == {"calls": 0, "done": True}
    await check_that_none_was_cut(process, tmp_path)


async def test_without_a_desk_there_is_a_sentence(tmp_path):
    with pytest.raises(NoDesk, match="HELPLINE_DATA_DIR"):
        [state async for state in ask(tmp_path, "drain")]


async def test_what_is_no_question_is_answered_and_harms_nobody(tmp_path):
    async with desk_in(tmp_path) as desk, listening(tmp_path, desk, lambda: desk.drain(0)):
        assert (tmp_path / "operator.sock").stat().st_mode & 0o777 == 0o600
        assert [state async for state in ask(tmp_path, "dance")] == [{"error": "unknown"}]
        reader, writer = await asyncio.open_unix_connection(tmp_path / "operator.sock")
        writer.write(b'["drain"]\n')
        assert await reader.read() == b'{"error": "unknown"}\n'
        writer.close()
        reader, writer = await asyncio.open_unix_connection(tmp_path / "operator.sock")
        writer.write(b"\xff not json\n")
        assert await reader.read() == b""
        writer.close()
        assert [state async for state in ask(tmp_path, "status")] == [{"calls": 0}]


async def test_calls_that_do_not_end_are_counted_when_the_time_is_over(tmp_path):
    from tests.records.test_forgetting import Nobody

    async with desk_in(tmp_path) as desk:
        await desk.admit(Nobody(), kind="test")
        assert await desk.drain(0.05) == 1
