"""Calling tools the way a model does, and answering the way a customer does."""

import json

import pytest

from helpline.errors import ToolError


async def ask(toolbox, context, tool, /, **arguments):
    """A model's tool call."""
    return await toolbox.run(context, tool, json.dumps(arguments), "tc_1")


async def propose(toolbox, context, tool, /, **arguments):
    """A tool call that comes back as a proposal."""
    result = await ask(toolbox, context, tool, **arguments)
    assert result.proposal is not None
    assert result.data["status"] == "not_done_yet"
    return result.proposal


async def say_yes(toolbox, context, proposal, *, heard=None, answer="yes, please", means="voice"):
    """The customer heard the read-back and agreed."""
    heard = proposal.read_back if heard is None else heard
    return await toolbox.confirm(context, proposal.id, heard=heard, answer=answer, means=means)


async def refused(awaitable):
    """The refusal that comes instead of a result."""
    with pytest.raises(ToolError) as error:
        await awaitable
    assert 0 < len(error.value.say) < 300
    return error.value.reason
