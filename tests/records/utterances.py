"""Writes the 1,000 utterances that redaction is measured by: `python -m tests.records.utterances`.

They were drawn once and are frozen in `utterances.jsonl`; a change here is a new file and a new figure. Each
line is a dialogue, `[[speaker, text], …]`; personal data stands in it as `⟦card:4242 …⟧`, a trap as
`⟦trap:1004⟧`.
Everything in it is made up: the cards are of no issuer's customers, drawn until Luhn's check holds.
"""

import json
import random
from pathlib import Path

FILE = Path(__file__).with_name("utterances.jsonl")
ONES = "zero one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
FILLERS = ("uh", "um", "er", "let me see", "and then", "okay", "wait")
MONTHS = "January February March April May June July August September October November December".split()
NAMES = ("anna", "li.wei", "j.smith", "maria_g", "tom-b", "r2d", "sofia.berg")
HOSTS = ("example.com", "mail.example.org", "example.co.uk", "post.example.net")
STREETS = ("Elm Street", "Oak Avenue", "Mill Road", "Park Lane", "Lake View Drive", "St. Mary's Court")
TOWNS = (("Salem", "OR"), ("Austin", "TX"), ("Portland", "ME"), ("Denver", "CO"))


class Writer:
    def __init__(self, seed=20261122):
        self.r = random.Random(seed)

    def digits(self, count):
        return "".join(self.r.choice("0123456789") for _ in range(count))

    def card_number(self):
        prefix, length = self.r.choice(
            [("4", 16)] * 4
            + [("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("36", 14)]
        )
        body = prefix + self.digits(length - len(prefix) - 1)
        total = 0
        for place, digit in enumerate(reversed(body)):
            value = int(digit) * (2 - place % 2)
            total += value - 9 if value > 9 else value
        return body + str(-total % 10)

    # --- ways to say digits ---

    def typed(self, number):
        way = self.r.randrange(4)
        if way == 0:
            return number
        sizes = [4, 6, 5] if len(number) == 15 else [4] * 4
        return (
            "- ."[way - 1].strip().join(self.groups(number, sizes))
            if way == 1
            else " ".join(self.groups(number, sizes))
        )

    def groups(self, number, sizes):
        groups = []
        for size in sizes:
            groups.append(number[:size])
            number = number[size:]
        return [group for group in [*groups, number] if group]

    def spoken(self, number, fillers=0.0):
        words, at = [], 0
        while at < len(number):
            repeat = len(number[at:]) - len(number[at:].lstrip(number[at]))
            pair = number[at : at + 2]
            if repeat >= 2 and self.r.random() < 0.4:
                times = min(repeat, self.r.choice((2, 3)))
                words.append(f"{['double', 'triple'][times - 2]} {ONES[int(number[at])]}")
                at += times
            elif len(pair) == 2 and pair[0] != "0" and self.r.random() < 0.25:
                words.append(self.pair(pair))
                at += 2
            else:
                words.append("oh" if number[at] == "0" and self.r.random() < 0.6 else ONES[int(number[at])])
                at += 1
            if at < len(number) and self.r.random() < fillers:
                words.append(self.r.choice(FILLERS))
        return " ".join(words)

    def pair(self, pair):
        if pair[0] == "1":
            return TEENS[int(pair[1])]
        return TENS[int(pair[0])] + (self.r.choice(" -") + ONES[int(pair[1])] if pair[1] != "0" else "")

    def say(self, number):
        """Typed, spoken, or spoken with fillers."""
        way = self.r.randrange(4)
        return self.typed(number) if way == 0 else self.spoken(number, (0, 0, 0.15, 0.3)[way])

    # --- utterances ---

    def card(self):
        number = self.card_number()
        opening = self.r.choice(
            ("my card number is {}", "it's {}", "{}", "you can charge {}", "sure, {} thanks",
             "the visa is {}", "I paid with {} I think", "credit card {}", "so that's {} okay")
        )  # fmt: skip
        way = self.r.random()
        if way < 0.3:
            cut = self.r.randrange(4, len(number) - 3)
            first, second = self.spoken(number[:cut]), self.spoken(number[cut:])
            if self.r.random() < 0.4:
                cut = self.r.choice((4, 8))
                first, second = number[:cut], " ".join(self.groups(number[cut:], [4] * 3))
            return [
                ["customer", opening.split("{}")[0] + mark("card", first)],
                ["desk", self.r.choice(("Go on.", "Yes?", "Please continue.", "Mhm."))],
                ["customer", mark("card", second)],
            ]
        text = opening.format(mark("card", self.say(number)))
        if way < 0.5:
            text += self.r.choice((" expires ", ", expiry ", " valid until ")) + self.expiry()
        if way < 0.4:
            text += self.r.choice((" security code ", ", cvv ", " and the code on the back is ")) + self.cvv()
        return [["customer", text]]

    def expiry(self):
        month, year = self.r.randrange(1, 13), self.r.randrange(26, 34)
        ways = (
            f"{month:02}/{year}", f"{month}/20{year}", f"{month:02} {year}",
            f"{MONTHS[month - 1]} 20{year}", f"{self.spoken(f'{month:02}')} {self.pair(str(year))}",
        )  # fmt: skip
        return mark("expiry", self.r.choice(ways))

    def cvv(self):
        number = self.digits(3)
        return mark("cvv", number if self.r.random() < 0.5 else " ".join(ONES[int(each)] for each in number))

    def code_alone(self):
        if self.r.random() < 0.5:
            return [["desk", "What is the security code of the card?"], ["customer", self.cvv()]]
        return [["customer", self.r.choice(("the cvv is ", "security code ", "cvc ")) + self.cvv()]]

    def expiry_alone(self):
        return [["customer", self.r.choice(("it expires ", "expiry date ", "valid until ")) + self.expiry()]]

    def iban(self):
        country, length = self.r.choice((("DE", 18), ("NL", 0), ("FR", 23), ("ES", 20), ("GB", 0)))
        bank = {"NL": "ABNA", "GB": "NWBK"}.get(country, "")
        body = bank + self.digits(length or {"NL": 10, "GB": 14}[country])
        rest = int("".join(str(int(each, 36)) for each in body + country + "00")) % 97
        number = f"{country}{98 - rest:02}{body}"
        way = self.r.randrange(3)
        if way == 2 and not bank:
            said = f"{country[0]} {country[1]} " + self.spoken(number[2:])
        else:
            said = number if way == 0 else " ".join(self.groups(number, [4] * 8))
        return [
            [
                "customer",
                self.r.choice(("my iban is {}", "{}", "send it to {} please")).format(mark("iban", said)),
            ]
        ]

    def email(self):
        name, host = self.r.choice(NAMES), self.r.choice(HOSTS)
        said = f"{name}@{host}"
        if self.r.random() < 0.5:
            for sign, word in ((".", "dot"), ("_", "underscore"), ("-", "dash"), ("@", "at")):
                said = said.replace(sign, f" {word} ")
        return [
            [
                "customer",
                self.r.choice(("write to {}", "my e-mail is {}", "it's {}", "{}")).format(
                    mark("email", said)
                ),
            ]
        ]

    def phone(self):
        area, rest = self.r.randrange(201, 989), self.digits(4)
        ways = (
            f"({area}) 555-{rest}", f"{area}-555-{rest}", f"+1 {area} 555 {rest}", f"{area}555{rest}",
            self.spoken(f"{area}555{rest}", 0.1), f"+44 20 7946 {rest}", f"+49 30 {self.digits(7)}",
        )  # fmt: skip
        opening = self.r.choice(
            ("call me at {}", "my number is {}", "you can reach me on {}", "{}", "my mobile is {}")
        )
        return [["customer", opening.format(mark("phone", self.r.choice(ways)))]]

    def address(self):
        town, state = self.r.choice(TOWNS)
        house, street, code = str(self.r.randrange(1, 999)), self.r.choice(STREETS), self.digits(5)
        said = f"{house} {street}, {town}, {state} {code}"
        if self.r.random() < 0.4:
            said = f"{self.spoken(house)} {street.lower()} {town.lower()} {self.spoken(code)}"
        opening = self.r.choice(
            ("I moved to {}", "send it to {}", "my address is {}", "ship it to {} from now on")
        )
        return [["customer", opening.format(mark("address", said))]]

    def birth(self):
        day, month, year = self.r.randrange(1, 29), self.r.randrange(12), self.r.randrange(1940, 2006)
        ways = (
            f"{MONTHS[month]} {day}, {year}", f"{day} {MONTHS[month]} {year}", f"{month + 1}/{day}/{year}",
            f"{day:02}.{month + 1:02}.{year}",
            f"the {day}th of {MONTHS[month]} nineteen {self.pair(str(self.r.randrange(40, 99)))}",
        )  # fmt: skip
        opening = self.r.choice(("I was born on {}", "my date of birth is {}", "my birthday is {}", "dob {}"))
        return [["customer", opening.format(mark("birth_date", self.r.choice(ways)))]]

    def trap(self):
        number = self.digits(self.r.choice((4, 4, 4, 5, 7, 8, 10, 10, 12)))
        kind = self.r.choice(
            ("order", "order", "order", "order", "track", "phone-like", "two orders", "asked")
        )
        if kind == "track":
            number = self.r.choice(("1Z", "SM", "")) + self.digits(self.r.choice((10, 12, 18, 22)))
            return [["customer", f"the tracking number says {mark('trap', number)}"]]
        if kind == "phone-like":
            number = f"555{self.digits(7)}"
            opening = self.r.choice(
                ("order {}", "my ticket is {}", "receipt {}", "the parcel {}", "reference {}")
            )
            return [["customer", opening.format(mark("trap", self.r.choice((number, self.spoken(number)))))]]
        if kind == "two orders":
            other = self.digits(4)
            return [["customer", f"orders {mark('trap', number[:4])} and {mark('trap', other)} please"]]
        said = number if self.r.random() < 0.5 else self.spoken(number, 0.1)
        if kind == "asked":
            return [["desk", "What is the order number?"], ["customer", mark("trap", said)]]
        opening = self.r.choice(
            ("where is my order {}", "cancel order {}", "order number {}", "I want to return order {}",
             "it's about order {} from last week")
        )  # fmt: skip
        return [["customer", opening.format(mark("trap", said))]]

    def plain(self):
        text = self.r.choice(
            (f"the refund was {mark('trap', str(self.r.randrange(5, 400)))} dollars",
             f"call me tomorrow at {mark('trap', str(self.r.randrange(1, 12)))} pm",
             f"it arrives on {MONTHS[self.r.randrange(12)]} {mark('trap', str(self.r.randrange(1, 28)))}",
             f"I take {mark('trap', str(self.r.randrange(2, 9)))} of the "
             f"{self.r.choice(('lamps', 'mugs', 'belts'))}",
             f"the card ending in {mark('trap', self.digits(4))}",
             f"size {mark('trap', str(self.r.randrange(30, 46)))} in black, and it takes "
             f"{mark('trap', 'two to three')} days")
        )  # fmt: skip
        return [["customer", text]]

    def all(self):
        amounts = (
            (self.card, 400), (self.code_alone, 30), (self.expiry_alone, 30), (self.iban, 40),
            (self.email, 60), (self.phone, 70), (self.address, 50), (self.birth, 40), (self.trap, 230),
            (self.plain, 50),
        )  # fmt: skip
        lines = [make() for make, count in amounts for _ in range(count)]
        self.r.shuffle(lines)
        return lines


def mark(kind, text):
    return f"⟦{kind}:{text}⟧"


if __name__ == "__main__":
    FILE.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in Writer().all()))
