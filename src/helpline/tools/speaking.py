"""How the desk speaks: slower, when a customer asks for it."""

from typing import Literal

from helpline import sentences as say
from helpline.actions import Identity, Pace, ToolResult
from helpline.tools.context import CallContext
from helpline.tools.tool import Tool, tool
from helpline.wording import Sentence

_SAYS: dict[Pace, Sentence] = {
    "slower": say.SLOWER,
    "normal": say.USUAL_PACE,
    "faster": say.FASTER,
}


@tool(identity=Identity.GUEST)
async def change_speaking_pace(
    context: CallContext, pace: Literal["slower", "normal", "faster"] = "slower"
) -> ToolResult:
    """Speak slower, faster, or at the normal pace again, when the customer asks for it.

    Args:
        pace: The pace from now on.
    """
    return ToolResult(context.words(_SAYS[pace]), {"pace": pace}, pace=pace)


def speaking_tools() -> tuple[Tool, ...]:
    """The tools of this file."""
    return (change_speaking_pace,)
