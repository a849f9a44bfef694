"""What a call costs as it goes on, and when that is enough."""

from collections.abc import Callable
from decimal import Decimal

from helpline.call.effects import LimitReached, UsageCounted
from helpline.realtime.cost import Bill, PriceList

ModelOf = Callable[[str, str], str]
"""(backend, "response" or "transcription") to the model's name in the price list."""


class Meter:
    """Charges each usage; says once that the budget is spent. A limit of 0 is none."""

    def __init__(self, prices: PriceList, model_of: ModelOf, limit: Decimal = Decimal(0)) -> None:
        self.bill = Bill()
        self._prices = prices
        self._model_of = model_of
        self._limit = limit
        self._spent = False

    def charge(self, counted: UsageCounted) -> LimitReached | None:
        """Put one usage on the bill."""
        self.bill = self.bill.charged(
            counted.usage, self._model_of(counted.backend, counted.kind), self._prices
        )
        if self._spent or not self._limit or self.bill.money < self._limit:
            return None
        self._spent = True
        return LimitReached("money limit")
