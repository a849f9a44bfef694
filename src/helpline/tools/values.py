"""Values that tools take from a model beside plain text and numbers."""

from typing import Annotated

import msgspec
from msgspec import Meta

from helpline import wording
from helpline.store.records import Address

Said = Annotated[str, Meta(max_length=200)]
Quantity = Annotated[int, Meta(ge=1, le=100)]


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object among a tool's arguments."""


class ItemToReturn(_Value, frozen=True):
    """One item of an order."""

    item: Annotated[Said, Meta(description="The item's name in the customer's words, or its item_id.")]
    quantity: Annotated[Quantity, Meta(description="How many; left out: all of that line.")] | None = None


class ItemToSwap(_Value, frozen=True):
    """One item of an order, and what it becomes."""

    item: Annotated[Said, Meta(description="The item's name in the customer's words, or its item_id.")]
    new_item: Annotated[
        Said, Meta(description='The new options in words ("size M, black") or the new item_id.')
    ]
    quantity: Annotated[Quantity, Meta(description="How many; left out: all of that line.")] | None = None


class NewAddress(_Value, frozen=True):
    """An address in its parts."""

    street: Annotated[Said, Meta(description="Street with the house number.")]
    city: Said
    state: Said
    postcode: Annotated[str, Meta(max_length=20)]
    apartment: Annotated[Said, Meta(description="Apartment, suite or floor; may be empty.")] = ""
    country: Annotated[str, Meta(max_length=60)] = "USA"


def address_of(value: NewAddress) -> Address:
    """The shop's address of what a model passed."""
    return Address(
        street=wording.plain(value.street),
        apartment=wording.plain(value.apartment, 100),
        city=wording.plain(value.city, 100),
        state=wording.plain(value.state, 100),
        postcode=wording.plain(value.postcode, 20),
        country=wording.plain(value.country, 60),
    )
