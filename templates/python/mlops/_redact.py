"""Takes secrets of known shapes out of what is about to be recorded: the rules of src/core/redact.ts; a test compares."""
import re

REDACTED = "[redacted]"
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b"
    r"|\bglpat-[A-Za-z0-9_-]{16,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{20,}\b|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b|\bAIza[0-9A-Za-z_-]{30,}|\bya29\.[0-9A-Za-z_-]{20,}"
    r"|\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[A-Za-z0-9_-]{30,}|\bdapi[0-9a-f]{32}\b"
    r"|\bhooks\.slack\.com/services/[A-Za-z0-9/_-]+"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
_URL_USER = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/?'\"<>]*@", re.I)
_URL_QUERY = re.compile(
    r"([?&](?:[a-z0-9]+[-_.])*(?:token|sig|signature|passw(?:or)?d|pwd|secret|credentials?|auth|jwt"
    r"|(?:api|access|account|private|secret)[-_]?key|(?:access)?keyid)=)(?![{$<]|%[sd(]|\[redacted\])[^&#\s\"'<>]+", re.I
)
_AUTH_HEADER = re.compile(r"\b(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+)[^\s\"']+", re.I)
_INLINE = re.compile(
    r"(?<![\w.-])((?:-{1,2})?([A-Za-z_][\w.-]*)[\"']?(?:\s*=\s*|:\s+))(?!\[redacted\])"
    r"(\"[^\"\n]+\"|'[^'\n]+'|(?![$\"'{])[^\s;&,\"']+)", re.A
)
_FLAG_VALUE = re.compile(
    r"(?<![\w-])(--?([A-Za-z][\w.-]*)(?:[ \t]+|=))(?!\[redacted\])"
    r"(\"[^\"\n]+\"|'[^'\n]+'|(?![-$\"'{<%])[^\s;&|,\"'`]+)", re.A
)
_TEXT_TOKENS = frozenset(
    "pad eos bos unk mask sep cls stop start end special image max min num n new per first last next out in".split()
)
_ABOUT = frozenset("length len count file path dir column col name id env var policy strength type min max".split())
_KEY_OF = frozenset("api access auth private account encryption signing secret client".split())
_SECRET_WORD = re.compile(r"(?:passw(?:or)?d|passphrase)s?\d*$|^(?:pwd|secrets?|credentials?|creds)\d*$", re.A)
_USER_FLAG = frozenset("-u -U --user --auth --proxy-user --http-user".split())
_USER_AND_PASSWORD = re.compile(r"([^\s:/\\]+:)(?![\\/])(?!\d+$).+$", re.S | re.A)
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*$", re.A)
_ASSIGNMENT = re.compile(r"((?:--?)?([A-Za-z_][\w.-]*)=).", re.S | re.A)


def is_secret_name(name):
    words = [each for each in re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()) if each]
    last = words[-1] if words else ""
    before = words[-2] if len(words) > 1 else ""
    if len(words) > 1 and last in _ABOUT:
        return False
    if any(_SECRET_WORD.search(word) for word in words):
        return True
    if any(re.match(r"keys?\d*$", word) and at and words[at - 1] in _KEY_OF for at, word in enumerate(words)):
        return True
    if re.match(r"(?:api|access|auth|private|account|encryption|secret)keys?$", last):
        return True
    return bool(re.match(r"[a-z]*token$", last)) and before not in _TEXT_TOKENS and last[:-5] not in _TEXT_TOKENS


def redact(text):
    """Text, when nothing says whether a person or a program wrote it."""
    text = _URL_QUERY.sub(r"\1" + REDACTED, _URL_USER.sub(r"\1", text))
    return _TOKENS.sub(REDACTED, _AUTH_HEADER.sub(r"\1" + REDACTED, text))


def redact_text(text):
    """Text of a person or a shell: also `NAME=value` and `name: value` in it."""
    def named(found):
        return found.group(1) + REDACTED if is_secret_name(found.group(2)) else found.group(0)

    return _FLAG_VALUE.sub(named, _INLINE.sub(named, redact(text)))


def redact_param(name, value):
    """The value to store. Switches and numbers of tokens are no secrets."""
    if value is None or isinstance(value, bool) or value == "":
        return value
    if is_secret_name(name):
        return REDACTED
    return redact_text(value) if isinstance(value, str) else value


def redact_arguments(words):
    result = []
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        user = _USER_AND_PASSWORD.match(word) if before in _USER_FLAG else None
        assignment = _ASSIGNMENT.match(word)
        if _FLAG.match(before) and is_secret_name(before) and not word.startswith("-"):
            result.append(REDACTED)
        elif user:
            result.append(user.group(1) + REDACTED)
        elif assignment and is_secret_name(assignment.group(2)):
            result.append(assignment.group(1) + REDACTED)
        else:
            result.append(redact_text(word))
    return result
