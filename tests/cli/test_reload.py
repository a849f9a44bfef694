"""The file of tools is read again when it is saved, and a slip in it costs nobody a call."""

import asyncio
from contextlib import asynccontextmanager

from helpline.cli.run import read_again
from helpline.desk import open_desk
from helpline.own import own_in
from tests.records.desks import settings_in, talk

TOOL = '''from helpline.tools import tool
from helpline.actions import Identity

@tool(identity=Identity.GUEST)
def {name}() -> str:
    """{name}."""
    return "It is so."
'''


@asynccontextmanager
async def desk_with(folder, file):
    said = asyncio.Queue()
    async with open_desk(settings_in(folder), own=own_in(file)) as desk:
        watching = asyncio.create_task(read_again(file, desk, said.put_nowait))
        try:
            yield desk, said
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def save(file, text, said):
    """Save until it is noticed: the watcher may not have begun."""
    async with asyncio.timeout(60):
        while said.empty():
            file.write_text(text)
            try:
                return await asyncio.wait_for(said.get(), 2)
            except TimeoutError:
                continue
    return said.get_nowait()


def names(toolbox, desk):
    context = toolbox.context(call_id="c", caller=desk.demo_customers[0])
    return {each.name for each in toolbox.definitions(context)}


async def test_a_saved_file_gives_its_tools_to_the_calls_from_now_on(tmp_path):
    file = tmp_path / "my_desk.py"
    file.write_text(TOOL.format(name="first"))
    async with desk_with(tmp_path, file) as (desk, said):
        before = desk.toolbox
        assert "was read again" in await save(file, TOOL.format(name="second"), said)
        assert "first" in names(before, desk), "a live call keeps what it has"
        assert "second" in names(desk.toolbox, desk)
        assert "first" not in names(desk.toolbox, desk)


async def test_a_file_that_is_wrong_is_named_and_changes_nothing(tmp_path):
    file = tmp_path / "my_desk.py"
    file.write_text(TOOL.format(name="first"))
    async with desk_with(tmp_path, file) as (desk, said):
        for text, words in (
            ("def broken(:\n", "line 1: SyntaxError"),
            ("x = 1\n", "has no tool"),
            (TOOL.format(name="cancel_order"), "Two tools are called cancel_order"),
        ):
            while not said.empty():
                said.get_nowait()
            sentence = await save(file, text, said)
            assert words in sentence
            assert "keeps the tools that it has" in sentence
            assert "first" in names(desk.toolbox, desk)
        _, shown = await talk(desk, "where is my order 1004")
        assert shown.lines
