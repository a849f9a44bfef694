"""Reading French, German, Spanish, Italian, Portuguese and Dutch: what a reply claims as done. PURE.

The rules are those of `claims`, in small: a change in the perfect or the passive ("j'ai annulé", "wurde
storniert", "ha sido cancelado"), with nothing in its clause that denies it, asks it or makes it the future.
Accents are gone by the time that it is read.
"""

import re
from collections.abc import Iterator

_VERBS = {
    "fr": {
        "cancel": "annulee?s?",
        "return": "retournee?s?",
        "exchange": "echangee?s?|remplacee?s?",
        "refund": "remboursee?s?",
        "update": "modifiee?s?|changee?s?|mise?s? a jour|enregistree?s?",
        "book": "reservee?s?|planifiee?s?|programmee?s?",
        "ticket": "ouvert un ticket|cree un ticket",
        "transfer": "transferee?s?|mise? en relation",
    },
    "de": {
        "cancel": "storniert|abgebrochen",
        "return": "zuruckgenommen|retourniert",
        "exchange": "umgetauscht|ausgetauscht",
        "refund": "(?:zuruck)?erstattet|gutgeschrieben",
        "update": "geandert|aktualisiert|gespeichert|hinterlegt",
        "book": "gebucht|vereinbart|eingetragen",
        "ticket": "ticket (?:fur sie )?(?:eroffnet|angelegt|erstellt)",
        "transfer": "weitergeleitet|verbunden|durchgestellt",
    },
    "es": {
        "cancel": "(?:cancelad|anulad)[oa]s?",
        "return": "devuelt[oa]s?",
        "exchange": "cambiad[oa]s?|reemplazad[oa]s?",
        "refund": "reembolsad[oa]s?|abonad[oa]s?",
        "update": "(?:modificad|actualizad|guardad)[oa]s?",
        "book": "(?:reservad|programad|agendad)[oa]s?",
        "transfer": "transferid[oa]s?",
    },
    "it": {
        "cancel": "(?:annullat|cancellat)[oaie]",
        "exchange": "(?:cambiat|sostituit)[oaie]",
        "refund": "rimborsat[oaie]",
        "update": "(?:modificat|aggiornat|salvat)[oaie]",
        "book": "(?:prenotat|fissat|programmat)[oaie]",
        "transfer": "trasferit[oaie]",
    },
    "pt": {
        "cancel": "cancelad[oa]s?|cancelei",
        "exchange": "trocad[oa]s?|troquei",
        "refund": "reembolsad[oa]s?|reembolsei|estornad[oa]s?|estornei",
        "update": "(?:alterad|atualizad)[oa]s?|alterei|atualizei",
        "book": "agendad[oa]s?|agendei|marcad[oa]s?|marquei",
        "transfer": "transferid[oa]s?|transferi",
    },
    "nl": {
        "cancel": "geannuleerd",
        "return": "geretourneerd",
        "exchange": "omgeruild",
        "refund": "terugbetaald",
        "update": "gewijzigd|aangepast|bijgewerkt",
        "book": "geboekt|ingepland",
        "transfer": "doorverbonden",
    },
}
_NEAR = r"[^,;:.]{0,60}?\b"
_AGENTS = {
    "fr": r"\b(?:j'ai|je viens d'|nous avons|on a) (?:\w+ ){0,3}?",
    "de": rf"\b(?:(?:ich|wir) haben?|haben? (?:ich|wir)) {_NEAR}",
    "es": r"\b(?:he|hemos) (?:ya )?(?:\w+mente )?",
    "it": r"\b(?:ho|abbiamo) (?:gia |appena |\w+mente )*",
    "pt": r"(?=\b(?:cancelei|troquei|reembolsei|estornei|alterei|atualizei|agendei|marquei|transferi)\b)",
    "nl": rf"\b(?:(?:ik|we|wij) (?:heb|hebben)|(?:heb|hebben) (?:ik|we|wij)) {_NEAR}",
}
_PASSIVES = {
    "fr": r"\b(?:a|ont|est|sont) (?:bien |deja |maintenant |desormais |ete )*",
    "de": rf"\b(?:wurden?|ist|sind) {_NEAR}",
    "es": r"\b(?:(?:ha|han) (?:ya )?(?:sido )?|esta |estan |fue |fueron |queda |quedo )(?:ya |ahora )?",
    "it": r"\b(?:e|sono|risulta) (?:gia |ora |adesso |stat[oaie] )+|\b(?:ordine|rimborso|indirizzo) e ",
    "pt": r"\b(?:foi|foram|esta|estao) (?:ja |agora |sido )*",
    "nl": rf"\b(?:is|zijn|werd|werden) {_NEAR}",
}
_OPEN = re.compile(
    r"\b(?:ne|n'\w+|pas|jamais|rien|peux|pouvons|pourrais|peut|voulez|souhaitez|si|vais|allons|sera|seront|quand|"
    r"nicht|nie|kein\w*|kann|konnen|konnte|wird|werden|wurde ich|soll|mochten|wenn|falls|sobald|noch nie|"
    r"no|nunca|puedo|podemos|puede|quiere|cuando|sera|seran|voy|vamos|"
    r"non|mai|posso|possiamo|puo|vuole|quando|sara|saranno|"
    r"nao|podemos|pode|deseja|vou|sera|"
    r"niet|geen|kan|kunnen|zal|wilt|als|zodra)\b"
)
_PATTERNS = tuple(
    (kind, own, re.compile(rf"(?:{lead})(?:{words})\b"))
    for language, verbs in _VERBS.items()
    for kind, words in verbs.items()
    for own, lead in ((True, _AGENTS[language]), (False, _PASSIVES[language]))
)
MAYBE = re.compile(
    "annul|retourn|echang|rempla|rembours|modifi|change|mise|enregistr|reserv|planif|program|ticket|transfer|relation|"
    "storniert|abgebroch|genommen|getauscht|erstattet|gutgeschr|geandert|aktualis|gespeich|hinterlegt|gebucht|"
    "vereinbart|eingetrag|geleitet|verbunden|gestellt|cancel|anulad|devuelt|cambiad|reembols|abonad|actualiz|guardad|"
    "agend|cambiat|sostitu|rimbors|aggiorn|salvat|prenotat|fissat|trasfer|trocad|troquei|estorn|alter|atualiz|marcad|"
    "marquei|geannul|omgeruild|terugbetaald|gewijzigd|aangepast|bijgewerkt|geboekt|ingepland"
)
"""A cheap look before the careful one, at a text without accents."""
_ORDERS = re.compile(
    r"\b(?:deux|dos|due|dois|zwei|twee|toutes|beiden?|alle|ambos|todos|entrambi|tutti|autre|andere|otro|altro|outro)"
    r" (?:\w+ )?(?:commandes?|bestellung(?:en)?|pedidos?|ordini|ordine|bestelling(?:en)?)\b"
)
_EVERYTHING = re.compile(r"\b(?:tout|toutes|alles|beides?|todo|tutto|tudo|ambos|entrambi|allebei)\b")


def several(kind: str, clause: str) -> bool:
    """Does it speak of more than one order?"""
    return _ORDERS.search(clause) is not None or (kind == "cancel" and _EVERYTHING.search(clause) is not None)


_DEPENDS = re.compile(r"\W*(?:si|wenn|falls|sobald|als|zodra|cuando|quand|quando|se (?!han?\b)|des que)\b")
"""A sentence that begins so says what would be."""
_IN_GENERAL = re.compile(r"\W*(?:une|eine?|una?|uma|een) ")
"""A clause that begins so tells of no order of the customer's."""


def claims_in(sentence: str) -> Iterator[tuple[str, bool, str]]:
    """(kind, does it say that we did it, the clause) of each change that a sentence reports as made."""
    text = sentence.lower().replace("’", "'")
    if MAYBE.search(text) is None or text.rstrip().endswith("?"):
        return
    depends = _DEPENDS.match(text) is not None
    for clause in re.split(
        r"[,;:.!]| (?:und|et|y|e|en) (?=(?:ich|wir|je|j'|nous|ho|he|hemos|ik|we)\b)", text
    ):
        for kind, own, pattern in _PATTERNS:
            if not own and (depends or _IN_GENERAL.match(clause)):
                continue
            match = pattern.search(clause)
            if match and not _OPEN.search(clause[: match.end()]):
                yield kind, own, clause
