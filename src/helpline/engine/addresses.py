"""A postal address in its parts, from one line as it is said: "12 oak street springfield illinois 62704"."""

import re

_STATES = (
    "alabama", "alaska", "arizona", "arkansas", "california", "colorado", "connecticut", "delaware",
    "florida",
    "georgia", "hawaii", "idaho", "illinois", "indiana", "iowa", "kansas", "kentucky", "louisiana", "maine",
    "maryland", "massachusetts", "michigan", "minnesota", "mississippi", "missouri", "montana", "nebraska",
    "nevada",
    "new hampshire", "new jersey", "new mexico", "new york", "north carolina", "north dakota", "ohio",
    "oklahoma",
    "oregon", "pennsylvania", "rhode island", "south carolina", "south dakota", "tennessee", "texas", "utah",
    "vermont", "virginia", "washington", "west virginia", "wisconsin", "wyoming",
)  # fmt: skip
_CODES = (
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj"
    " nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy"
).split()
_KINDS = (
    "street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd"
    "|way|square|place|terrace|close|row|parkway"
)
_STREET = re.compile(
    r"\b(?P<street>\d{1,5} "
    r"(?:(?!(?:is|on|the|was|and|for|has|out|to|from|at|order|instead)\b)[a-z0-9']+ ){1,4}?"
    rf"(?:{_KINDS}))\b(?P<rest>.*)$"
)
_POSTCODE = re.compile(r"\b(?:postcode |zip code |zip )?(\d{5})(?!\d)")
_STATE = re.compile(rf"\b({'|'.join(sorted(_STATES, key=len, reverse=True))}|{'|'.join(_CODES)})$")


def find_street(text: str) -> str:
    """The whole address as said, from its house number on; empty when there is none."""
    match = _STREET.search(text)
    return f"{match['street']}{match['rest']}".strip() if match else ""


def parse_address(text: str) -> dict[str, str]:
    """The parts that were said: `street`, `city`, `state`, `postcode`; what was not said is not there."""
    match = _STREET.search(text)
    if match is None:
        return {}
    parts = {"street": match["street"].title()}
    rest = re.sub(r"^(?:\s*(?:in|and|,))+\s*", "", match["rest"]).strip()
    if code := _POSTCODE.search(rest):
        parts["postcode"] = code[1]
        rest = rest[: code.start()].strip()
    if state := _STATE.search(rest):
        name = state[1]
        parts["state"] = name.upper() if len(name) == 2 else name.title()
        rest = rest[: state.start()].strip()
    if rest:
        parts["city"] = rest.title()
    return parts
