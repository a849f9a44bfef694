"""All the tools that a desk comes with."""

from helpline.policy import Policy
from helpline.store import Store
from helpline.tools.identity import Courier, identity_tools
from helpline.tools.orders import order_tools
from helpline.tools.people import people_tools
from helpline.tools.shop import shop_tools
from helpline.tools.tool import Tool


def desk_tools(store: Store, policy: Policy, *, courier: Courier | None = None) -> tuple[Tool, ...]:
    """The shop's actions, the ways to say who one is that the policy accepts, and getting a person.

    `courier` sends one-time codes; without one they are not offered.
    """
    return (
        *identity_tools(store, policy, courier),
        *shop_tools(),
        *order_tools(),
        *people_tools(),
    )
