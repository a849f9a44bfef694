"""A desk that holds calls until it is killed: each thing that a customer saw is printed once it was shown."""

import asyncio
import json
import sys
from pathlib import Path

from helpline.call.shown import Caption, ReceiptShown, ToolEnded
from tests.records.desks import desk_in, talk

SENTENCES = (
    ("where is my order 1004", "cancel order 1005", "yes"),
    ("call me back tomorrow at 3 pm", "yes", "where is my order 1001"),
    ("how much are the trail running shoes", "where is my order 1002"),
)


async def main(folder: Path, webhook: str) -> None:
    async with desk_in(folder, webhook_url=webhook) as desk:
        customers = desk.demo_customers
        print(json.dumps({"ready": True}), flush=True)
        for number in range(1000):
            said = SENTENCES[number % len(SENTENCES)]
            caller = customers[number // len(SENTENCES) % len(customers)]
            await talk(desk, *said, caller=caller, notice=told(number))


def told(number):
    def notice(shown):
        seen = None
        if isinstance(shown, Caption) and shown.final:
            seen = ["line", shown.speaker, shown.text]
        elif isinstance(shown, ToolEnded):
            seen = ["tool", shown.name, shown.result.say]
        elif isinstance(shown, ReceiptShown):
            seen = ["receipt", shown.receipt.reference, shown.receipt.action]
        if seen:
            print(json.dumps({"call": number, "seen": seen}), flush=True)

    return notice


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
