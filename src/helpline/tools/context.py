"""What a tool may know of the call it runs in."""

from dataclasses import dataclass, field, replace

from helpline.actions import Caller
from helpline.clock import Clock, SystemClock
from helpline.errors import ToolError
from helpline.policy import Policy
from helpline.sentences import UNKNOWN_CUSTOMER
from helpline.store import Shop
from helpline.wording import Saying


@dataclass(frozen=True, slots=True)
class CallContext:
    """The call: who is on the line as verified below the model, the shop, the policy, the clock.

    A tool takes it by type, and never a customer's id: a model cannot fill it in.
    """

    call_id: str
    caller: Caller
    shop: Shop
    policy: Policy
    language: str = "en"
    """The customer's, as a tag such as `zh-CN`."""
    channel: str = "web"
    address: str = ""
    """Where the call comes from (a network address, a phone number); for lockouts only."""
    clock: Clock = field(default_factory=SystemClock)
    key: str = ""
    """While a confirmed change runs: its idempotency key, the same at every attempt."""

    @property
    def customer_id(self) -> str:
        """The verified customer.

        Raises:
            ToolError: nobody is verified yet.
        """
        if self.caller.customer_id is None:
            raise ToolError(UNKNOWN_CUSTOMER, reason="unknown_customer")
        return self.caller.customer_id

    def words(self, saying: Saying) -> str:
        """Something of the desk's own, in the language of this call."""
        return saying.in_(self.language)

    def with_caller(self, caller: Caller) -> "CallContext":
        """The same call with another verified caller."""
        return replace(self, caller=caller)

    def with_language(self, language: str) -> "CallContext":
        """The same call in another language."""
        return replace(self, language=language)
