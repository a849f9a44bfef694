"""A process that says yes to proposals, to be killed: `python -m tests.store.worker URL ANCHOR`.

Reads proposals as lines of JSON from its input, confirms each twice, sixteen at a time, and prints the
proposal and its receipt as soon as it has it.
"""

import asyncio
import json
import sys
from pathlib import Path

from helpline.actions import Caller, Identity
from helpline.policy import Policy, load_policy
from helpline.policy.policy import Limits
from helpline.store import Store
from helpline.tools import Toolbox
from helpline.tools.shop import shop_tools

AT_ONCE = 16
NO_LIMIT = 1_000_000


def generous() -> Policy:
    """The demo shop's identity rules, and no limits."""
    limits = Limits(changes_per_call=NO_LIMIT, changes_per_day=NO_LIMIT, proposals_per_call=NO_LIMIT)
    return Policy(identity=load_policy().identity, limits=limits)


async def main(url: str, anchor: str) -> None:
    store = await Store.open(url, demo=True, anchor=Path(anchor))
    toolbox = Toolbox(shop_tools(), store=store, policy=generous())
    asked = [json.loads(line) for line in sys.stdin]
    waiting = [one for one in asked for _ in range(2)]

    async def confirm() -> None:
        while waiting:
            one = waiting.pop()
            caller = Caller(one["customer"], "", Identity.PROVEN, "demo")
            context = toolbox.context(call_id=one["call"], caller=caller)
            receipt = await toolbox.confirm(
                context, one["proposal"], heard=one["heard"], answer="yes", means="voice"
            )
            print(one["proposal"], receipt.reference, flush=True)

    await asyncio.gather(*(confirm() for _ in range(AT_ONCE)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
