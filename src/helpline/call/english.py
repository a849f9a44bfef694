"""Reading English: what a reply claims as done. PURE.

The rules are those of `claims`. A clause claims something when a change is reported in it as made, and
nothing before that in the clause makes it an offer, a question, a condition or a denial. What only stands
around it ("I can confirm that …", "no problem") does not, nor does what is put into the middle of it.
"""

import re
from collections.abc import Iterator

_PARTICIPLES = {
    "cancel": r"cancell?ed|called off|voided|scrapped|put a stop (?:to|on)|"
    r"(?:took|taken) (?:your|the|that) order (?:off|down|out)|"
    "withdrawn|revoked|(?:been|get|got) (?:stopped|halted|pulled|deleted)|"
    r"(?:pulled|stopped|deleted|halted|killed) (?:it|that|this|your|the (?:\w+ )?(?:order|shipment|"
    r"delivery|parcel|"
    r"package|payment))|no longer exists|off the books|out of the system",
    "return": r"returned(?! to (?:sender|our|the))|taken back",
    "exchange": r"exchanged|swapped|replaced(?! by)",
    "refund": r"refunded|reimbursed|credited|waived|paid (?:back|out)|put back (?:on|in)|"
    r"(?:given you|been given|got|received) (?:a|your|the) (?:\w+ ){0,3}(?:refund|credit|money)(?: back)?|"
    r"given you (?:\w+ ){1,4}?(?:off|discount|voucher|coupon)|"
    r"(?:sent|paid|put|returned|transferred) (?:you )?(?:[\w.-]+ ){1,6}?back (?:to|on|onto|in|into) your|"
    r"reversed (?:the|your|that) (?:charge|payment)|charge has been reversed|"
    r"(?:applied|knocked|deducted|put on) (?:\w+ ){1,6}?(?:discount|coupon|voucher|off)",
    "update": r"updated|changed|modified|corrected|switched|amended|edited|moved|added|removed|saved|"
    r"fixed|reset|renamed|paused|resumed|pushed (?:back|forward|out)|brought forward|"
    r"(?:put|set) (?:your|the|that|this) (?:new |right |correct )?"
    r"(?:postcode|zip ?code|number|address|e-?mail|name|card)|"
    r"unsubscribed|subscribed|opted you (?:in|out)|enrolled|signed you up|"
    r"taken you off|took you off|adjusted|(?:took|taken) (?:\w+ ){1,5}?(?:off|out of) (?:your|the|that|"
    r"our) (?:order|list)|"
    r"(?:closed|deleted|deactivated) (?:your|the|that) account|account (?:is|has been|"
    r"was) (?:now )?(?:closed|deleted)",
    "book": r"booked|organi[sz]ed|"
    r"(?:in|on) (?:the|our|my) (?:diary|calendar|schedule|books) for|"
    r"scheduled(?! (?:to arrive|for delivery))|arranged|rescheduled|reserved|got you booked|"
    r"(?:put|have|had|got) you down(?: for)?|(?:all )?(?:down|pencill?ed in|lined up|set) for (?:a|your|"
    r"the|an|on)?",
    "ticket": r"opened(?! (?:up )?(?:your|the|that) (?:order|account|page|profile))|filed|logged|raised|"
    "escalated|reported|flagged (?:this|that|it|your|the)|"
    r"passed (?:this|that|it|everything|(?:your|the) (?:\w+ ?){1,3}?) (?:on|along)\b|"
    r"let (?:the|our|my) (?:\w+ ){1,2}?know|(?:notified|informed|alerted|told) (?:the|our|my) (?!system)\w+",
    "transfer": r"transferred|handed (?:you |it |this )?over(?! to the (?:carrier|courier|post|driver))|"
    r"connected|put (?:you )?through(?! (?:this|that|a lot|so much))|forwarded|placed (?:you )?in the queue",
    "order": r"reordered|reshipped|resent|upgraded|expedited|ordered (?:a|your|the) (?:new|replacement)|"
    r"(?:sent|shipped|dispatched)(?: out)?(?: you)?(?: out)? "
    r"(?:(?:a|your|the) (?:new|replacement|second)|another)",
}
_VERBS = {
    "cancel": "cancel|stop|halt|pull",
    "return": "return",
    "exchange": "exchange|replace|swap",
    "refund": "refund|reimburse|credit",
    "update": "update|change|correct|move|add|remove",
    "book": "book|schedule|arrange|reserve",
    "ticket": "open|file|raise|escalate",
    "transfer": "transfer|connect",
}
_THINGS = {
    "cancel": r"cancell?ation",
    "return": r"return(?: label| request)?",
    "exchange": r"exchange|replacement",
    "refund": r"refund|credit|reimbursement|money|charge",
    "update": r"change|update|address|e-?mail|payment method|phone number|(?:new )?card|new number|details|"
    r"delivery(?: date)?",
    "book": r"callback|call back|appointment|call|booking|reservation",
    "ticket": r"ticket|case|complaint|claim",
}
_GERUNDS = {
    "cancel": "cancell?ing",
    "return": "returning",
    "exchange": "exchanging|swapping|replacing",
    "refund": "refunding|crediting",
    "update": "updating|changing|correcting",
    "book": "booking|scheduling|arranging",
    "ticket": "opening|filing",
    "transfer": "transferring",
}
_MADE = (
    r"issued|processed|sent(?: back)?|being sent|made|done|started|set up|created|approved|registered|placed|"
    r"completed?|arranged|initiated|submitted|booked|opened|filed|in place|through|saved|confirmed|ordered|"
    r"moved|on (?:its|the) way|up to date|taken care of|went through|gone through|given you|"
    r"authori[sz]ed|accepted|confirmed|granted|organi[sz]ed|finali[sz]ed|"
    r"successful|cleared|gone out|on the way back|on their way|paid out|reversed|set for"
)
_DID = (
    r"requested|put|got|made|took care of|taken care of|placed|sent|given you|issued|processed|set up|"
    r"created|"
    r"(?:went|gone) (?:ahead|on) with|finished|e-?mailed|finali[sz]ed|carried out|pushed through|" + _MADE
)
_ADVERBS = (
    r"(?:(?:now|just|already|also|all|both|then|gone ahead and|went ahead and|gone and|been|so|and|"
    r"(?!hardly|nearly|barely|possibly|probably|likely)[a-z]+ly) )*"
)
_AGENT = rf"\b(?:i|we)(?: have| had)? {_ADVERBS}"
_OURS = (
    r"\b(?:your|the|my|this|that|these|those|it|you|they|both|everything|all|\d{3,}|a replacement|a refund)\b"
)
_NOT_THE_SHOPS = (
    r"(?! (?:\w+ ){0,2}?(?:prices?|colou?rs?|range|shop|store|system|policy|window|hours|website|model|"
    r"line|hotline|"
    r"tracking|driver|courier|carrier|app)\b)"
)
_PASSIVE = (
    rf"(?:(?!you (?:have|had) (?!(?:\w+ )?(?:been|got|"
    rf"received)\b)){_OURS}{_NOT_THE_SHOPS}[^,;]{{0,40}}?\b(?:is|are|has|have|was|were|been|got)|"
    rf"\ban? [\w -]{{2,30}} has been) "
    rf"{_ADVERBS}(?:marked as )?"
)
_MANAGED = r"\b(?:i|we) (?:have |am )?(?:was able to|were able to|been able to|managed to|did) "
_STAFF = (
    r"\b(?:a|one of (?:our|my)|our|my|the) (?:colleagues?|agent|specialist|person|manager|supervisor|"
    r"team|warehouse) "
    rf"(?:is|are|has been|have been) {_ADVERBS}"
)
_AND = (
    r"\b(?:i|we)(?: have| had)? (?!will|can|could|would|see)(?:(?!you\b|they\b|he\b|she\b|not\b|"
    r"no\b)[\w'.@-]+ ){1,8}?and "
    rf"{_ADVERBS}"
)
"""The second thing that it says we did: "I have updated your email and cancelled it"."""
_OBJECT = r" (?:an?|it|that|this|them|your|the|order|both|everything|all|you|\d)"
_HAD = (
    rf"\b(?:i|we|do) (?:do )?(?:have|had|got) {_ADVERBS}(?:had )?(?:your|the|that|it|this|these|both|order)"
    r"(?: (?!(?:you|we|that|which|was|is|as|to|for|on|in|marked|listed)\b)\w+){0,2} |"
    r"\bthat is (?:everything|all|both|it|the lot)(?: now)? |"
    r"\bconsider (?:it|that|this|your|the|order)(?: \w+){0,2} |"
    r"\b(?:shows?|showing|marked|listed|appears?|registered|recorded)(?: up)?(?: (?!not\b)\w+){0,3} as "
)
"""Having it done, and what is said to stand somewhere "as cancelled"."""
_IN_GENERAL = r"(?! (?:by|automatically|when|if|once|after|before|within|every|each|at the|in the)\b)"
_ALL_SET = re.compile(
    rf"\b(?:(?:it|that|this|everything|all|that one|this one|both(?: things| of (?:them|those))?) "
    rf"(?:is|are|has been|have been|has|have|was|were) {_ADVERBS}"
    r"(?:done|taken care of|sorted|complete|completed|all set|finali[sz]ed|gone through|handled|"
    r"resolved|arranged|"
    rf"dealt with|squared away|put through|processed|carried out){_IN_GENERAL}"
    r"|(?:it|that|this) has been (?:approved|accepted|confirmed|issued)"
    rf"|(?:your|the) (?:request|wish|instructions?) (?:is|has been|was) {_ADVERBS}"
    r"(?:done|complete|completed|processed|"
    rf"fulfilled|carried out|handled|granted){_IN_GENERAL}"
    rf"|(?:i|we)(?: have)? {_ADVERBS}set (?:it|that|this|everything|all of (?:it|that)) up"
    r"|(?:everything|it|that|this) (?:just )?went (?:right )?through"
    r"|you are (?:now )?(?:all set(?! to\b)|all sorted|good to go)|consider it (?:done|handled|sorted)"
    r"|all done|all taken care of|all sorted|done and dusted|done deal|job done"
    rf"|(?:i|we)(?: have)? {_ADVERBS}(?:did|done) (?:that|it|this|so|everything|all of (?:it|that)|"
    rf"what you \w+)"
    rf"|(?:i|we)(?: have)? {_ADVERBS}(?:took|taken) care of (?:it|that|this|everything|all)"
    rf"|(?:i|we)(?: have)? {_ADVERBS}(?:processed|handled|completed|finished|sorted|arranged|"
    rf"carried out|resolved)"
    r"(?: out)? (?:it|that|this|everything|all of (?:it|that)|your request|what you \w+)"
    rf"|(?:i|we)(?: have)? {_ADVERBS}(?:put|pushed|run|ran) (?:it|that|this|everything) through"
    r"|(?:i|we) have (?:got )?(?:it|that|this|everything) all (?:arranged|sorted|set up|done|taken care of)"
    r")\b|^(?:done|finished)$|^(?:so |okay )?you are (?:now )?set$|^(?:i|we) have (?:just |already |"
    r"now )*done$"
)
_FIELD = r"(?:e-?mail(?: address)?|address|phone(?: number)?|number|payment method|card|name)"
_FIELD_IS_NOW = re.compile(
    rf"\b(?:your|the) (?:\w+ ){{0,3}}?{_FIELD}(?: on (?:file|record|the order|"
    rf"your account))? is now\b(?! (?:on the screen|complete|verified|being))"
    rf"|\b(?:your|the) new {_FIELD} is (?:now |already )?(?:in the system|on file|on (?:the|"
    rf"your) (?:order|account)|in place|"
    r"active|live|saved|set|stored)\b"
    r"|\b(?:order|parcel|package|it) (?:will now|now|is now) (?:go|goes|going|ship|ships|be sent|"
    r"being sent|be delivered|"
    r"be shipped|arrive) (?:to|at) (?:your|the|\d+)\b"
)
"""A change that is told by what stands afterwards: "Your email is now …"."""
_ORDER_IS_GONE = re.compile(
    rf"\b(?:order(?: \d+)?|it|that one) (?:is|has been) {_ADVERBS}(?:gone|off the books|"
    rf"out of the system|off the list)\b"
    r"|\b(?:your |the )?(?:order|parcel|package) no longer exists\b"
)
_MONEY_IS_ON_ITS_WAY = re.compile(
    rf"\b(?:dollars?|cents?|euros?|pounds?|money) (?:is|are|has been|have been) {_ADVERBS}"
    r"(?:put back|paid back|sent back|returned|refunded|credited|on (?:its|their|"
    r"the) way(?: back)?(?: to (?:you|your)\b)?|back (?:on|in) your|heading back|going back)"
)
_NEW_ONE = re.compile(
    rf"\ba (?:new|second|replacement) (?:\w+ ){{0,2}}(?:is|has been|was) {_ADVERBS}(?:shipped|sent|"
    rf"ordered|dispatched|on (?:its|the) way)\b"
)
_TOLD_OTHERWISE = (
    ("update", _FIELD_IS_NOW),
    ("cancel", _ORDER_IS_GONE),
    ("refund", _MONEY_IS_ON_ITS_WAY),
    ("order", _NEW_ONE),
    (
        "update",
        re.compile(r"\byour account (?:is|has been|was) (?:now |already )?(?:closed|deleted|deactivated)\b"),
    ),
    (
        "update",
        re.compile(
            r"\b(?:i|we) have (?:\w+ )?(?:finished|completed) (?:making )?(?:all )?"
            r"(?:the|your|those) changes?\b"
        ),
    ),
    ("ticket", re.compile(r"\ba (?:ticket|case) is (?:now |already )?open\b")),
)
_LEAD = "(?:(?:ok|okay|so|all|great|good|good news|and|there|right|now|status) )*"
_IS = "(?:is |are |was |now )*"


_SEEN = ("", r"(?!(?:confirmed|accepted)\b)")
"""An address that is confirmed, or a card that is accepted, is not changed."""


def _bare(kind: str, words: str) -> re.Pattern[str]:
    """A clause of hardly more than that: "Cancelled it", "Refund issued"."""
    it = "(?:your|the|that|it|this|both|order \\d+|\\d{3,})"
    order = rf"(?:order|it)(?: number)?(?: \d{{3,}})? {_IS}(?:{words})"
    thing = rf"(?:{_THINGS.get(kind, 'nothing')})(?: for)?(?: order)?(?: \d{{3,}})? "
    thing += rf"{_IS}{_SEEN[kind == 'update']}(?:{words}|{_MADE})"
    told = rf"(?P<told>(?:your |the |that )?(?:{order}|{thing}))(?: for you| now| successfully)*"
    return re.compile(rf"^{_LEAD}(?:(?:{words})(?: {it}\b.*)?|{told})$")


_BARE = {kind: _bare(kind, words) for kind, words in _PARTICIPLES.items()}
_PATTERNS = tuple(
    (
        kind,
        re.compile("|".join((words, _VERBS.get(kind, words), _GERUNDS.get(kind, words)))),
        re.compile(
            rf"(?:{_AGENT}|{_PASSIVE}|{_HAD}|{_STAFF})(?:{words})"
            r"(?! (?:by (?!me|us)|our|only (?:if|when|after)))\b"
            rf"|{_AND}(?:{words})(?:{_OBJECT if kind != 'order' else ''})\b|{_MANAGED}(?:get|"
            rf"have) (?:\w+ ){{1,3}}?(?:{words})\b"
            + (rf"|{_MANAGED}(?:{_VERBS[kind]})\b" if kind in _VERBS else "")
            + (
                rf"|{_AGENT}(?:finished|completed|done)(?: with)? (?:{_GERUNDS[kind]})\b"
                if kind in _GERUNDS
                else ""
            )
        ),
    )
    for kind, words in _PARTICIPLES.items()
) + tuple(
    (
        kind,
        re.compile(words),
        re.compile(
            rf"\ban? (?:{words}) has been {_ADVERBS}{_SEEN[kind == 'update']}(?:{_MADE})\b"
            rf"|{_OURS}[^,;]{{0,24}}?\b(?:{words})\b[^,;]{{0,40}}?"
            rf"\b(?:(?:is|are|has|have|was|were|been|got) {_ADVERBS}"
            rf"{_SEEN[kind == 'update']}(?:{_MADE})|went through)\b"
            rf"|{_AGENT}{_SEEN[kind == 'update']}(?:{_DID})\b"
            rf"(?! (?:you )?(?:a|the|your) (?:new )?code\b)[^,;]{{0,30}}?\b(?:{words})\b"
            r"(?! (?:all )?(?:ready|prepared|form|policy|options?|page)\b)"
        ),
    )
    for kind, words in _THINGS.items()
)
"""(kind, a cheap look for its words, the careful one)."""
_OPEN = re.compile(
    r"\b(?:not|never|nothing|no|cannot|unable|without|hardly|none|neither|nobody|if|once|when|as soon as|"
    r"after|until|unless|before|would|could|can|will|shall|may|might|should|must|going to|to be|to have|"
    r"want|wants|like|whether|ready to|need|needs|let me|had you|by whom|how|why|which|what|who|means|"
    r"(?:policy|rules?|terms) (?:is|are|says?|states?)|"
    r"you (?:told|said to) (?:me|us) (?:that )?(?=you\b)|"
    r"you (?:were|have been|had been) told (?:it|this|they) (?:is|are|was|were|has|have|had)|"
    r"you (?:told|mentioned|wrote|were told|thought|heard|said)(?: \w+)? (?:that|the|your)|"
    r"most|some|any|usually|always|often|every|each)\b"
    r"|\b\w+s that (?:is|are|was|were|has|have)\b"
)
_ASKS = re.compile(
    r"^(?:(?:and|so|or|but|ok|okay|right|now|then) )*"
    r"(?:shall|should|would|do|does|did|can|could|may|have|has|is|are|was|were|will|am)\b"
)
_SAYING = (
    r"\b(?:(?:i|we) )?(?:(?:am|are|is) )?(?:(?:very |so )?(?:happy|glad|pleased|delighted|sorry) )?(?:just )?"
    r"(?:can|could|will|would like to|want to|wanted to|have to|need to|may|must|shall|should|let me|to) "
    r"(?:(?:now|also|just|happily|gladly|already) )*"
    r"(?:confirm|tell you|say|let you know|inform you|report|assure you|advise you|announce|mention|add)"
)
_AROUND = re.compile(
    rf"{_SAYING}(?: to you)?(?: that)?\b"
    r"|\b(?:you|it) (?:will|would|may|might) (?:also )?(?:be )?(?:\w+ )?to (?:hear|know|see)(?: that)?\b"
    r"|\b(?:no|not a|without|not any) (?:problem|worry|worries|trouble|issue|doubt|delay)s?(?: at all)?\b"
    r"|\bwithout further ado\b|\b(?:nothing|not|no need) to worry(?: about)?\b"
    r"|\b(?:as|like|what|which) you (?:would like|wanted|want|asked|need|needed|like|said|wished|requested)"
    r"(?: (?:me|us))?(?: (?:for|to do))?\b"
    r"|\bafter (?:\w+ly )?\w+ing(?: \w+){0,4}?(?= (?:i|we|your|the order|it|that order) )"
    r"|\bevery(?: single)? one of (?=your\b)|\beach(?: one)? of (?=your\b)"
    r"|\bnot only\b|\bwhat is more\b|\bno longer \w+\b|\bonce again\b"
)
"""What stands around a claim and takes nothing of it back."""
_CONTRACTED = (
    (re.compile(r"\b(?:can|won|don|doesn|didn|hasn|haven|isn|wasn|aren|weren|couldn|hadn)'t\b"), "not"),
    (re.compile(r"\b(it|that|there|everything|this|refund|order|what|one)'s\b"), r"\1 is"),
    (
        re.compile(
            r"(?<=\w)'s (?=(?:been|now|all|already|just|confirmed|booked|cancell?ed|"
            r"changed|updated|processed)\b)"
        ),
        " is ",
    ),
    (re.compile(r"'ve\b|(?<=\bi )ve\b|(?<=\bwe )ve\b|(?<=\bi)ve\b"), " have"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'m\b"), " am"),
)
_TELLING = "|".join(
    (
        *_PARTICIPLES.values(),
        *_GERUNDS.values(),
        _DID,
        "all set|sorted|able to|managed to|took care|did|handled|resolved|dealt with|squared|good to go|"
        "is now|now go|"
        "(?:will|is) now|no longer|gone|off the|out of|on (?:its|their|the) way|back (?:on|in) your|"
        "heading|finished|consider|"
        "shipped|dispatched|sent|ordered|put back|in the system|on file|active|live|stored|scheduled|"
        "assigned|set|account|fulfilled|diary|calendar|schedule|books",
    )
)
_BEGINS = r"(?<![a-z0-9])"
"""Where a word can begin once marks are blanks: "_done_" is one."""
MAYBE = re.compile(rf"{_BEGINS}(?:{_TELLING})")
"""A cheap look before the careful one."""
MAYBE_BY_NOW = re.compile(rf"{_BEGINS}(?:{_TELLING}|{'|'.join(_THINGS.values())})")
"""The same, for a sentence that still grows: what it is about may come last."""

_PARTS = re.compile(
    r"[,;:—–()]|\b(?:but|and then|because|so that (?=(?:you|we|i|it)\b)|(?<!soon )as (?=(?:i|we) have\b))\b"
    r"|\b(?:so that|and) (?=(?:i|we|your|it|the)\b|order \d+ (?:is|has|was|will|can|are)\b)"
)
_NO_WORD = re.compile(r"[^a-z0-9'. -]+|(?<!\d)\.|\.(?!\d)|(?<![a-z])'|'(?![a-z])|\s-+\s")
_HANGS = re.compile(r"(?:\b(?:have|has|had|been|is|are|was|were|now|just|already|then|that)|^i|^we)$")
"""What a clause ends with that goes on behind an insertion: "I have, as you asked, cancelled"."""
_GOES_ON = re.compile(r"(?:have|has|is|are|was|were) ")
"""What begins behind one: "Your order, number 1007, has been cancelled"."""
_GOES_ON_ALONE = re.compile(rf"(?:(?:has|have|had|was|were) {_ADVERBS}been |(?:is|are|was|were) ){_ADVERBS}")
_DENIES = re.compile(r"\b(?:not|never)$")
_AFTER_YES = re.compile(
    r"(?:if|once|when|as soon as) you (?:say|agree|confirm|want|like|answer|press|do)\b"
    r"|^(?:just |please |only |simply )*(?:say|press|confirm|click|tap)\b"
    r"|^(?:and |so )?(?:if|once|when|whenever|as soon as|after) (?:you|it|we|the|your|that)\b"
    r"(?!.*\b(?:said|asked|confirmed|told|called|agreed|wanted|requested|checked|looked)\b)"
)
_WOULD_BE = re.compile(r"(?:and |then )*(?:(?:your|the|it|that|order)(?: \w+){0,3}? (?:is|are) |(?:i|we) )")
_ON_SCREEN = re.compile(r"\b(?:on|to) (?:the|your) screen\b")
_US = re.compile(r"\b(?:i|we)\b")
_DROPPED = re.compile(
    r"^((?:(?:and|so|or|but|ok|okay|right|now|then) )*)(?=(?:have|had|did|was able|managed|just|went ahead) "
    r"(?!(?:\w+ )?been\b|(?:i|you|we|they|he|she|it|your|the|a|my|any\w*)\b))"
)
"""Where "I" is left out: "Have cancelled it."."""
_ORDERS = re.compile(
    r"\b(?:both|all|two|three|these|those|other|your)(?: (?:of|your|the|other|open|two|three)){0,3} orders\b"
    r"|\b(?:other|another|second|next) (?:order|one)\b|\b(?:every one|each)(?: one)? of your\b"
)
_OF_ONE = (
    r"(?! (?:items?|products?|pieces?|articles?|lines?|(?:of|in|on) (?:order|it|that|this|"
    r"the order|your order)\b))"
)
_NUMBER = "two|three|four|five|six"
_EVERYTHING = re.compile(
    rf"\b(?:(?:everything|both|all)(?: (?:of (?:them|these|those)|{_NUMBER}))?{_OF_ONE}"
    r"|the (?:whole )?lot|the (?:others|rest))\b"
)


def several(kind: str, clause: str) -> bool:
    """Does it speak of more than one order? Only orders are cancelled: "I cancelled both" speaks of two."""
    return _ORDERS.search(clause) is not None or (kind == "cancel" and _EVERYTHING.search(clause) is not None)


def claims_in(sentence: str) -> Iterator[tuple[str, bool, str]]:
    """(kind, does it say that we did it, the clause) of each change that a sentence reports as made."""
    for clause in _clauses(sentence):
        for kind, own in _kinds(clause):
            yield kind, own, clause


def _clauses(sentence: str) -> list[str]:
    text = sentence.lower().replace("’", "'")
    asks = text.rstrip().endswith("?")
    for pattern, plain in _CONTRACTED:
        text = pattern.sub(plain, text)
    parts = (" ".join(_NO_WORD.sub(" ", part).split()) for part in _PARTS.split(text))
    clauses = [part for part in parts if part]
    if asks:
        return clauses[:-1]
    clauses = [each for at, each in enumerate(clauses) if not _is_open(clauses[max(0, at - 2) : at], each)]
    for at, clause in enumerate(tuple(clauses)):
        if _HANGS.search(clause):
            clauses += [f"{clause} {behind}" for behind in clauses[at + 1 : at + 3]]
        if _GOES_ON.match(clause):
            clauses += [f"{before} {clause}" for before in clauses[max(0, at - 2) : at]]
    return clauses


def _is_open(before: list[str], clause: str) -> bool:
    """Is it denied, or made to hang on the customer's yes, by a clause before it?"""
    if before and _AFTER_YES.search(before[-1]):
        return _WOULD_BE.match(clause) is not None
    return any(map(_DENIES.search, before)) and any(found.match(clause) for found in _BARE.values())


def _without_subject(clause: str) -> str | None:
    """The end of a claim whose beginning was another reply's: "… has been cancelled."."""
    begun = _GOES_ON_ALONE.match(clause)
    words = clause[begun.end() :] if begun else ""
    return next((kind for kind, found in _PARTICIPLES.items() if words and re.match(found, words)), None)


def _kinds(clause: str) -> list[tuple[str, bool]]:
    """(kind, does it say that we did it) of what a clause claims."""
    clause = _DROPPED.sub(r"\1i ", _AROUND.sub("", clause)).strip()
    if (kind := _without_subject(clause)) is not None:
        return [(kind, False)]
    if _ASKS.search(clause):
        return []
    kinds: list[tuple[str, bool]] = []
    for kind, words, pattern in _PATTERNS:
        match = pattern.search(clause) if words.search(clause) else None
        if match and not _OPEN.search(clause[: match.end()]):
            kinds.append((kind, _US.search(match.group()) is not None))
    bare = ((kind, pattern.search(clause)) for kind, pattern in _BARE.items())
    if _ON_SCREEN.search(clause):
        kinds = [each for each in kinds if each[0] != "update"]
    kinds += [(kind, not found["told"]) for kind, found in bare if not kinds and found]
    for kind, pattern in _TOLD_OTHERWISE:
        match = pattern.search(clause)
        known = any(kind == each for each, _ in kinds)
        if (
            match
            and not known
            and not _OPEN.search(clause[: match.end()].replace("will now", "").replace("no longer", ""))
        ):
            kinds.append((kind, False))
    match = _ALL_SET.search(clause)
    if match and not kinds and not _OPEN.search(clause[: match.end()]):
        kinds.append(("done", True))
    return kinds
