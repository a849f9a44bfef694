"""Tools and hooks of this desk. `helpline run` reads the file again whenever it is saved."""

from typing import Literal

from helpline.actions import Identity
from helpline.hooks import ReceiptMade
from helpline.tools import CallContext, tool

HOURS = {"Berlin": "9 to 18", "Boston": "10 to 20"}


@tool(identity=Identity.GUEST)
def store_hours(context: CallContext, city: Literal["Berlin", "Boston"]) -> dict[str, str]:
    """Say when one of our stores is open.

    Args:
        city: The city the store is in.
    """
    hours = HOURS[city]
    return {"city": city, "hours": hours, "say": f"In {city} we are open from {hours}."}


# With this function customers can sign in at the page (docs/page.md): their id, or None.
# def sign_in(name: str, password: str) -> str | None:
#     return my_shop.customer_id_if_right(name, password)


def on_receipt(event: ReceiptMade) -> None:
    """A change was carried out: tell your own systems here, or set HELPLINE_WEBHOOK_URL."""
    print(f"Done: receipt {event.receipt.reference}.")
