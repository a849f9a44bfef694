"""What to do about every way in which a backend is known to fail: one table, read in one place.

Codes of `error` events and of failed responses, HTTP statuses of a refused connection, close codes of a lost
one. Sources: `openai` SDK, OpenAI's error-code page, RFC 6455 7.4.1 and its registry, and errors captured
from live services (Azure: `DeploymentNotFound`; OpenAI: `beta_api_shape_disabled`, close 4000).
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from helpline.errors import Trouble


class Verdict(StrEnum):
    """What the desk does, mildest first."""

    IGNORE = "ignore"
    """A race that does no harm."""
    TELL = "tell"
    """Log it and count it; the session goes on."""
    RETRY = "retry"
    """Ask again, or open a new session with the same backend, after a pause."""
    FAIL_OVER = "fail_over"
    """This backend will not answer: the next one, and if there is none a spoken end."""
    END = "end"
    """End the call with a spoken sentence."""


About = Literal["key", "endpoint", "model", ""]
"""The setting at fault."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """How to name a backend and its settings in a sentence."""

    who: str
    key: str
    endpoint: str
    model: str

    def setting(self, about: About) -> str:
        return {"key": self.key, "endpoint": self.endpoint, "model": self.model, "": ""}[about]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: what it is, what to do, and the sentence for it."""

    verdict: Verdict
    says: str
    """What happened, after the vendor's name: "refused the key"."""
    about: About = ""

    @property
    def trouble(self) -> Trouble:
        """What it is to a customer."""
        if self.says == _DEAF:
            return "deaf"
        if self.verdict is Verdict.FAIL_OVER:
            return "out_of_order"
        return "busy" if self.says.startswith(_TOO_MUCH) else "away"

    def sentence(self, vendor: Vendor, number: int | None = None) -> str:
        """One sentence that names the setting to change: "Azure OpenAI refused the key (401): check …"."""
        shown = f" ({number})" if number is not None else ""
        setting = vendor.setting(self.about)
        return f"{vendor.who} {self.says}{shown}{f': check {setting}' if setting else ''}."

    def with_no_other(self) -> Verdict:
        """The verdict when no other backend is left."""
        return Verdict.END if self.verdict is Verdict.FAIL_OVER else self.verdict


_DEAF = "cannot hear"
_TOO_MUCH = ("has too many requests", "is overloaded")
_I, _T, _R, _F = Verdict.IGNORE, Verdict.TELL, Verdict.RETRY, Verdict.FAIL_OVER

CODES = MappingProxyType(
    {
        # Races between us and the server's own turn-taking.
        "response_cancel_not_active": Fault(_I, "had nothing to cancel"),
        "input_audio_buffer_commit_empty": Fault(_I, "had no speech to commit"),
        "item_truncate_invalid_item_id": Fault(_I, "no longer has that item"),
        "item_delete_invalid_item_id": Fault(_I, "no longer has that item"),
        "item_retrieve_invalid_item_id": Fault(_I, "no longer has that item"),
        "conversation_already_has_active_response": Fault(_R, "is still answering"),
        # Ours to mend, and the session goes on without it.
        "cannot_update_voice": Fault(_T, "has spoken already and keeps its voice"),
        "unknown_parameter": Fault(_T, "does not know something we sent"),
        "missing_required_parameter": Fault(_T, "misses something we should have sent"),
        "invalid_value": Fault(_T, "refused a value we sent"),
        "invalid_type": Fault(_T, "refused the type of a value we sent"),
        "invalid_event": Fault(_T, "refused an event we sent"),
        "invalid_request_error": Fault(_T, "refused something we sent"),
        "unsupported_value": Fault(_T, "does not support a value we sent"),
        "integer_above_max_value": Fault(_T, "refused a value we sent as too large"),
        "integer_below_min_value": Fault(_T, "refused a value we sent as too small"),
        "string_above_max_length": Fault(_T, "refused a text we sent as too long"),
        "invalid_tool_call_id": Fault(_T, "does not know that tool call"),
        "bad_response_create": Fault(_T, "refused the answer we asked for"),
        "audio_unintelligible": Fault(_T, "could not make out the speech"),
        "content_filter": Fault(_T, "held an answer back"),
        # Its own trouble: ask again.
        "session_expired": Fault(_R, "ended the session at its time limit"),
        "rate_limit_exceeded": Fault(_R, "has too many requests", "model"),
        "inference_rate_limit_exceeded": Fault(_R, "has too many requests", "model"),
        "too_many_requests": Fault(_R, "has too many requests", "model"),
        "server_error": Fault(_R, "had an error of its own"),
        "internal_error": Fault(_R, "had an error of its own"),
        "internal_server_error": Fault(_R, "had an error of its own"),
        "service_unavailable": Fault(_R, "is not available at the moment"),
        "server_overloaded": Fault(_R, "is overloaded"),
        "timeout": Fault(_R, "took too long"),
        # It will not answer us until somebody changes something.
        "ears_unavailable": Fault(_F, _DEAF),  # our own engine's
        "invalid_api_key": Fault(_F, "refused the key", "key"),
        "authentication_error": Fault(_F, "refused the key", "key"),
        "token_expired": Fault(_F, "says that the key has expired", "key"),
        "permission_denied": Fault(_F, "does not allow this key to do that", "key"),
        "permission_error": Fault(_F, "does not allow this key to do that", "key"),
        "permissiondenied": Fault(_F, "does not allow this key to do that", "key"),
        "account_deactivated": Fault(_F, "has deactivated the account", "key"),
        "insufficient_quota": Fault(_F, "says that the quota is used up", "key"),
        "billing_hard_limit_reached": Fault(_F, "says that the billing limit is reached", "key"),
        "billing_not_active": Fault(_F, "says that billing is not active", "key"),
        "unsupported_country_region_territory": Fault(_F, "does not serve this country", "endpoint"),
        "model_not_found": Fault(_F, "does not know the model", "model"),
        "deploymentnotfound": Fault(_F, "has no deployment of that name", "model"),
        "operationnotsupported": Fault(_F, "has no realtime model behind that name", "model"),
        "resourcenotfound": Fault(_F, "was not found at that address", "endpoint"),
        "beta_api_shape_disabled": Fault(_F, "no longer speaks the preview protocol", "endpoint"),
    }
)
"""By the code of an error, in lower case."""

_BY_TEXT = (
    ("already has an active response", "conversation_already_has_active_response"),
    ("no active response", "response_cancel_not_active"),
    ("buffer too small", "input_audio_buffer_commit_empty"),
    ("maximum duration", "session_expired"),
    ("rate limit", "rate_limit_exceeded"),
    ("exceeded your current quota", "insufficient_quota"),
    ("incorrect api key", "invalid_api_key"),
    ("invalid api key", "invalid_api_key"),
    ("token expired", "token_expired"),
)
"""For servers with codes of their own: words of OpenAI's messages that they keep."""

STATUSES = MappingProxyType(
    {
        400: Fault(_F, "refused the request", "endpoint"),
        401: Fault(_F, "refused the key", "key"),
        402: Fault(_F, "wants to be paid", "key"),
        403: Fault(_F, "does not allow this key to be used here", "key"),
        404: Fault(_F, "has no realtime model of that name at that address", "model"),
        405: Fault(_F, "has no realtime service at that address", "endpoint"),
        407: Fault(_F, "cannot be reached without signing in to the proxy", "endpoint"),
        408: Fault(_R, "took too long", "endpoint"),
        410: Fault(_F, "has retired that model or address", "model"),
        426: Fault(_F, "wants another protocol", "endpoint"),
        429: Fault(_R, "has too many requests or no quota left", "model"),
    }
)
"""By the HTTP status of a refused connection."""

CLOSES = MappingProxyType(
    {
        1000: Fault(_R, "ended the session"),
        1001: Fault(_R, "ended the session at its time limit or is going down"),
        1002: Fault(_F, "found fault with our protocol"),
        1003: Fault(_F, "refused the kind of data we sent"),
        1005: Fault(_R, "ended the session"),
        1006: Fault(_R, "was cut off"),
        1007: Fault(_F, "could not read what we sent"),
        1008: Fault(_F, "ended the session by its policy", "key"),
        1009: Fault(_R, "ended the session over a frame that was too large"),
        1010: Fault(_F, "wants a protocol extension"),
        1011: Fault(_R, "had an error of its own"),
        1012: Fault(_R, "is restarting"),
        1013: Fault(_R, "is overloaded"),
        1014: Fault(_R, "has trouble behind its gateway"),
        1015: Fault(_R, "could not be reached securely", "endpoint"),
        3000: Fault(_F, "refused the key", "key"),
        3003: Fault(_F, "does not allow this key to be used here", "key"),
        3008: Fault(_R, "took too long"),
        4000: Fault(_F, "no longer speaks the preview protocol", "endpoint"),
    }
)
"""By the code with which a connection was closed."""

UNREACHABLE = MappingProxyType(
    {
        "timeout": Fault(_R, "did not answer in time", "endpoint"),
        "name": Fault(_F, "cannot be found: its host name does not resolve", "endpoint"),
        "tls": Fault(_F, "could not prove who it is (TLS)", "endpoint"),
        "refused": Fault(_R, "cannot be reached", "endpoint"),
        "proxy": Fault(_R, "cannot be reached through the proxy", "endpoint"),
        "stranger": Fault(_F, "is no Realtime server at that address", "endpoint"),
    }
)
"""By why no connection came about."""


def of_error(code: str | None, message: str | None = None, kind: str | None = None) -> Fault:
    """The fault behind an `error` event or a failed response: by its code, its words, then its type."""
    found = CODES.get((code or "").lower())
    if found is None and message:
        words = message.lower()
        found = next((CODES[known] for text, known in _BY_TEXT if text in words), None)
    if found is None:
        found = CODES.get((kind or "").lower())
    return found or Fault(_T, "reported an error")


def of_status(status: int, code: str | None = None) -> Fault:
    """The fault behind an HTTP status; a known error code in its body is more exact."""
    by_code = CODES.get((code or "").lower())
    if by_code is not None and by_code.about:
        return by_code
    if status in STATUSES:
        return STATUSES[status]
    if status < 300:
        return UNREACHABLE["stranger"]
    if status < 400:
        return Fault(_F, "redirects to another address, which is not followed", "endpoint")
    if status >= 500:
        return Fault(_R, "had an error of its own")
    return Fault(_F, "refused the connection", "endpoint")


def of_close(code: int) -> Fault:
    """The fault behind a close code."""
    return CLOSES.get(code, Fault(_R, "ended the session"))
