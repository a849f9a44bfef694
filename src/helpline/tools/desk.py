"""All the tools that a desk comes with."""

from helpline.policy import Policy
from helpline.store import Store
from helpline.tools.identity import Courier, identity_tools
from helpline.tools.knowledge import Knowledge, knowledge_tools
from helpline.tools.orders import order_tools
from helpline.tools.people import people_tools
from helpline.tools.shop import shop_tools
from helpline.tools.speaking import speaking_tools
from helpline.tools.tool import Tool


def desk_tools(
    store: Store, policy: Policy, *, courier: Courier | None = None, knowledge: Knowledge | None = None
) -> tuple[Tool, ...]:
    """The shop's actions, the ways to say who one is that the policy accepts, getting a person, and the pace.

    `courier` sends one-time codes and `knowledge` answers from help pages; what is None is not offered.
    """
    return (
        *identity_tools(store, policy, courier),
        *shop_tools(),
        *order_tools(),
        *people_tools(),
        *speaking_tools(),
        *(knowledge_tools(knowledge) if knowledge is not None else ()),
    )
