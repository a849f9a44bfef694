"""Addresses of realtime services, from whatever a person copied out of a portal."""

import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from helpline.errors import SettingsError

_OWN_PATHS = re.compile(r"/(openai|voice-live|api/projects|v1)(/.*)?$")
"""What portals and samples hang behind an endpoint."""
_SECURE = {"https": True, "wss": True, "http": False, "ws": False}


def service_url(endpoint: str, path: str, setting: str, **query: str) -> str:
    """A vendor's WebSocket address: `https://name.openai.azure.com/` -> `wss://name.openai.azure.com/…?…`.

    A gateway's own path before the vendor's stays. Raises SettingsError naming `setting`.
    """
    parts = _split(endpoint, setting)
    if not _SECURE[parts.scheme] and not is_loopback(parts.hostname or ""):
        raise SettingsError(f"{setting} must begin with https:// or wss://.")
    base = _OWN_PATHS.sub("", parts.path.rstrip("/"))
    return f"{_scheme(parts)}://{parts.netloc}{base}{path}?{urlencode(query, quote_via=quote)}"


def url_of_server(address: str, model: str, setting: str) -> str:
    """Any server's WebSocket address, as given; without a path it is `/v1/realtime`.

    Raises SettingsError naming `setting`.
    """
    parts = _split(address, setting)
    path = parts.path.rstrip("/") or "/v1/realtime"
    path = f"{path}/realtime" if path.endswith("/v1") else path
    query = parse_qsl(parts.query, keep_blank_values=True)
    if model and not any(name == "model" for name, _ in query):
        query.append(("model", model))
    asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"{_scheme(parts)}://{parts.netloc}{path}{asked}"


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _scheme(parts: SplitResult) -> str:
    return "wss" if _SECURE[parts.scheme] else "ws"


def _split(address: str, setting: str) -> SplitResult:
    # The address itself is left out of every sentence: a key may be in it.
    try:
        parts = urlsplit(address.strip())
        valid = parts.port is None or parts.port > 0
    except ValueError:
        raise SettingsError(f"{setting} is no address.") from None
    if parts.scheme not in _SECURE or not parts.hostname or not valid:
        raise SettingsError(f"{setting} must be an address such as https://name.openai.azure.com.")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"{setting} must not hold a user or password: keys have settings of their own.")
    return parts
