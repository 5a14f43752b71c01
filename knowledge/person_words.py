"""The words of `knowledge.person`: people, ages, pregnancy and long illnesses, over folded text.

Folding took the hooks, apostrophes and capitals away, and writes c for ch and k for q. Knows only
phrases; what they amount to is decided in `knowledge.person`.
"""

import re


def _words(*parts: str) -> re.Pattern[str]:
    """Whole words only, spelt as folding leaves them."""
    spelt = "|".join(parts).replace("ch", "c").replace("q", "k")
    return re.compile(rf"(?<!\w)(?:{spelt})(?!\w)")


#: How each person is called in the prompt: as neutral as what was said.
LABELS = {
    "self": "mai tambaya",
    "infant": "jariri",
    "girl infant": "jaririya",
    "boy": "yaro",
    "girl": "yarinya",
    "child": "yaro ko yarinya",
    "children": "yara",
    "wife": "matar mai tambaya",
    "husband": "mijin mai tambaya",
    "mother": "mahaifiyar mai tambaya",
    "father": "mahaifin mai tambaya",
    "grandparent": "kakan mai tambaya",
    "sibling": "ɗan uwa ko 'yar uwar mai tambaya",
    "neighbour": "makwabcin mai tambaya",
    "friend": "abokin mai tambaya",
}
_KIN = {
    "wife": ("matata", "mata ta(?= (?:tana|ta|mai|da)\\b)", "uwargidata", "amaryata", "my wife"),
    "husband": ("mijina", "miji na", "maigidana", "mai gidana", "my husband"),
    "mother": (
        *("mahaifiyata", "uwata", "ummata", "ummana", "gyatumata", "hajiyata", "tsohuwata"),
        "my (?:mother|mum|mom|mummy)",
    ),
    "father": ("mahaifina", "babana", "ubana", "abbana", "tsohona", "my (?:father|dad|daddy)"),
    "grandparent": ("kakata", "kakana", "my grand(?:mother|father|ma|pa)"),
    "sibling": (
        *("kanina", "kanena", "kanwata", "kanuwata", "yayata", "wana", "dan uwana", "yar uwata"),
        "my (?:elder |younger |big |little )?(?:brother|sister)",
    ),
    "neighbour": ("mak(?:w|)ab(?!taka)\\w*", "mak(?:w|)o[bf]t?\\w*", "my neighbo\\w*"),
    "friend": ("abokina", "abokiyata", "kawata", "my friend"),
}
WHO = {
    "infant": _words(
        "jariri(?:n|na|nmu|nta|nsa)?", "jinjiri\\w*", "bebi", "(?:my |the )?baby(?: boy)?"
    ),
    "girl infant": _words("jaririya(?:r|ta|rta|rsa)?", "(?:my |the )?baby girl"),
    "boy": _words("yaro(?:n|na|nmu|nsa|nta)?", "dana", "my (?:\\d+\\W\\w+\\W\\w+ )?(?:son|boy)"),
    "girl": _words(
        "yarinya(?:r|ta)?", "diya(?:ta|r)", "yata", "my (?:\\d+\\W\\w+\\W\\w+ )?(?:daughter|girl)"
    ),
    "child": _words("my (?:\\d+\\W\\w+\\W\\w+ )?(?:child|kid)"),
    "children": _words("yara", "yaran", "yarana", "my (?:children|kids|sons|daughters)"),
    **{name: _words(*words) for name, words in _KIN.items()},
}
_SOMEBODY = "|".join(word for words in _KIN.values() for word in words)
#: "Yaron makwabcina": the child, not the neighbour. "Dan uwana" is a brother.
OF_SOMEBODY = re.compile(
    r"(?<!\w)(yaron|yarinyar|diyar|jaririn|jaririyar|dan|yar|matar|mijin|kanin|kanwar|abokin)"
    rf" (?:{_SOMEBODY})(?!\w)"
)
#: "Kakata ta ce": who gives advice is not who is ill. "Tun ina yaro": nobody is a child now.
ASIDE = re.compile(
    rf"(?<!\w)(?:{_SOMEBODY}) (?:(?:ta|ya|na|sun) ce|tace|yace|says?|said)(?!\w)"
    r"|(?<!\w)ina (?:yaro|yarinya|karami)(?!\w)"
)
#: "Jaririnta": two people, and whose are the words around it?
THEIRS = _words(
    "(?:jariri|yaro|yarinya|jaririya|diya)[nr](?:ta|sa|su)", "(?:her|his) (?:child|baby|son)"
)
#: The writer has a part in it beside who is named: "mijina ya sa min cuta", "mijina yana duka".
INVOLVED = _words(
    *("min", "mini", "mani", "ni", "duka", "duka[nr]\\w*", "dok[ae]\\w*", "fyade", "zarafi"),
    *("hits?", "beats?", "me"),
)
#: Age groups by the word alone, where no number is given.
GROUPS = {
    "newborn": _words(
        *("sabon jariri\\w*", "sabuwar jaririya", "sabon haihuwa", "newborn", "new born"),
        "(?:aka|an) haif\\w* (?:\\w+ )?(?:yau|jiya|yanzu|dazu)",
    ),
    "infant": _words("jariri\\w*", "jinjiri\\w*", "bebi", "baby", "infant"),
    "child": _words("yaro\\w*", "yarinya\\w*", "yara\\w{0,3}", "child\\w*", "kids?"),
    "old": _words(
        *("tsoho", "tsohuwa", "tsohona", "tsohuwata", "tsofaffi", "dattij\\w+"),
        *(
            "elderly",
            "old (?:man|woman|people)",
            "kaka(?:ta|na|r|nsa|nta)?",
            "grandmother",
            "grandfather",
        ),
    ),
}

_ILL = (
    "ciwo\\w*|zazza\\w*|zazabi\\w*|tari|mura|amai|gudawa|zawo|kuraje|kumburi|jiri|zafi\\w*|kaikayi|"
    "hawan|asma|asthma|hiv|kanjamau|cutar|sikila\\w*|amosani\\w*|matsala\\w*|rashin|cikin?|juna"
)
_MY = "kaina|cikina|kirjina|bayana|hakorina|idona|idanuna|kunnena|makogwarona|kafata|jikina|marata"
_HURTS = "(?:ciwo|zafi|kaikayi|kumbur\\w+|jiri)"
_NO_ILL = "question|child|son|daughter|baby|wife|husband|friend"
#: The writer is ill: "ina da tambaya", "ina asibiti yake" and "ina da yaro" are not that.
SELF = _words(
    f"(?:ina|nake|na ke) (?:da|jin|fama da|yawan|ta) (?:{_ILL})",
    "(?:ina|nake|na ke) (?:fama|shayarwa|amai|tari|zazzabi|gudawa|shayar)",
    "(?:ina|nake) da shekar\\w+ \\w+",
    "shekaruna",
    "na kamu da",
    f"(?:{_MY}) (?:(?:yana|na|tana|suna|ya|ta) )?(?:min |mini )?{_HURTS}",
    f"ni (?:mai|ma i) (?:{_ILL})",
    f"i have (?!an? (?:{_NO_ILL})|questions?|kids|children)\\w+",
    "(?:i am|im) (?:\\d+|pregnant|breastfeeding|diabetic|hypertensive|asthmatic|sick|ill|feeling)",
    "i (?:feel|suffer|vomit\\w*)",
    "my (?:head|stomach|chest|back|leg|tooth|throat|eye|ear|body) (?:hurts?|aches?|is paining)",
)

NUMBERS = {
    **{"daya": 1, "biyu": 2, "uku": 3, "hudu": 4, "biyar": 5, "shida": 6, "bakwai": 7},
    **{"takwas": 8, "tara": 9, "ashirin": 20, "talatin": 30, "arbain": 40, "hamsin": 50},
    **{"sittin": 60, "sabain": 70, "tamanin": 80, "casain": 90, "tisain": 90},
}
_ONES = "daya|biyu|uku|hudu|biyar|shida|bakwai|takwas|tara"
_TENS = "ashirin|talatin|arbain|hamsin|sittin|sabain|tamanin|casain|tisain"
_N = rf"(?P<n>\d{{1,3}}|(?:goma )?sha (?:{_ONES})|(?:{_TENS})(?: da (?:{_ONES}))?|goma|{_ONES})"
#: The first four letters of a unit, in both languages.
UNITS = {
    **{"shek": "shekara", "year": "shekara", "yrs": "shekara", "yr": "shekara", "yo": "shekara"},
    **{"wata": "wata", "mont": "wata", "mths": "wata", "sati": "sati", "mako": "sati"},
    **{"makw": "sati", "week": "sati", "wks": "sati", "kwan": "kwana", "days": "kwana"},
    "day": "kwana",
}
_YEARS = "shekar[au]\\w{0,2}"
_UNIT = rf"(?P<unit>{_YEARS}|wata(?:nni)?|sati|mako(?:nni)?|makwanni|kwana(?:ki)?)"
_ENGLISH = "(?P<unit>years?|yrs?|months?|mths|weeks?|wks|days?)"
_ABOUT = "(?:kimanin |kusan |wajen )?"
_HAVE = "(?:yana|tana|ina|suna|yake|take|nake)"
#: "Kwana uku yana tari" and "ina da shekara biyu da aure" are lengths of time, no ages. Days and
#: months that somebody "has" count for an infant alone, and only where nothing follows them.
AGES = {
    "of": re.compile(
        rf"(?<!\bina )(?<!\btun )(?<!\w)(?:dan|yar|yan|mai|masu) {_ABOUT}{_UNIT} {_ABOUT}{_N}(?!\w)"
    ),
    "their": re.compile(
        r"(?<!\w)(?P<unit>shekar(?:u|un|ar)|watan(?:nin)?|satin|kwan(?:aki|a)n)(?:sa|shi|ta|na|su) "
        rf"(?:ne |sun kai |ya kai |yanzu )?{_ABOUT}{_N}(?!\w)"
    ),
    "has": re.compile(
        rf"(?<!\w){_HAVE} da (?P<unit>{_YEARS}) {_ABOUT}{_N}(?!\w)(?! da (?!rabi)| (?:babu|ba)\b)"
    ),
    "has small": re.compile(rf"(?<!\w){_HAVE} da {_UNIT} {_N}(?=\s*(?:$|[.,;?!]))"),
    "old": re.compile(rf"(?<!\w)(?P<n>\d{{1,3}})[ -]?{_ENGLISH}[ -](?:old|of age)(?!\w)"),
    "is": re.compile(
        rf"(?<!\w)(?:is|am|im|aged) (?P<n>\d{{1,3}}) ?{_ENGLISH}(?=\s*(?:$|[.,;?!]|old))"
    ),
    "short": re.compile(r"(?<!\w)(?P<n>\d{1,3}) ?(?P<unit>yo)(?!\w)"),
}

#: Right before "mai ciki".
_ANIMALS = "kyanwa|mage|akuya|saniya|tunkiya|karya|cats?|dogs?|goats?|cows?"
#: Right before a thing: it is denied, or said of an animal.
DENIED = re.compile(
    r"(?<!\w)(?:ba|ban|bai|bata|babu|not|no|never|isnt|dont|doesnt|without|daina|hana|banda"
    rf"|{_ANIMALS}) ?(?:\w+ )?$"
)
#: Somewhere before a thing in its clause: nobody says that it is so.
DOUBT = re.compile(
    r"(?<!\w)(?:ko|idan|in|shin|kila|watakila|zan san|gane|sani|tsoron?|"
    r"zargin?|tsammanin?|zaton?|lokacin da|"
    r"if|whether|maybe|might|am i|is she|does|know|think|afraid)(?!\w)"
)
_LACKS = "(?P<no>ba ?(?:ni|na|ta|shi|ya|mu|su) da)"
HAS = (
    "(?:ina|tana|yana|suna|nake|take|yake|na ke|ta ke|ya ke|suke) (?:ta )?(?:fama )?da"
    "|(?:na|ta|ya|sun|an) (?:kamu|harbu) da|dauke da|masu|mai"
)
_WITH = "have|has|had|with|from|am|is|im|shes|hes|am an?|is an?"
_PREGNANCY = "ciki(?:n wat\\w+)?|juna ?-?biyu"
PREGNANT = re.compile(
    rf"(?<!\w)(?:(?:(?:{HAS})|{_LACKS}) (?:karamin |babban )?(?:{_PREGNANCY})(?! \w*ciwo| mai ciwo)"
    r"|(?:am|is|im|shes|my) (?:\w+ (?:weeks?|months?) )?pregnant|(?P<not>not|isnt|arent) pregnant"
    r"|pregnant (?:wife|woman|women))(?!\w)"
)
BREASTFEEDING = re.compile(
    r"(?<!\w)(?:(?:ina|tana|nake|take|mai|masu|suna) (?:shayarwa|shayar da)"
    r"|(?P<no>ba ?(?:na|ta|ni) shayar(?:wa| da)|(?:na|ta) daina shayarwa)"
    r"|(?:am|im|is|shes) (?:still )?(?:breastfeeding|breast feeding|nursing))(?!\w)"
)
_DISEASE = "(?:(?:kwayar )?(?:ciwon|cutar|kwayar cutar) )"


def _illness(name: str) -> re.Pattern[str]:
    """Had, or not had; in a list too: "ina da hawan jini da ciwon sukari"."""
    listed = rf"(?:(?:{_ANY}) (?:da|kuma|and) )*"
    return re.compile(rf"(?<!\w)(?:(?:{HAS}|{_WITH})|{_LACKS}) {listed}(?:{name})(?!\w)")


_NAMES = {
    "ciwon sukari": "(?:ciwon|cutar) (?:sukari|suga|sugar|siga)|diabetes|diabetic",
    "hawan jini": "hawan jini|high blood pressure|high bp|hypertension|hypertensive",
    "HIV": f"{_DISEASE}?(?:hiv|kanjamau|kanjamo|aids)",
    "asma": f"{_DISEASE}?(?:asma|azma|asthma|asthmatic)",
    "sikila": f"{_DISEASE}?(?:sikila|sikla|amosanin jini|sickler|sickle cell(?: disease)?)",
}
_ANY = "|".join(_NAMES.values())
ILLNESSES = {name: _illness(words) for name, words in _NAMES.items()}
#: A question that names nobody goes on about the one before with such words.
FOLLOWS = {
    "self": _words("ina", "ni", "na", "nake", "zan", "min", "mini", "bani", "ban", "i", "my", "me"),
    "other": _words(
        *(
            "shi",
            "sa",
            "ya",
            "ta",
            "ita",
            "yana",
            "tana",
            "yake",
            "take",
            "masa",
            "mata",
            "zai",
            "za ta",
        ),
        *(
            "bai",
            "bata",
            "nasa",
            "nata",
            "su",
            "suna",
            "musu",
            "he",
            "she",
            "him",
            "her",
            "his",
            "it",
        ),
        *("\\w{3,}nsa", "\\w{3,}nta", "\\w{3,}rsa", "\\w{3,}rta"),
    ),
}
