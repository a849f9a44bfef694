"""The question for one argument, by its schema."""

import re
from collections.abc import Mapping
from typing import Any

from helpline.engine.slots import kind_of


def ask_for(name: str, schema: Mapping[str, Any], tries: int) -> str:
    """A question for one argument, by its description; in other words the second time."""
    sorry = "Sorry, I did not get that. " if tries else ""
    values = schema.get("enum")
    if isinstance(values, list) and values:
        listed = [str(value).replace("_", " ") for value in values[:8]]
        return (
            f"{sorry}Which {humanised(name)}: {', '.join(listed[:-1])} or {listed[-1]}?"
            if len(listed) > 1
            else f"{sorry}Is it {listed[0]}?"
        )
    kind = kind_of(name, schema)
    if tries and kind == "reference":
        return f"{sorry}Please say the {humanised(name)} digit by digit."
    if tries and kind == "email":
        return f"{sorry}Please spell the e-mail address, letter by letter."
    if kind == "reference":
        return (
            f"{sorry}What is the order number?"
            if "order" in name
            else f"{sorry}What is the {humanised(name)}?"
        )
    if kind == "reason":
        return f"{sorry}What is the reason?"
    description = _first_sentence(str(schema.get("description") or ""))
    if re.match(r"(?:what|which|when|where|who|how|why)\b(?! to\b)", description, re.IGNORECASE):
        return f"{sorry}{description.rstrip('.?')}?"
    if description:
        lowered = (
            description[0].lower() + description[1:]
            if description[1:2].islower() or description[1:2] == " "
            else description
        )
        article = "" if re.match(r"(?:the|a|an|your|one|any|when|where|how|what|who)\b", lowered) else "the "
        return f"{sorry}Please tell me {article}{lowered.rstrip('.')}."
    return f"{sorry}What is the {humanised(name)}?"


def _first_sentence(text: str) -> str:
    plain = re.sub(r"\s*\([^)]*\)|\s*\be\.g\..*$|,? (?:for example|such as|like)\b.*$", "", text.strip())
    return re.split(r"(?<=[.;!])\s", plain, maxsplit=1)[0][:160]


def humanised(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower().replace(" id", " number")
