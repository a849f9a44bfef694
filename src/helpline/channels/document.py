"""A call as one document: what was said and heard, which tools ran, what was done, how fast."""

from dataclasses import dataclass, field
from typing import Any

from helpline.actions import Receipt, ToolResult
from helpline.call.shown import Caption, Notice, ReceiptShown, Shown, ToolEnded
from helpline.records.draft import arguments_of


@dataclass(slots=True)
class CallDocument:
    """Fills up from what a call shows; `as_json` gives it at any moment."""

    captions: dict[str, Caption] = field(default_factory=dict)
    """By line, each as it stands now."""
    tools: list[ToolEnded] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    latency_ms: list[int] = field(default_factory=list)
    """Per turn: end of the customer's speech or typing to the first sound or word of the answer."""

    def take(self, shown: Shown) -> None:
        """Keep one thing that the call showed."""
        match shown:
            case Caption():
                self.captions[shown.line_id] = shown
            case ToolEnded():
                self.tools.append(shown)
            case ReceiptShown():
                self.receipts.append(shown.receipt)
            case Notice():
                self.notices.append(shown)

    @property
    def lines(self) -> list[Caption]:
        """What was said, in the order in which it began."""
        return sorted(self.captions.values(), key=lambda caption: caption.start_ms)

    @property
    def desk_lines(self) -> int:
        """How many times the desk has spoken to the end of a line."""
        return sum(caption.speaker == "desk" and caption.final for caption in self.captions.values())

    @property
    def failure(self) -> str:
        """The sentence that says why the call could not be held; empty when it could."""
        return next((notice.reason or notice.text for notice in self.notices if notice.kind == "error"), "")

    def as_json(self) -> dict[str, Any]:
        """The document of `helpline call --json`."""
        return {
            "lines": [
                {
                    "speaker": caption.speaker,
                    "text": caption.text,
                    "heard": caption.heard,
                    "start_ms": caption.start_ms,
                    "end_ms": caption.end_ms,
                }
                for caption in self.lines
            ],
            "tools": [
                {
                    "name": tool.name,
                    "arguments": arguments_of(tool.arguments),
                    "result": _result(tool.result),
                    "ms": tool.took_ms,
                }
                for tool in self.tools
            ],
            "receipts": [_receipt(receipt) for receipt in self.receipts],
            "latency_ms": self.latency_ms,
        }


def _result(result: ToolResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"ok": result.ok, "say": result.say, "data": dict(result.data)}
    if result.reason:
        shown["reason"] = result.reason
    if proposal := result.proposal:
        shown["proposal"] = {
            "id": proposal.id,
            "action": proposal.action,
            "subject": proposal.subject,
            "effect": proposal.effect,
            "read_back": proposal.read_back,
            "amount_cents": proposal.amount_cents,
        }
    return shown


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "reference": receipt.reference,
        "action": receipt.action,
        "say": receipt.say,
        "at": receipt.at,
        "data": dict(receipt.data),
        "proposal_id": receipt.proposal_id,
        "repeated": receipt.repeated,
    }
