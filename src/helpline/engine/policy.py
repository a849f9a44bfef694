"""How the offline brain leads a call: choose a tool, ask for what is missing, call it, ask again, offer help.

Pure: `decide` takes the dialogue so far and returns the next one with what to do. It serves whatever tools
the session offers; the phrase pack only tells it how customers speak.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from helpline.call.chinese import CHINESE
from helpline.engine.arguments import (
    PRONOUN,
    collect,
    is_no_longer_asked,
    read_arguments,
    what_is_missing,
    what_is_named,
)
from helpline.engine.asking import ask_for, humanised
from helpline.engine.corrections import (
    CORRECTS,
    described,
    means_another,
    other_of,
    reference_of,
    thing_of,
)
from helpline.engine.dialogue import Act, Dialogue, Pending, Refused, Situation, Topic
from helpline.engine.language import Entities, find_entities
from helpline.engine.meaning import (
    Meaning,
    Tool,
    common_things,
    intent_of,
    load_meanings,
    nearest_tool,
    tool_for,
)
from helpline.engine.offers import (
    at_its_hour,
    cancels_a_call,
    changed,
    moves_what_is_done,
    tells_the_topic,
)
from helpline.engine.pacing import PACING, paced
from helpline.engine.proofs import A_PROOF, SENDS_CODE, TAKES_CODE, proofs_of, without_proof
from helpline.engine.readings import (
    asks_if_there,
    buys,
    does_not_know,
    gives_a_new_one,
    holds,
    is_upset,
    meant,
    only_thinks,
    waits_for,
)
from helpline.engine.several import Request, for_each, split_requests
from helpline.engine.slots import Context, fit, kind_of, swap, thing, unwrapped

_SURE = 0.42
_FOREIGN_SURE = 0.5
_SWITCH = 0.55
_THEIR_OWN = (
    "order_status", "cancel_order", "return_item", "exchange_item", "update_account", "customer_info",
)  # fmt: skip
"""What is done for nobody who is unknown."""
_SMALL_TALK = (
    "greeting",
    "thanks",
    "bye",
    "affirm",
    "deny",
    "help",
    "who",
    "repeat",
    "human",
    "inform",
    "generic",
    "filler",
)
_ONLY_AN_ORDER = re.compile(
    r"^(?:(?:and|um|uh|well|hi|hello|yes|so|please|sorry|it's|it is|that's|this is|the|my|order|number|is) )*"
    r"\{order\}(?: please)?$"
)
"""An order's number and no request: nothing is changed for that."""
_PERSONS = {
    "me": "customer_info", "myself": "customer_info", "us": "customer_info", "you": "who", "yourself": "who",
}  # fmt: skip
"""Whom a question is about, that would be one about a product: the caller, or the engine."""
_AND_THIS = re.compile(r"(?:and|what about|how about)\b")
""" "And in Berlin?": the last question again, about something else."""
_SHORT = 5
_FINDS_ORDERS = re.compile(r"(?:find|search|look_?up)_orders?$")
_THEN = {
    "order_status": "where is that order",
    "cancel_order": "cancel that order",
    "return_item": "return that order",
}  # fmt: skip
"""What was asked for, once it is known which order is meant."""
_SELLS = re.compile(
    r"(?:place|create|make|add|new).*(?:order|cart|basket)|^order|buy|checkout|purchase|reserve"
)
_GIVES_UP = re.compile(
    r"\b(?:never mind|forget (?:it|about it)|stop|leave it|i don't know|not now|cancel that)\b"
)
_AUXILIARY = r"(?:is|are|am|was|were|do|does|did|can|could|will|would|may|should|must|has|have)"
_WHAT = "what|where|when|how|why|who|whose|which"
_A_QUESTION = re.compile(
    r"^(?:and |so |well |um |hi |hello |please |sorry )*"
    r"(?:(?:(?:at|in|on|to|for|from|until|since|with|by|of|above|below|over|under|before|after) )?"
    rf"(?:{_WHAT})|{_AUXILIARY}) \S+ \S"
    r"|^tell me about \S"
    rf"|\b{_AUXILIARY} (?:i|you|we|they|he|she|it|there|somebody|someone|anybody|anyone) \S"
    rf"|\b(?:{_WHAT}) (?:much |many |long |often |far )?{_AUXILIARY}\b"
)
"""Also where it follows what it is about: "I am moving next month will you deliver to Hawaii"."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Decides; keeps nothing."""

    agent: str = ""
    """Who it says it is."""
    meanings: Any = field(default_factory=load_meanings)

    def introduction(self, tools: tuple[Tool, ...]) -> str:
        """Honest about what it is."""
        return f"Hello. You are talking to {self._who()}. {_can_do(tools)} How can I help you?"

    def decide(self, dialogue: Dialogue, text: str, turn: Situation, *, spoken: bool) -> tuple[Dialogue, Act]:
        """The next dialogue and what to do about what the customer said."""
        said = find_entities(text, turn.now, turn.known.things or common_things())
        if not said.text:
            return dialogue, Act("I did not hear you. Are you still there?")
        if (slower := paced(said.text, turn)) is not None:  # in the middle of anything: nothing is lost
            again = ("say that again",) if _REPEATS.search(said.text) else ()
            return replace(dialogue, waiting=again or dialogue.waiting), slower
        ranked = self._rank(said, turn.topic.order)
        context = Context(turn.now, turn.topic.order, turn.topic.product, turn.known.ids, spoken)
        if dialogue.pending is not None and is_no_longer_asked(dialogue.pending, turn.tools):
            dialogue = replace(dialogue, pending=None)
        about = self._about_offer(dialogue, ranked, said, turn, context)
        if about is not None:
            return about
        if dialogue.offered_person:
            return self._after_offer(replace(dialogue, offered_person=False), ranked, said, turn, context)
        if dialogue.pending is not None and not self._wants_else(dialogue.pending, ranked, turn):
            return self._continue(dialogue, dialogue.pending, said, ranked, turn, context)
        fresh, act = self._fresh(replace(dialogue, pending=None, waiting=()), said, ranked, turn, context)
        proves_again = A_PROOF.match(turn.topic.last_call[0]) and act.calls and A_PROOF.match(act.calls[0][0])
        return (replace(fresh, waiting=dialogue.waiting) if proves_again else fresh), act

    def _rank(self, said: Entities, order: str = "") -> list[Meaning]:
        """What it may mean, the surest first; what the words alone would get wrong is set right."""
        ranked: list[Meaning] = self.meanings.rank(said.masked)
        if sure := meant(said.text, said.masked, order):
            return [Meaning(sure, 1.0, 1.0), *(one for one in ranked if one.intent != sure)]
        if _ONLY_AN_ORDER.match(said.masked):
            return [Meaning("inform", 1.0, 1.0), *(one for one in ranked if one.intent != "inform")]
        person = _PERSONS.get(thing(said), "")
        if person and ranked and ranked[0].intent == "product_info":
            others = (one for one in ranked if one.intent not in ("product_info", person))
            return [replace(ranked[0], intent=person), *others]
        return ranked

    def after_results(self, dialogue: Dialogue, refused: tuple[Refused, ...], turn: Situation) -> Dialogue:
        """A tool asked for something: what the customer says next is its answer."""
        for one in refused:
            tool = next((tool for tool in turn.tools if tool.name == one.tool), None)
            asking = what_is_missing(tool, one.reason) if tool is not None else ""
            if tool is not None and asking:
                arguments = {k: v for k, v in read_arguments(one.arguments).items() if k != asking}
                dialogue = replace(dialogue, pending=Pending(tool.name, arguments, asking))
        return dialogue

    # --- while a change waits for its yes --------------------------------------------------------------

    def _about_offer(
        self, dialogue: Dialogue, ranked: list[Meaning], said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act] | None:
        """What is said about an offer; None when there is none, or it is about something else."""
        if not turn.topic.offer or dialogue.pending is not None:
            return None
        name, arguments = turn.topic.offered
        tool = next((tool for tool in turn.tools if tool.name == name), None)
        best = ranked[0] if ranked else Meaning("", 0.0)
        heard = replace(dialogue, misses=0)
        if tool is not None and turn.tool_choice != "none" and not _A_QUESTION.search(said.text):
            served = None if best.score < _SWITCH else tool_for(best.intent, turn.tools)
            said = at_its_hour(said, tool, turn)
            if tells_the_topic(tool, said) or not self._elsewhere(served, tool, best):
                fresh = collect(tool, said, replace(context, order="", product="", wanted=False), {})
                anew = changed(tool, read_arguments(arguments), fresh, said)
                if anew:
                    return heard, Act(calls=((tool.name, anew),), kind="call")
        if best.score < _SURE or means_another(said.text) or described(said.text):
            return None
        if best.intent == "bye":
            return heard, Act("I leave it as it is. Thank you for calling. Goodbye.")
        if best.intent in ("affirm", "thanks", "inform"):
            return heard, Act(turn.topic.offer)
        return None

    def _elsewhere(self, served: Tool | None, offered: Tool, best: Meaning) -> bool:
        """Whether the words want another thing than what is offered."""
        if served is not None:
            return served.name != offered.name
        return best.score >= _SWITCH and best.intent in ("human", "help", "who", "repeat", "bye", "deny")

    # --- a new request ---------------------------------------------------------------------------------

    def _fresh(
        self, dialogue: Dialogue, said: Entities, ranked: list[Meaning], turn: Situation, context: Context
    ) -> tuple[Dialogue, Act]:
        if turn.tool_choice not in ("auto", "none", "required"):
            forced = next((tool for tool in turn.tools if tool.name == turn.tool_choice), None)
            if forced is not None:
                return self._start(dialogue, forced, said, turn, context)
        best = ranked[0] if ranked else Meaning("", 0.0)
        if (moved := self._moved(dialogue, best, said, turn, context)) is not None:
            return moved
        if (corrected := self._corrected(dialogue, said, turn, context)) is not None:
            return corrected
        first, *later = self._requests(said, turn)
        if later:
            begun, act = self.decide(dialogue, first, turn, spoken=context.spoken)
            return replace(begun, waiting=(*begun.waiting, *later)), act
        if buys(said.masked) and not any(_SELLS.search(tool.name) for tool in turn.tools):
            return self._instead_a_person(dialogue, "I cannot take a new order here.", turn)
        tool = self._choose(best, said, turn)
        if tool is not None and turn.tool_choice != "none":
            return self._start(dialogue, self._fitting(tool, said, turn, context), said, turn, context)
        proof = next((tool for tool in turn.tools if A_PROOF.match(tool.name)), None)
        theirs = best.intent in _THEIR_OWN or (
            best.intent == "inform" and bool(said.references or said.email)
        )
        if best.score >= _SURE and theirs and proof is not None and turn.tool_choice != "none":
            # The tool for it is not offered to who is not known: first comes who they are.
            return self._prove(dialogue, proof, best.intent, said, turn, context)
        unserved = best.intent not in _SMALL_TALK and tool_for(best.intent, turn.tools) is None
        if best.score < _SURE or unserved:
            pages = tool_for("policy_question", turn.tools)
            if pages is not None and turn.tool_choice != "none" and _A_QUESTION.search(said.text):
                # It may stand on a page of help, in words that no phrase of ours has.
                asked = dict.fromkeys(pages.required[:1], said.text)
                return self._call_or_ask(dialogue, pages, asked, turn)
        if best.score < _SURE:
            return self._missed(dialogue, turn, said.text)
        if best.intent == "human" and tool_for("callback", turn.tools) and turn.tool_choice != "none":
            dialogue, act = self._person(dialogue, said, turn, context)
            return dialogue, replace(act, say=f"A person can call you back. {act.say}".strip())
        return self._small_talk(dialogue, best.intent, said, turn)

    def _moved(
        self, dialogue: Dialogue, best: Meaning, said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act] | None:
        """ "Make it four" when the call back is booked; "cancel the call"."""
        if said.references:
            return None  # about an order, whatever else
        if cancels_a_call(said, turn) and not turn.topic.offer:
            return self._instead_a_person(dialogue, "I cannot cancel a call that is booked.", turn)
        if (booked := moves_what_is_done(said, turn)) is None:
            return None
        tool, before = booked
        said = at_its_hour(said, tool, turn)
        served = None if best.score < _SWITCH else tool_for(best.intent, turn.tools)
        if said.when is None or self._elsewhere(served, tool, best):
            return None
        fresh = collect(tool, said, replace(context, order="", product="", wanted=False), {})
        anew = changed(tool, before, fresh, said)
        return (replace(dialogue, misses=0), Act(calls=((tool.name, anew),), kind="call")) if anew else None

    def _prove(
        self,
        dialogue: Dialogue,
        proof: Tool,
        intent: str,
        said: Entities,
        turn: Situation,
        context: Context,
    ) -> tuple[Dialogue, Act]:
        """Who they are first; what they asked for waits for it."""
        if gives_a_new_one(said.text):
            proves = replace(said, email="", phone="")  # the new address is not the one on the account
        else:
            proves = said
            proof = self._fully_given(proof, said, turn, context) or proof
        dialogue, act = self._start(dialogue, proof, proves, turn, context)
        if intent in _THEIR_OWN or said.references:
            asked = said.text if proves is not said else without_proof(said)
            dialogue = replace(dialogue, waiting=(asked,))
        if act.calls:
            return dialogue, act
        return dialogue, replace(act, say=f"For that I have to know who you are. {act.say}")

    def _fully_given(self, but: Tool, said: Entities, turn: Situation, context: Context) -> Tool | None:
        """The way to prove who they are that what was said is enough for."""
        others = [tool for tool in proofs_of(turn) if tool.name != but.name]
        return next(
            (one for one in others if len(collect(one, said, context, {})) == len(one.required)), None
        )

    def _corrected(
        self, dialogue: Dialogue, said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act] | None:
        """ "No, order 1005", "the other one": the last call again, with what was corrected."""
        name, arguments = turn.topic.last_call
        tool = next((tool for tool in turn.tools if tool.name == name), None)
        another = _AND_THIS.match(said.text) is not None and len(said.text.split()) <= _SHORT
        if tool is None or not (another or CORRECTS.match(said.text)):
            return None
        before = read_arguments(arguments)
        fresh = collect(tool, said, replace(context, order="", product=""), {})
        corrected = {key: value for key, value in fresh.items() if key in before and value != before[key]}
        which = described(said.text)
        if not corrected and not which and not means_another(said.text):
            return None
        for key in () if corrected else before:
            kind = kind_of(key, tool.properties.get(key, {}))
            value = _another(kind, str(before[key]), which, turn)
            if value:
                corrected[key] = fit(value, unwrapped(tool.properties[key]))
            elif kind == "reference":
                kept = {k: v for k, v in before.items() if k != key}
                asking = replace(dialogue, pending=Pending(tool.name, kept, key), misses=0)
                return asking, Act(ask_for(key, tool.properties[key], 0))
        if not corrected:
            return None
        done = replace(dialogue, pending=None, misses=0)
        return done, Act(calls=((tool.name, {**before, **corrected}),), kind="call")

    def resume(self, dialogue: Dialogue, turn: Situation, *, spoken: bool) -> tuple[Dialogue, Act]:
        """The next request of a sentence that held several, now that the one before it is done."""
        if SENDS_CODE.search(turn.topic.last_call[0]):
            # Who they are is known by the code, which comes next; the request goes on waiting.
            code = next((tool for tool in turn.tools if TAKES_CODE.search(tool.name) and tool.required), None)
            asking = Pending(code.name, {}, code.required[0]) if code is not None else dialogue.pending
            return replace(dialogue, pending=asking), Act()
        first, *later = dialogue.waiting
        said = find_entities(first, turn.now, turn.known.things or common_things())
        context = Context(turn.now, turn.topic.order, turn.topic.product, turn.known.ids, spoken)
        ranked = self._rank(said)
        dialogue, act = self._fresh(replace(dialogue, waiting=()), said, ranked, turn, context)
        return replace(dialogue, waiting=(*dialogue.waiting, *later)), act

    def _requests(self, said: Entities, turn: Situation) -> list[str]:
        """The requests of a sentence, in its words: more than one only where each stands for itself."""
        if turn.tool_choice != "auto":
            return [said.text]
        parts = split_requests(said.text, lambda clause: self._wants(clause, turn))
        if len(parts) == 1 and self._wants(said.text, turn) is not None:
            return for_each(said.text, said.references)
        return parts

    def _wants(self, clause: str, turn: Situation) -> Request | None:
        said = find_entities(clause, turn.now, turn.known.things or common_things())
        ranked = self._rank(said)
        best = ranked[0] if ranked else Meaning("", 0.0)
        if best.score < _SURE or best.intent in _SMALL_TALK:
            return None
        tool = tool_for(best.intent, turn.tools)
        if tool is None:
            return None
        context = Context(turn.now, known_ids=turn.known.ids)
        given = collect(tool, said, context, {})
        about = PRONOUN.search(said.text) is not None
        return Request(tool.name, given, complete=about or all(name in given for name in tool.required))

    def _choose(self, best: Meaning, said: Entities, turn: Situation) -> Tool | None:
        if swap(said.text)[0] and (swapping := _swapping(said, turn)) is not None:
            return swapping
        unknown = tuple(tool for tool in turn.tools if not intent_of(tool) and not PACING.search(tool.name))
        foreign, nearness = nearest_tool(said.text, unknown)
        for tool in unknown:
            if nearest_tool(said.text, [tool])[1] > 0 and _names_a_choice(tool, said):
                foreign, nearness = tool, 1.0  # "open in Boston": one of the cities that only it knows
            elif said.references and re.search(r"\bpay\b", said.text) and _takes_payment(tool, said, turn):
                foreign, nearness = tool, 1.0
        if (
            foreign is not None
            and nearness >= _FOREIGN_SURE
            and (nearness >= best.score or best.intent in _SMALL_TALK)
        ):
            return foreign
        if best.intent == "human" and best.score >= _SURE:
            return tool_for("human", turn.tools)
        if best.intent == "inform" and best.score >= _SURE and said.references:
            return tool_for("order_status", turn.tools)
        if said.references and best.score < _SURE:
            return tool_for("order_status", turn.tools)  # an order, and no more: where it is does no harm
        if said.product and (best.score < _SURE or best.intent == "inform"):
            return tool_for("product_info", turn.tools)
        if best.score >= _SURE and best.intent not in _SMALL_TALK:
            return tool_for(best.intent, turn.tools) or self._stand_in(best.intent, turn)
        if turn.tool_choice == "required" and turn.tools:
            return foreign or turn.tools[0]
        if foreign is not None and nearness >= 0.34 and best.score < _SURE:
            return foreign
        return None

    def _fitting(self, tool: Tool, said: Entities, turn: Situation, context: Context) -> Tool:
        """Of the tools that serve the same, the one that more of what was said is for."""
        intent = intent_of(tool)
        if intent != "update_account" or turn.tool_choice not in ("auto", "required"):
            return tool

        def fits(other: Tool) -> tuple[bool, int]:
            given = collect(other, said, context, {})
            return bool(given) and all(name in given for name in other.required), len(given)

        others = [other for other in turn.tools if intent_of(other) == intent]
        return max((tool, *others), key=fits)

    def _stand_in(self, intent: str, turn: Situation) -> Tool | None:
        """Another tool that can serve an intent whose own the session lacks."""
        others = {"exchange_item": "return_item", "policy_question": "product_info"}
        return tool_for(others[intent], turn.tools) if intent in others else None

    def _start(
        self, dialogue: Dialogue, tool: Tool, said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act]:
        if intent_of(tool) == "product_info" and turn.topic.price and _asks_price_of_it(said):
            return replace(dialogue, misses=0), Act(f"It is {turn.topic.price}.")
        arguments = collect(tool, said, context, {})
        if intent_of(tool) == "policy_question":
            # What is asked is the question itself: nobody is asked for it again.
            arguments = {**arguments, **dict.fromkeys(tool.required[:1], said.text)}
        product = (
            swap(said.text)[0]
            or thing(said)
            or (waits_for(said.text) if intent_of(tool) == "order_status" else "")
        )
        found = self._find_order(dialogue, tool, arguments, product, f"{said.text} from that order", turn)
        if found is not None:
            return found
        named = "" if arguments or tool.required else what_is_named(tool, said)
        return self._call_or_ask(dialogue, tool, arguments, turn, named=named)

    def _find_order(
        self,
        dialogue: Dialogue,
        tool: Tool,
        arguments: Mapping[str, Any],
        product: str,
        then: str,
        turn: Situation,
        *,
        latest: bool = False,
    ) -> tuple[Dialogue, Act] | None:
        """Who does not say an order's number says what was in it; what they asked for goes on from there."""
        lacks = any(
            kind_of(name, tool.properties[name]) == "reference" and name not in arguments
            for name in tool.required
        )
        find = next((one for one in turn.tools if _FINDS_ORDERS.search(one.name) and not one.required), None)
        by = (
            next((name for name in find.properties if "product" in name or "item" in name), "")
            if find
            else ""
        )
        if find is None or not lacks or not by or not (product or latest):
            return None
        given = {by: product} if product else {}
        asked = replace(dialogue, pending=None, misses=0, waiting=(then, *dialogue.waiting))
        return asked, Act(calls=((find.name, given),), kind="call")

    def _call_or_ask(
        self,
        dialogue: Dialogue,
        tool: Tool,
        arguments: Mapping[str, Any],
        turn: Situation,
        tries: int = 0,
        named: str = "",
    ) -> tuple[Dialogue, Act]:
        if "summary" in tool.required and "summary" not in arguments:
            # Nobody who asks for a person is asked to sum up the call for us.
            arguments = {**arguments, "summary": _in_short(turn.topic)}
        missing = next((name for name in tool.required if name not in arguments), None) or named
        if missing:
            asking = Pending(tool.name, dict(arguments), missing, tries)
            question = ask_for(missing, tool.properties[missing], tries)
            return replace(dialogue, pending=asking, misses=0), Act(question)
        done = replace(dialogue, pending=None, misses=0)
        return done, Act(calls=((tool.name, dict(arguments)),), kind="call")

    # --- in the middle of one --------------------------------------------------------------------------

    def _wants_else(self, pending: Pending, ranked: list[Meaning], turn: Situation) -> bool:
        best = ranked[0] if ranked else Meaning("", 0.0)
        if best.intent in _SMALL_TALK:
            return best.intent in ("human", "repeat", "help", "bye", "who") and best.score >= _SWITCH
        tool = tool_for(best.intent, turn.tools)
        if tool is None:
            return best.score >= _SWITCH and best.intent in _THEIR_OWN and not A_PROOF.match(pending.tool)
        return best.score >= _SWITCH and tool.name != pending.tool

    def _continue(
        self,
        dialogue: Dialogue,
        pending: Pending,
        said: Entities,
        ranked: list[Meaning],
        turn: Situation,
        context: Context,
    ) -> tuple[Dialogue, Act]:
        tool = next((one for one in turn.tools if one.name == pending.tool), None)
        if tool is not None and A_PROOF.match(tool.name):
            proved = self._proved_otherwise(dialogue, tool, pending, said, ranked, turn, context)
            if proved is not None:
                return proved
        if tool is not None and kind_of(pending.asking, tool.properties[pending.asking]) == "reference":
            named = "" if said.references else said.product or thing(said) or holds(said.text)
            unknown = does_not_know(said.text) and not said.references
            then = _THEN.get(intent_of(tool), "")
            if then and (unknown or named):
                found = self._find_order(
                    dialogue, tool, pending.arguments, named, then, turn, latest=unknown and not named
                )
                if found is not None:
                    return found
        if (
            tool is None
            or _GIVES_UP.search(said.text)
            or (
                ranked
                and ranked[0].intent == "deny"
                and not said.references
                and kind_of(pending.asking, tool.properties[pending.asking]) != "boolean"
                and len(said.text.split()) <= 4
            )
        ):
            return replace(dialogue, pending=None, misses=0), Act("All right. What else can I do for you?")
        arguments = collect(tool, said, context, pending.arguments, asked=pending.asking)
        if pending.asking in arguments or (
            pending.asking not in tool.required and len(arguments) > len(pending.arguments)
        ):
            return self._call_or_ask(dialogue, tool, arguments, turn)
        if pending.tries >= 1:
            return self._offer_person(
                replace(dialogue, pending=replace(pending, tries=pending.tries + 1)), turn
            )
        tries = pending.tries + 1
        return self._call_or_ask(dialogue, tool, pending.arguments, turn, tries, named=pending.asking)

    def _proved_otherwise(
        self,
        dialogue: Dialogue,
        tool: Tool,
        pending: Pending,
        said: Entities,
        ranked: list[Meaning],
        turn: Situation,
        context: Context,
    ) -> tuple[Dialogue, Act] | None:
        """Who does not say what was asked may say who they are in another way."""
        if pending.asking in collect(tool, said, context, {}) or TAKES_CODE.search(tool.name):
            return None
        proofs = proofs_of(turn)
        others = [one for one in proofs if one.name != tool.name and pending.asking not in one.required]
        for other in others:
            given = collect(other, said, context, {}, asked=other.required[0])
            if any(name in given for name in other.required[1:]) or len(given) == len(other.required) == 1:
                return self._call_or_ask(dialogue, other, given, turn)
        if not does_not_know(said.text):
            if ranked and ranked[0].score >= _SWITCH and ranked[0].intent in _THEIR_OWN:
                return self._prove(dialogue, tool, ranked[0].intent, said, turn, context)
            return None
        if not others or tool is not proofs[0]:
            return self._instead_a_person(dialogue, "I cannot look it up without that.", turn)
        other = others[0]
        asking = replace(dialogue, pending=Pending(other.name, {}, other.required[0]), misses=0)
        names = [f"your {humanised(name)}" for name in other.required]
        listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        return asking, Act(f"Then please tell me {listed}.")

    def _after_offer(
        self, dialogue: Dialogue, ranked: list[Meaning], said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act]:
        best = ranked[0] if ranked else Meaning("", 0.0)
        if best.intent in ("affirm", "human") and best.score >= _SURE:
            return self._person(replace(dialogue, pending=None, misses=0), said, turn, context)
        if best.intent == "deny" and best.score >= _SURE and not said.references:
            return replace(dialogue, pending=None, misses=0), Act("All right. " + _can_do(turn.tools))
        if dialogue.pending is not None and not self._wants_else(dialogue.pending, ranked, turn):
            return self._continue(dialogue, dialogue.pending, said, ranked, turn, context)
        return self._fresh(replace(dialogue, pending=None, waiting=()), said, ranked, turn, context)

    # --- without a tool --------------------------------------------------------------------------------

    def _missed(self, dialogue: Dialogue, turn: Situation, text: str) -> tuple[Dialogue, Act]:
        if only_thinks(text):
            return dialogue, Act("Take your time. I am listening.")
        if is_upset(text):
            return self._instead_a_person(dialogue, "I am sorry about that.", turn)
        missed = replace(dialogue, misses=dialogue.misses + 1)
        if missed.misses > 1:
            return self._offer_person(missed, turn)
        if turn.topic.offer:
            return missed, Act(_sorry_again(turn.topic.offer))
        return missed, Act("Sorry, I did not understand that. Could you say it in other words?")

    def _instead_a_person(self, dialogue: Dialogue, why: str, turn: Situation) -> tuple[Dialogue, Act]:
        """What the engine cannot do, a person may."""
        if tool_for("human", turn.tools) is not None:
            offer = "Would you like to talk to a person?"
        elif tool_for("callback", turn.tools) is not None:
            offer = "Would you like a person to call you back?"
        else:
            return replace(dialogue, pending=None, misses=0), Act(f"{why} {_can_do(turn.tools)}")
        return replace(dialogue, pending=None, offered_person=True, misses=0), Act(f"{why} {offer}")

    def _offer_person(self, dialogue: Dialogue, turn: Situation) -> tuple[Dialogue, Act]:
        if tool_for("human", turn.tools) is not None:
            offer = "I am sorry, I still do not understand. Would you like to talk to a person?"
        elif tool_for("callback", turn.tools) is not None:
            offer = "I am sorry, I still do not understand. Would you like a person to call you back?"
        else:
            return replace(dialogue, misses=1), Act(
                f"I am sorry, I still do not understand. {_can_do(turn.tools)}"
            )
        return replace(dialogue, offered_person=True, misses=0), Act(offer)

    def _person(
        self, dialogue: Dialogue, said: Entities, turn: Situation, context: Context
    ) -> tuple[Dialogue, Act]:
        tool = tool_for("human", turn.tools) or tool_for("callback", turn.tools)
        if tool is None:
            return dialogue, Act("I cannot connect you to a person from here. " + _can_do(turn.tools))
        return self._call_or_ask(dialogue, tool, collect(tool, said, context, {}), turn)

    def _small_talk(
        self, dialogue: Dialogue, intent: str, said: Entities, turn: Situation
    ) -> tuple[Dialogue, Act]:
        heard = replace(dialogue, misses=0)
        match intent:
            case "greeting" if asks_if_there(said.text):
                return heard, Act("Yes, I am here. How can I help you?")
            case "greeting":
                return heard, Act("Hello. How can I help you?", kind="small")
            case "thanks":
                return heard, Act("You are welcome. Is there anything else?", kind="small")
            case "bye":
                return heard, Act("Thank you for calling. Goodbye.", kind="small")
            case "who":
                english = "" if "English" in self._who() else "I speak English. "
                return heard, Act(f"I am {self._who()}. {english}{_can_do(turn.tools)}")
            case "help":
                return heard, Act(_can_do(turn.tools) + " What would you like?")
            case "repeat":
                return heard, Act(turn.topic.last_said or "I have not said anything yet. How can I help you?")
            case "affirm":
                return heard, Act("All right. What would you like me to do?", kind="small")
            case "deny":
                return heard, Act("All right. Is there anything else?", kind="small")
            case "human":
                return heard, Act("I cannot connect you to a person from here. " + _can_do(turn.tools))
            case "inform":
                return heard, Act("Thank you. What would you like me to do?")
        if intent in ("generic", "filler", ""):
            return self._missed(dialogue, turn, said.text)
        if intent in _THEIR_OWN and any(intent_of(tool) in _THEIR_OWN for tool in turn.tools):
            # What is theirs may be read and not changed: how they said who they are does not reach that far.
            return self._instead_a_person(heard, "To change that I would have to be surer who you are.", turn)
        return self._instead_a_person(heard, "I cannot do that here.", turn)

    def _who(self) -> str:
        return self.agent or "the offline engine, an automatic assistant that speaks English"


def _takes_payment(tool: Tool, said: Entities, turn: Situation) -> bool:
    """Whether a tool is about how an order is paid, and the way was named."""
    kinds = [kind_of(name, tool.properties[name]) for name in tool.required]
    return "method" in kinds and len(collect(tool, said, Context(turn.now), {})) == len(kinds)


def _swapping(said: Entities, turn: Situation) -> Tool | None:
    """The tool by which an item becomes another of its kind: of an order that came, or of one to come."""
    able = [
        tool
        for tool in turn.tools
        if any("new_item" in str(schema.get("items", "")) for schema in tool.properties.values())
    ]
    verb = "change" if re.search(r"\b(?:change|switch)\b", said.text) else "exchange"
    return next((tool for tool in able if tool.name.startswith(verb)), able[0] if able else None)


def _names_a_choice(tool: Tool, said: Entities) -> bool:
    """Whether one of the values is named that a required property allows."""
    values = [value for name in tool.required for value in tool.properties[name].get("enum") or ()]
    return any(
        isinstance(value, str) and len(value) > 2 and re.search(rf"\b{re.escape(value.lower())}\b", said.text)
        for value in values
    )


def _sorry_again(offer: str) -> str:
    """The question again, so that the yes that may follow is one to it."""
    return offer if CHINESE.search(offer) else f"Sorry, I did not understand that. {offer}"


def _another(kind: str, before: str, which: str, turn: Situation) -> str:
    """What is meant in place of `before`: the other one, or the one with these words."""
    if kind == "reference":
        if which:
            return reference_of(which, turn.topic.listed, before)
        return other_of(before, turn.topic.named, turn.known.ids)
    return thing_of(which, before, turn.known.things) if kind == "thing" and which else ""


def _in_short(topic: Topic) -> str:
    asked = read_arguments(topic.last_call[1])
    order = next((value for name, value in asked.items() if "order" in name and isinstance(value, str)), "")
    about = f" It was about order {order}." if order else ""
    return f"The customer asked for a person.{about}"


_REPEATS = re.compile(r"\b(?:repeat|again)\b")


def _asks_price_of_it(said: Entities) -> bool:
    return bool(re.match(r"(?:and )?(?:how much|what) (?:is|are|does|do|was)\b.*", said.text)) and not thing(
        said
    )


def _can_do(tools: tuple[Tool, ...]) -> str:
    known = {
        "order_status": "check an order", "cancel_order": "cancel an order", "return_item": "start a return",
        "exchange_item": "exchange an item", "product_info": "tell you about a product",
        "update_account": "change your contact details", "callback": "arrange a call back",
        "customer_info": "look up your account", "policy_question": "answer questions about our terms",
        "human": "connect you to a person",
    }  # fmt: skip
    offered = [tool for tool in tools if not PACING.search(tool.name) and not A_PROOF.match(tool.name)]
    can = list(dict.fromkeys(known.get(intent_of(tool)) or humanised(tool.name) for tool in offered))[:7]
    if not can:
        return "I have no tools in this session."
    return f"I can {', '.join(can[:-1])}{' or ' if len(can) > 1 else ''}{can[-1]}."
