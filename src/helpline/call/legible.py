"""Text as it is heard and read, whatever it is written with. PURE.

Marks, look-alike letters, hidden characters, letters set apart and the other Chinese script change nothing of
what the customer understands, and so nothing of what is looked for in it.
"""

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    "авеѕіјкмнорстухԁԛԝɡɑɩոսοαεικνρτυχАВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ‘’ʼ",
    "abesijkmhopctyxdqwgainuoaeikvptuxABESIJKMHOPCTYXABEZHIKMNOPTYX'''",
)
"""Cyrillic, Greek, Armenian and phonetic letters that look like Latin ones, and apostrophes."""
_SIMPLIFIED = str.maketrans(
    "訂單經為為幫給處辦換貨還聯號約電話無開轉後將嗎沒請認這個對補發銷廢變麼與來兩從資訊郵碼顏規額錢項訴應",
    "订单经为为帮给处办换货还联号约电话无开转后将吗没请认这个对补发销废变么与来两从资讯邮码颜规额钱项诉应",
)
_HAN = "[\u4e00-\u9fff]"
_STRUCK = re.compile(r"~~[^~]*~~|<(?:s|del|strike)>[^<]*</(?:s|del|strike)>")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")
_MARKS = re.compile(r"(?<=\w)[*_~]+(?=\w)")
"""Inside a word: `**can**celled`. Elsewhere they part words as blanks do."""
_TICKS = re.compile(r"(?<=[A-Za-z])[`´](?=[A-Za-z])")
_APART = re.compile(r"(?<![A-Za-z0-9'])[A-Za-z](?:([ .·-])[A-Za-z](?:\1[A-Za-z])+)(?![A-Za-z0-9'])")
"""Letters set apart, at least three: c-a-n, c a n."""
_HAN_APART = re.compile(rf"(?<={_HAN})[ \t]+(?={_HAN})")
ODD = re.compile(rf"[^\x00-\x7f’“”…–—]|[*_~<`]|{_APART.pattern}")
"""Whether there is anything to do."""


def legible(text: str) -> str:
    """The same words in plain letters; a sentence that is plain already comes back as it is."""
    if ODD.search(text) is None:
        return text
    text = unicodedata.normalize("NFKD", _TICKS.sub("'", _STRUCK.sub(" ", text)))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn"))
    text = text.translate(_LOOKALIKES).translate(_SIMPLIFIED)
    text = _MARKS.sub("", _TAGS.sub("", text))
    return _HAN_APART.sub("", _APART.sub(_joined, text))


def _joined(found: re.Match[str]) -> str:
    letters, between = found.group(), found.group(1)
    # "I c a n …": the first is a word of its own.
    first = "I " if between == " " and letters.startswith("I ") else ""
    return first + letters.removeprefix(first).replace(between, "")
