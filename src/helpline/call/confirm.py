"""Did the customer say yes, and to something they had heard? PURE, and below the model.

The classifier answers yes only when *every* word is one of agreement, of courtesy, or of the proposal itself:
one word too many ("yes, but…", "yeah no", "yes, how much?", another order's number) and it is neither, so the
model talks on and nothing happens. A false no costs a sentence; a false yes costs an order.
"""

import re
from typing import Literal

from helpline.actions import Proposal

Verdict = Literal["yes", "no", "neither"]

_AGREE = frozenset(
    "yes yeah yep yup ya yea aye sure ok okay alright absolutely definitely certainly correct right exactly "
    "confirm confirmed affirmative agreed indeed proceed".split()
)
_AGREE_PHRASES = (
    "go ahead",
    "do it",
    "please do",
    "of course",
    "sounds good",
    "that is right",
    "that is correct",
    "that is fine",
    "that works",
    "i do",
    "i confirm",
    "i agree",
    "by all means",
    "go for it",
)
_COURTESY = frozenset(
    "please thanks thank you it that this the my order number is i for me now do go ahead and of course want "
    "would like to am very much so and a with just".split()
)
_REFUSE = frozenset("no nope nah nay never negative dont".split())
_REFUSE_PHRASES = (
    "do not",
    "never mind",
    "nevermind",
    "leave it",
    "keep it",
    "forget it",
    "forget about it",
    "i changed my mind",
    "i have changed my mind",
    "rather not",
    "not now",
)
_ASKS = frozenset("how what which when why who where whose whom".split())
_TURNS = frozenset(
    "but if unless except maybe perhaps possibly wait hold hang actually instead other another different hmm "
    "sorry pardon repeat again until later first before".split()
)
_CONTRACTIONS = {
    "that's": "that is",
    "thats": "that is",
    "it's": "it is",
    "i'm": "i am",
    "i'd": "i would",
    "i've": "i have",
    "don't": "do not",
    "dont": "do not",
    "doesn't": "do not",
    "won't": "do not",
    "can't": "do not",
    "okey": "okay",
    "o.k.": "ok",
    "yes's": "yes",
}
_CHINESE_YES = frozenset(
    "是 是的 好 好的 对 对的 确认 确定 可以 没问题 行 同意 嗯好的 好的谢谢 是的谢谢 请继续".split()
)
_CHINESE_NO = frozenset("不 不是 不要 不用 不用了 不行 取消吧不要了 算了 别 不可以 不同意 不对".split())
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
    return all(word in _BACKCHANNELS for word in re.findall(r"\w+", text.lower().replace("-", "")))


def classify(text: str, proposal: Proposal | None = None) -> Verdict:
    """Read an utterance as the answer to a proposal."""
    if _is_chinese(text):
        return _classify_chinese(text)
    words = words_of(text)
    if not words or "?" in text or "？" in text:
        return "neither"
    line = f" {' '.join(words)} "
    agrees = any(word in _AGREE for word in words) or any(f" {p} " in line for p in _AGREE_PHRASES)
    refuses = any(word in _REFUSE for word in words) or any(f" {p} " in line for p in _REFUSE_PHRASES)
    if _ASKS & set(words):
        return "neither"
    if refuses:
        return "neither" if agrees else "no"
    if not agrees or _TURNS & set(words) or "not" in words:
        return "neither"
    return "yes" if _only_agreement(words, proposal) else "neither"


def _only_agreement(words: list[str], proposal: Proposal | None) -> bool:
    own = _own_words(proposal) if proposal else frozenset()
    numbers = spoken_digits(" ".join(words))
    subject = _digits_in(proposal.subject) if proposal else ""
    if any(number != subject for number in re.findall(r"\d+", numbers)):
        return False
    phrase_words = {word for phrase in _AGREE_PHRASES for word in phrase.split()}
    return all(
        word in _AGREE or word in _COURTESY or word in phrase_words or word in own or _is_number(word)
        for word in words
    )


def _own_words(proposal: Proposal) -> frozenset[str]:
    return frozenset(words_of(" ".join((proposal.effect, *proposal.effect_words))))


def _is_number(word: str) -> bool:
    return word.isdigit() or word in _DIGITS or word in _TEENS or word in _TENS


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def _classify_chinese(text: str) -> Verdict:
    if "？" in text or "?" in text or "吗" in text:
        return "neither"
    said = "".join(re.findall(r"[\u4e00-\u9fff]+", text))
    if said in _CHINESE_YES:
        return "yes"
    return "no" if said in _CHINESE_NO or said.startswith(("不要", "不用", "取消不")) else "neither"


# --- heard? -----------------------------------------------------------------------------------------------


def spoken_digits(text: str) -> str:
    """Write number words as digits and join neighbours: "order ten oh five" -> "order 1005"."""
    out: list[str] = []
    joins = tens = double = False
    for word in re.findall(r"[a-z]+|\d+", text.lower()):
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
    """Was enough heard for a yes to count: what it is about, and what would happen or how much?"""
    if not _subject_heard(proposal.subject, heard):
        return False
    words = words_of(heard)
    stems = [word.lower() for word in proposal.effect_words]
    named = any(said.startswith(stem) for stem in stems for said in words if stem)
    return named or (proposal.amount_cents is not None and _amount_heard(proposal.amount_cents, heard))


def _subject_heard(subject: str, heard: str) -> bool:
    if not subject:
        return True
    digits = _digits_in(subject)
    if digits and len(digits) >= len(subject) // 2:
        return any(digits in number for number in re.findall(r"\d+", spoken_digits(heard)))
    wanted = words_of(subject)
    said = set(words_of(heard))
    return all(word in said for word in wanted)


def _amount_heard(cents: int, heard: str) -> bool:
    whole, part = divmod(cents, 100)
    text = heard.lower().replace(",", "")
    forms = [rf"\b{whole}\.{part:02d}\b"]
    if part:
        forms.append(rf"\b{whole} (?:dollars?|euros?|pounds?)(?: and)? {part}\b")
    else:
        forms.append(rf"\b{whole}(?:\.00)? ?(?:dollars?|euros?|pounds?|usd|eur|gbp)\b")
        forms.append(rf"[$€£]{whole}\b(?!\.)")
    return any(re.search(form, text) for form in forms)
