"""The tools by which callers say who they are."""

import re

from helpline.engine.dialogue import Situation
from helpline.engine.language import Entities
from helpline.engine.meaning import Tool

A_PROOF = re.compile(r"(?:verify|identify|authenticate)_(?:by_|me|caller|customer)|send_code$")
"""Tools by which an unknown caller says who they are."""
SENDS_CODE = re.compile(r"^send_code$")
TAKES_CODE = re.compile(r"^verify_code$")


def is_proof(name: str) -> bool:
    """Whether a tool is one by which callers say who they are."""
    return A_PROOF.match(name) is not None


def proofs_of(turn: Situation) -> list[Tool]:
    """The ways in which a caller may say who they are."""
    return [
        tool
        for tool in turn.tools
        if A_PROOF.match(tool.name) and tool.required and not TAKES_CODE.search(tool.name)
    ]


def without_proof(said: Entities) -> str:
    """What was asked, without the address by which they said who they are."""
    lead = r"(?:\s*\band)?(?:\s*\b(?:my|the)? ?(?:e-?mail)?(?: address)?)?(?: is| it's|'s)? ?"
    proof = lead + re.escape(said.email)
    return re.sub(proof, "", said.text).strip() if said.email else said.text
