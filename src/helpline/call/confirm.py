"""Did the customer say yes, and to something they had heard? PURE, and below the model.

The classifier answers yes only when the *whole* utterance is made of phrases that agree, are courtesy, or
name the proposal: one too many ("yes, but…", "yeah no", "yes, how much?", another order's number, "ok, that
is all") and it is neither, so the model talks on and nothing happens. A false no costs a sentence; a false
yes costs an order.
"""

import re
from typing import Literal

from helpline.actions import Proposal
from helpline.call import chinese

Verdict = Literal["yes", "no", "neither"]

_AGREE = frozenset(
    "yes yeah yep yup ya yea aye sure ok okay alright absolutely definitely certainly correct exactly "
    "confirm confirmed affirmative agreed indeed proceed perfect great fine".split()
)
_AGREE_PHRASES = (
    "go ahead",
    "go on then",
    "do it",
    "please do",
    "of course",
    "sounds good",
    "that is right",
    "that is correct",
    "that works",
    "i do",
    "i confirm",
    "i agree",
    "by all means",
    "go for it",
    "you bet",
    "no problem",
    "no worries",
)
_COURTESY = frozenset(
    "please thanks thank you it that this the my order number is i for me now just do go ahead and of want "
    "would like to am be very much so a with right good lovely let us then sir madam both all everything "
    "anymore any more by worries problem no can may said already need not will".split()
)
"""Words that say nothing of the proposal itself."""
_THING = (
    "it|that|this|them|both|all|everything|each|whole|entire|the|my|me|us|order|item|items|number|"
    "of|on|in|to|for|from|with|and|a|NUM|OWN|DO"
)
_CALLED = "right|correct|fine|okay|ok|good|great|perfect"
_DOING = rf"(?:go ahead and )?DO(?: (?:{_THING}))*+"
_SURE = (
    rf"go (?:right )?ahead(?: with (?:it|that))?(?: and (?:do (?:it|that|so)|{_DOING}))?",
    "go on(?: then)?",
    "go for it",
    "by all means",
    "you bet",
    "of course",
    rf"sounds (?:{_CALLED})",
    "that works(?: for me)?",
    "works for me",
    "(?:fine|okay|ok) (?:by|with) me",
    "(?:please |just |let us )*+do(?: (?:it|that|so))",
    "please do",
    "i do",
    "i (?:can )?(?:confirm|agree|approve)",
    "i am (?:very |quite |absolutely )?(?:sure|certain)",
    rf"(?:that|it|this) (?:is|would be|will be) (?:{_CALLED}|lovely)(?: (?:by|with|for) me)?",
    "that is what i (?:want|wanted|asked for|called for|called about|need)",
    rf"(?:(?:the|my|card|order|to|NUM|OWN) )*(?:NUM|OWN) is (?:{_CALLED})",
    rf"(?:please|just) (?:please |just |now )*+{_DOING}",
    rf"DO(?: (?:{_THING}))*+ please",
    rf"(?:{'|'.join(sorted(_AGREE))})(?: thing)?",
)
"""What says yes, in the words of `_in_grammar`. The first that fits is taken: the longer stand before."""
_BESIDE = (
    "thank you(?: very much| so much| a lot)?",
    "thanks(?: very much| so much| a lot)?",
    rf"i (?:want|would like|wish|need)(?: you)? to {_DOING}",
    rf"you (?:can|may) (?:please |just |now )*+{_DOING}",
    "i (?:have )?(?:already )?said",
    "no problem",
    "no worries",
    "for (?:goodness|heavens) sake",
    "please|just|then|now|so|right|sir|madam|lovely",
    _THING,
)
"""What may stand beside a yes: courtesy, and the proposal."""
_YES = re.compile(rf"(?:(?:{'|'.join((*_SURE, *_BESIDE))})(?: |$))++")
_SAYS_YES = re.compile(rf"\b(?:{'|'.join(_SURE)})(?: |$)")
_REASON = re.compile(r" (?:i|we) do not (?:need|want) (?:it|them|that|this) (?:anymore|any more|any longer) ")
_FOREIGN = re.compile(
    r"[^\x00-\x7f\u2010-\u2027£€\u3001-\u3003\u3008-\u3011\u4e00-\u9fff\uff01-\uff0f\uff1a-\uff1f]"
)
"""Letters and pictures that we do not read: beside "ok" they may say anything."""
LONGEST_ANSWER = 30
"""Words. Who says more says more than yes."""
_FILLERS = frozenset("um uh er erm ah well hm hmm".split())
_REFUSE = frozenset("no nope nah nay never negative".split())
_REFUSE_PHRASES = (
    "do not do it",
    "do not do that",
    "do not do this",
    "do not think so",
    "do not",
    "leave it as it is",
    "never mind",
    "nevermind",
    "leave it",
    "leave the order",
    "keep it",
    "keep the order",
    "forget it",
    "forget about it",
    "let it go through",
    "i changed my mind",
    "i have changed my mind",
    "rather not",
    "better not",
    "prefer not to",
    "let us not",
    "not now",
    "not today",
    "i still want it",
)
_FIRM_NO = re.compile(r" (?:absolutely|certainly|definitely|of course|probably|please) not ")
_HARMLESS_NO = frozenset(
    "today anything alone want think so prefer would better rather on second thoughts at all after actually "
    "way still changed mind have about through let keep leave order alone but sorry wait stop second "
    "thought".split()
)
_ASKS = frozenset("how which when why who where whose whom".split())
_TURNS = frozenset(
    "but if unless except maybe perhaps possibly wait hold hang actually instead other another different "
    "sorry pardon repeat again until later first before".split()
)
_DANGLING = frozenset("to so and the a with i of my if but then for is am would".split())
"""A sentence that ends on one of these is not finished."""
_WHOLE_END = re.compile(
    r"(?:go on|alright|okay|ok) then$|what i (?:called|asked) for$|as it is$|think so$|not to$"
)
_CONTRACTIONS = {
    "that's": "that is",
    "thats": "that is",
    "that'd": "that would",
    "it's": "it is",
    "i'm": "i am",
    "i'd": "i would",
    "i'll": "i will",
    "i've": "i have",
    "let's": "let us",
    "ma'am": "madam",
    "don't": "do not",
    "dont": "do not",
    "doesn't": "do not",
    "won't": "do not",
    "can't": "do not",
    "okey": "okay",
    "o.k.": "ok",
}
_BACKCHANNELS = frozenset("mhm mm mmm hm hmm uh um er erm ah oh huh uhuh uhhuh mmhm mhmm aha".split())

_DIGITS = {
    **{word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine".split())},
    "oh": "0",
    "o": "0",
}
_TEENS = {
    word: n
    for n, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10
    )
}
_TENS = {word: n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers, contractions written out, punctuation gone."""
    tokens = re.findall(r"[a-z0-9]+(?:['’.][a-z]+)*|[\u4e00-\u9fff]+", text.lower().replace("’", "'"))
    return " ".join(_CONTRACTIONS.get(token, token) for token in tokens).split()


def is_backchannel(text: str) -> bool:
    """True for sounds that only say "I am listening", and for nothing at all."""
    words = re.findall(r"\w+", text.lower().replace("-", ""))
    return all(word in _BACKCHANNELS or chinese.is_backchannel(word) for word in words)


def classify(text: str, proposal: Proposal | None = None) -> Verdict:
    """Read an utterance as the answer to a proposal."""
    if _FOREIGN.search(text):
        return "neither"
    if _is_chinese(text):
        return _classify_chinese(text, proposal)
    words = [word for word in words_of(text) if word not in _FILLERS]
    if words[:1] == ["oh"]:  # elsewhere it is a digit
        words = words[1:]
    if not words or "?" in text or "？" in text or _ASKS & set(words) or _is_cut_off(words):
        return "neither"
    line = _REASON.sub(" ", f" {' '.join(words)} ")
    words = line.split()
    own = _own_words(proposal) if proposal else frozenset()
    rest = _without(_FIRM_NO.sub(" ", line), _REFUSE_PHRASES)
    if rest != line or _says_no(words, line):
        return _refusal(rest, own, firm=rest != line)
    if _TURNS & set(words) or "not" in words:
        return "neither"
    return "yes" if _is_yes(line, proposal, own) else "neither"


def _without(line: str, phrases: tuple[str, ...]) -> str:
    for phrase in phrases:
        line = line.replace(f" {phrase} ", " ")
    return line


def _says_no(words: list[str], line: str) -> bool:
    if " no problem " in line or " no worries " in line:
        return False
    return any(word in _REFUSE for word in words)


def _refusal(rest: str, own: frozenset[str], *, firm: bool) -> Verdict:
    """No, if it is that and nothing more; a no with a wish in it is for the model to answer."""
    left = [word for word in rest.split() if word not in _REFUSE and word != "not"]
    if not firm and own & set(left):  # "no, cancel it"
        return "neither"
    if any(word in _AGREE for word in left) or any(f" {phrase} " in rest for phrase in _AGREE_PHRASES):
        return "neither"
    known = _COURTESY | _HARMLESS_NO | own
    return "no" if all(word in known for word in left) and not _numbers(" ".join(left)) else "neither"


def _is_cut_off(words: list[str]) -> bool:
    return words[-1] in _DANGLING and _WHOLE_END.search(" ".join(words)) is None


def _is_yes(line: str, proposal: Proposal | None, own: frozenset[str]) -> bool:
    allowed = set(_numbers(f"{proposal.subject} {proposal.read_back}")) if proposal else set()
    if any(number not in allowed for number in _numbers(line)):
        return False
    said = _in_grammar(line.split(), proposal, own)
    if said.count(" ") >= LONGEST_ANSWER:
        return False
    return _YES.fullmatch(said) is not None and _SAYS_YES.search(said) is not None


def _in_grammar(words: list[str], proposal: Proposal | None, own: frozenset[str]) -> str:
    """Numbers as NUM, the change's verbs as DO, what else is the proposal's as OWN; the rest as it is."""
    stems = tuple(stem.lower() for stem in proposal.effect_words if len(stem) > 2) if proposal else ()

    def kind(word: str) -> str:
        if _is_number(word):
            return "NUM"
        if stems and word.startswith(stems):
            return "DO"
        return "OWN" if word in own else word

    return " ".join(map(kind, words))


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", spoken_digits(text))


def _own_words(proposal: Proposal) -> frozenset[str]:
    """The words of the proposal itself, but for those that could turn a sentence."""
    said = words_of(" ".join((proposal.effect, *proposal.effect_words, proposal.read_back)))
    nouns = {f"{word}lation" for word in proposal.effect_words}
    return frozenset(said) - _COURTESY - _AGREE - _TURNS - _ASKS | nouns


def _is_number(word: str) -> bool:
    return word.isdigit() or word in _DIGITS or word in _TEENS or word in _TENS


def _is_chinese(text: str) -> bool:
    return chinese.CHINESE.search(text) is not None


def _classify_chinese(text: str, proposal: Proposal | None) -> Verdict:
    if proposal is None:
        return chinese.classify(text, (), frozenset())
    numbers = frozenset(_numbers(f"{proposal.subject} {proposal.read_back}"))
    return chinese.classify(text, proposal.effect_words, numbers)


# --- heard? -----------------------------------------------------------------------------------------------


def spoken_digits(text: str) -> str:
    """Write number words as digits and join neighbours: "order ten oh five" -> "order 1005"."""
    text = chinese.with_digits(text)
    out: list[str] = []
    joins = tens = double = False
    for word in re.findall(r"[a-z]+|\d+|[\u4e00-\u9fff]+", text.lower()):
        digits = _as_digits(word)
        if digits is None:
            double = word == "double"
            if not double:
                out.append(word)
                joins = False
            continue
        if joins and tens and word in _DIGITS and digits != "0":
            out[-1] = out[-1][:-1] + digits  # "twenty" "five"
        elif joins and len(digits) <= 2:
            out[-1] += digits * (2 if double else 1)
        else:
            out.append(digits * (2 if double else 1))
        joins, tens, double = True, word in _TENS, False
    return " ".join(out)


def _as_digits(word: str) -> str | None:
    if word[0].isdigit():
        return word
    if word in _DIGITS:
        return _DIGITS[word]
    if word in _TEENS:
        return str(_TEENS[word])
    return f"{_TENS[word]}0" if word in _TENS else None


def _digits_in(text: str) -> str:
    return "".join(re.findall(r"\d", text))


def read_back_heard(proposal: Proposal, heard: str) -> bool:
    """Was enough heard for a yes to count: what it is about, and what would happen or how much?

    Who heard amounts and not the right one has said yes to another change.
    """
    if not _subject_heard(proposal.subject, heard):
        return False
    if _another_amount(proposal.amount_cents, heard):
        return False
    stems = tuple(word.lower() for word in proposal.effect_words if word)
    return _names(stems, heard) or (
        proposal.amount_cents is not None and _amount_heard(proposal.amount_cents, heard)
    )


_DENIES = re.compile(r" (?:not|never|without|instead of) ")


def asks_for(proposal: Proposal, turn: str) -> bool:
    """Is it this proposal that the desk's last turn asks about, as far as it was heard?

    Either the turn names what it is about and what would happen, or it ends in a question of the latter.
    "Anything else?" asks for nothing of the kind, and "I will not cancel it" takes the offer back.
    """
    stems = tuple(stem.lower() for stem in proposal.effect_words if stem)
    said = [sentence for sentence in re.split(r"(?<=[.!?。！？])\s*", turn) if sentence.strip()]
    if not said or "else" in words_of(said[-1]) or chinese.asks_something_else(said[-1]):
        return False
    if _another_amount(proposal.amount_cents, turn):
        return False
    if any(_takes_back(sentence, stems) for sentence in said if sentence.strip() not in proposal.read_back):
        return False
    return read_back_heard(proposal, turn) or (said[-1].rstrip()[-1] in "?？" and _names(stems, said[-1]))


def _takes_back(sentence: str, stems: tuple[str, ...]) -> bool:
    if chinese.takes_back(sentence, stems):
        return True
    line = f" {' '.join(words_of(sentence))} "
    denied = _DENIES.search(line)
    return denied is not None and _names(stems, line[denied.end() :])


def _names(stems: tuple[str, ...], text: str) -> bool:
    """English words begin with a stem; Chinese ones stand anywhere in the text."""
    return any(stem in text for stem in stems if _is_chinese(stem)) or (
        bool(stems) and any(word.startswith(stems) for word in words_of(text))
    )


def _subject_heard(subject: str, heard: str) -> bool:
    if not subject:
        return True
    digits = _digits_in(subject)
    if digits and len(digits) >= len(subject) // 2:
        return any(digits in number for number in re.findall(r"\d+", spoken_digits(heard)))
    wanted = words_of(subject)
    said = set(words_of(heard))
    return all(word in said for word in wanted)


_AMOUNTS = re.compile(
    r"[$€£¥] ?(\d[\d,]*)|"
    r"(\d[\d,]*)(?:\.\d+)? ?(?:dollars?|euros?|pounds?|usd|eur|gbp|美元|美金|欧元|英镑|元|块)",
    re.IGNORECASE,
)


def _another_amount(cents: int | None, heard: str) -> bool:
    """Were amounts heard in digits, and none of them this one? One may be cut off before its cents."""
    if not cents:
        return False
    found = _AMOUNTS.findall(chinese.with_digits(heard))
    wholes = {int((sign or unit).replace(",", "")) for sign, unit in found}
    return bool(wholes) and cents // 100 not in wholes


def _amount_heard(cents: int, heard: str) -> bool:
    whole, part = divmod(cents, 100)
    text = heard.lower().replace(",", "")
    if _is_chinese(heard) and chinese.amount_heard(cents, heard):
        return True
    forms = [rf"\b{whole}\.{part:02d}\b"]
    if part:
        forms.append(rf"\b{whole} (?:dollars?|euros?|pounds?)(?: and)? {part}\b")
    else:
        forms.append(rf"\b{whole}(?:\.00)? ?(?:dollars?|euros?|pounds?|usd|eur|gbp)\b")
        forms.append(rf"[$€£]{whole}\b(?!\.)")
    return any(re.search(form, text) for form in forms)
