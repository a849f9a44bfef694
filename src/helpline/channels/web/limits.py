"""How much one page, and one address, may ask of the desk in a while."""

from collections import OrderedDict


class Allowance:
    """A bucket of `burst` tokens that refills at `per_s`: take some for each thing done."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._tokens = burst
        self._at_ms: int | None = None

    def take(self, now_ms: int, amount: float = 1.0) -> bool:
        """Whether so much more is allowed now; what is refused costs nothing."""
        if self._at_ms is not None:
            refilled = self._tokens + (now_ms - self._at_ms) / 1000 * self._per_s
            self._tokens = min(self._burst, refilled)
        self._at_ms = now_ms
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True


class Addresses:
    """An allowance for each of the addresses seen lately; the longest unseen is forgotten first."""

    def __init__(self, burst: float, per_s: float, remembered: int = 10_000) -> None:
        self._burst = burst
        self._per_s = per_s
        self._remembered = remembered
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    def take(self, address: str, now_ms: int) -> bool:
        """Whether this address may do one more now."""
        allowance = self._allowances.get(address)
        if allowance is None:
            allowance = self._allowances[address] = Allowance(self._burst, self._per_s)
            if len(self._allowances) > self._remembered:
                self._allowances.popitem(last=False)
        self._allowances.move_to_end(address)
        return allowance.take(now_ms)
