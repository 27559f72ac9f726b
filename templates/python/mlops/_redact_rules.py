"""The shapes that secrets have in text and source: the patterns of src/core/redact-rules.ts, which a test compares, letter
by letter. Each is linear in the length of the text. They are compiled when they are first needed.
"""
import re

_FILLED = r"(?:[{$<…]|%[sd(]|\[redacted\])"
_NAME = r"([A-Za-z_][\w.-]{0,99})"
_NEXT_LINE = r'(?:\\?\r?\n[+-]?[ \t]*|\\n",?[ \t]*\r?\n[+-]?[ \t]*"[ \t]*)'
_LITERAL = (
    "[rRbBuUfF]{0,2}" + r'''(?:"""[\s\S]{3,8000}?"""|''' + r"""'''[\s\S]{3,8000}?'''"""
    + r'''|\\"(?:\\\\\\.|\\\\[^\\\n]|\\[^"\\\n]|[^"\\\n]){3,}\\"'''
    + r'''|"(?:\\.|[^"\\\n]){3,}"|'(?:\\.|[^'\\\n]){3,}')'''
)
_TYPE = r"[\w.]{1,60}(?:\[[\w., |\[\]]{0,60}\])?(?:[ \t]*\|[ \t]*[\w.]{1,60}){0,4}"
_ASSIGNED = (
    r"(?<![\w.-])-{0,2}" + _NAME + r"""\\{0,3}["']?\]?[?!]?(?:[ \t]*:[ \t]*""" + _TYPE
    + r"(?=[ \t]*=))?[ \t]*(?::=|=>|<-|=|:|\|\||\?\?)[ \t]*"
)
_CALL = r"(?:(?:pydantic\.)?(?:SecretStr|SecretBytes|Secret|Field|field|str|bytes))?\("


class Rule(object):
    """A pattern that is compiled when it is first used: a probe that starts with every run needs few of them."""

    def __init__(self, source, flags=""):
        self.source = source
        self.flags = flags
        self._compiled = None

    def pattern(self):
        if self._compiled is None:
            self._compiled = re.compile(
                self.source, re.A | (re.I if "i" in self.flags else 0) | (re.M if "m" in self.flags else 0)
            )
        return self._compiled


NAMED_LITERALS = [
    Rule(
        "(" + _ASSIGNED + _CALL + r"[ \t]*" + _NEXT_LINE + r"?(?:default[ \t]*=[ \t]*)?)(" + _LITERAL
        + r"(?:[ \t]*" + _NEXT_LINE + "?" + _LITERAL + "){0,50})"
    ),
    Rule(
        "(" + _ASSIGNED + "(?:" + _NEXT_LINE + "(?![rR]?(?:\"\"\"|''')))?)(" + _LITERAL + r")(?![ \t]*:)"
    ),
    Rule(
        r"""(\b(?:get|getenv|setdefault|putenv|setenv|set|add_header)\([ \t]*\\?["']""" + _NAME
        + r"""\\?["'][ \t]*(?:,[ \t]*(?:default[ \t]*=[ \t]*)?|\)[ \t]*or[ \t]+))(""" + _LITERAL + ")"
    ),
    Rule(
        r"""(["']--?""" + _NAME + r"""\\?["'],(?:(?!["']-|\)[ \t]*\n)[\s\S]){0,300}?\bdefault[ \t]*=[ \t]*)("""
        + _LITERAL + ")"
    ),
    Rule(r"""(["']--""" + _NAME + r"""\\?["'],[ \t]*)(?!\\?["']-)(\\?["'][^\s"'\\]{3,}\\?["'])"""),
]

HEADED = [
    Rule(
        "([?&](?:[a-z0-9]+[-_.])*(?:token|sig|signature|passw(?:or)?d|pwd|secret|credentials?|auth|jwt"
        "|(?:api|access|account|private|secret)[-_]?key|(?:access)?keyid)=)(?!" + _FILLED + r""")[^&#\s"'<>\\]+""", "i"
    ),
    Rule(
        r"""(://[^\s"'<>/?#]{1,255}/(?:[^\s"'<>?#]{0,200}/)?t/)(?!""" + _FILLED
        + r""")(?![^\s"'<>/?#]{1,300}/\d+(?![\w.-]))[^\s"'<>/?#]+(?=/)"""
    ),
    Rule(
        r"""(\bauthorization\\?["']?\s{0,20}[:=,]\s{0,20}[rbuf]{0,2}\\?["']?(?:bearer|basic|token|apikey|bot)[ \t]+)"""
        "(?!" + _FILLED + r""")[^\s"'\\]+""", "i"
    ),
    Rule(
        r"""(\bauthorization\\?["']\s{0,20}[:,]\s{0,20}[rbuf]{0,2}\\?["'])(?!""" + _FILLED
        + r""")[^\s"'\\]{8,}(?=\\?["'])""", "i"
    ),
    Rule(r"""(\bBearer[ \t]+)(?=[^\s"'\\]{0,200}\d)[A-Za-z0-9._~+/=-]{16,}"""),
    Rule(
        r"""((?:\b\w{0,20}auth|\bcredentials|\blogin)[ \t]*(?:=[ \t]*)?[(\[][ \t]*[^,()\[\]\n]{1,100},[ \t]*)"""
        r"""(?![rbuf]{0,2}\\?["']""" + _FILLED + ")" + _LITERAL + r"(?=[ \t]*[)\]])", "i"
    ),
    Rule(
        r"""((?<![\w-])(?:-u|-U|--user|--proxy-user|--http-user)(?:[ \t=]{1,4}|\\?["'],[ \t]*)\\?["']?"""
        r"""[^\s:/"'\\$({]{1,64}:)(?!\d+(?![^\s"'])|[/\\…]|""" + _FILLED + r""")[^\s"'\\]{3,}"""
    ),
    Rule(
        r"""(\bwandb\.login\([^)\n]{0,100}?key[ \t]*=[ \t]*\\?["'])(?!""" + _FILLED + r""")[^\s"'\\]{3,}"""
    ),
    Rule(r"""(\bsshpass["',\s]{1,6}-p["',\s]{0,6})(?!""" + _FILLED + r""")[^\s"'\\]+"""),
    Rule(r"""(\bredis-cli[^\n|;&]{0,300}?[ \t"']-a["',\s]{1,6})(?!""" + _FILLED + r""")[^\s"'\\]+"""),
    Rule(
        r"""(\b(?:mysql|mysqldump|mysqladmin|mariadb)(?![\w.+:/-])[^\n|;&]{0,300}?[ \t"']-p)(?!""" + _FILLED
        + r""")[^\s"'\\,]{3,}"""
    ),
    Rule(r"(\bmachine[ \t]+\S{1,255}[ \t]+login[ \t]+\S{1,255}[ \t]+password[ \t]+)(?!" + _FILLED + r")\S+"),
    Rule(r"(\bdiscord(?:app)?\.com/api/(?:v\d+/)?webhooks/)\d[A-Za-z0-9/_-]+"),
    Rule(r"""(\bapi\.telegram\.org/(?:file/)?bot)\d[^\s/"'\\]*"""),
    Rule(r"(\bhooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]+"),
    Rule(r"(\bwebhook\.office\.com/webhookb2/)[A-Za-z0-9@/_-]+"),
]

NAMED_WORDS = [
    Rule(
        r"""((?<=[;"'])[ \t]*""" + _NAME + "=)(?!" + _FILLED + r""")([^\s;"'\\,()\[\]{}&]{3,})(?=[;"'\\ &,]|$)""", "m"
    ),
    Rule(
        r"((?<=[^\s,;(=:])[ \t]+" + _NAME + "=)(?!" + _FILLED
        + r""")([^\s;"'\\,()\[\]{}`]{3,})(?=[ \t"'\\]|\r?$)""", "m"
    ),
    Rule(
        r"^([+ -]?[ \t]*(?:- )?(?:export[ \t]+)?" + _NAME + r"""(?:=|:[ \t]+))(?!["'\s]|""" + _FILLED
        + r")([^\s()\[\]{},;]{6,})(?=[ \t]*(?:#[^\n]*)?\r?$)", "m"
    ),
    Rule(
        r"^([+ -]?[ \t]*(?:export[ \t]+)?([A-Z_][A-Z0-9_]{0,99})=)(?!" + _FILLED
        + r""")([^\s"'()\[\]{},;&]{6,})(?=[ \t;&])""", "m"
    ),
    Rule(
        r"""^([+ -]?[ \t]*["']?(?:ENV|%env|setenv)[ \t]+""" + _NAME + r"[ \t]+)(?![=]|" + _FILLED
        + r""")([^\s"'\\]{3,})""", "m"
    ),
    Rule(
        r"^([+-]?" + _NAME + r"[ \t]+=[ \t]+)(?=[^\s\d]{0,99}\d)(?!" + _FILLED
        + r""")([^\s"'`()\[\]{},;]{8,})(?=[ \t]*\r?$)""", "m"
    ),
]

TOKENS = Rule("|".join([
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{30,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}\b",
    r"\bgl(?:pat|ptt|dt|rt)-[A-Za-z0-9_-]{16,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"\bxapp-[A-Za-z0-9-]{20,}",
    r"\bhf_[A-Za-z0-9]{20,}\b",
    r"\bsk-(?=[A-Za-z_-]{0,100}\d|[A-Za-z0-9]{20})[A-Za-z0-9_-]{20,}",
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b",
    r"\b(?:gsk_|r8_|nvapi-|dop_v1_|shpat_|glsa_|whsec_|pfx_|hvs\.)[A-Za-z0-9_-]{24,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}",
    r"\bAIza[0-9A-Za-z_-]{30,}",
    r"\bya29\.[0-9A-Za-z_-]{20,}",
    r"\bnpm_[A-Za-z0-9]{30,}\b",
    r"\bpypi-[A-Za-z0-9_-]{30,}",
    r"\bdapi[0-9a-f]{32}\b",
    r"\b\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])",
    r"\btk-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
]))

PRIVATE_KEY = Rule(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
    r"(?:(?:(?!-----)[\s\S]){0,65536}(-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
    r"""|(?:[\s"'\\+]{0,40}[A-Z][A-Za-z-]{2,30}: [^\n]{0,200}\n){0,5}"""
    r"""(?:(?:(?:[ \t]*\r?\n){1,3}[+-]?[ \t]*[A-Za-z0-9+/=]+(?![^\r\n]))+"""
    r"""|(?:[\s"'\\,()+-]{0,40}[A-Za-z0-9/][A-Za-z0-9+/=]{11,})+))"""
)
URL_USER = Rule(
    r"\b([a-z][a-z0-9+.-]{0,30}://)(?!\$?\{[^{}\s]{0,60}\}(?::\$?\{[^{}\s]{0,60}\})?@)" + r"""[^\s/?'"<>]*@""", "i"
)
FLAG = Rule(
    r"(?<![\w.-])(--?([A-Za-z][\w.-]{0,99})(?:[ \t]+|=))(?!\[redacted\])"
    r"""("[^"\n]+"|'[^'\n]+'|(?![-$"'{<%])[^\s;&|,"'`]+)"""
)
LONG_FLAG = Rule("(?=--)" + FLAG.source)
INLINE = Rule(
    r"""(?<![\w.-])((?:-{1,2})?([A-Za-z_][\w.-]{0,99})["']?(?:\s*=\s*|:\s+))(?!\[redacted\])"""
    r"""("[^"\n]+"|'[^'\n]+'|(?![$"'{])[^\s;&,"']+)"""
)
SAID = Rule(
    r"(\b(password|passphrase|passwd|pwd|passcode|(?:api|access|secret|private)[ -]?key|token|secret)"
    r"(?:[ \t]+(?:is|was|are)[ \t]*:?[ \t]+|(?<=[dDeE]):))(?!" + _FILLED + r""")["'`]?([^\s"'`,;/]{3,})""", "i"
)
NO_SECRET = frozenset(
    "string str text bytes number integer int float bool boolean null none undefined true false optional required object "
    "any auto default secretstr secretbytes".split()
)
PROSE = frozenset(
    "missing wrong invalid empty unknown correct incorrect hidden unset too also only still already always never given "
    "kept the that this not now weak strong short long same there here for from set read what valid bad gone safe fine "
    "out ready available sent".split()
)
