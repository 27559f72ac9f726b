"""Takes secrets of known shapes out of what is about to be recorded: the rules of src/core/redact.ts; a test compares."""
import re

if __package__:
    from . import _redact_rules as rules
else:  # the probe `_environment.py` is a script of this folder, which has no package
    import _redact_rules as rules

REDACTED = "[redacted]"
_TEXT_TOKENS = frozenset(
    "pad eos bos unk mask sep cls stop start end special image max min num n new per first last next out in".split()
)
_ABOUT = frozenset(
    "length len count file path dir column col name id env var policy strength type min max provider regex pattern prefix "
    "suffix format".split()
)
_KEY_OF = frozenset("api access auth private account encryption signing secret client".split())
_PASS_OF = frozenset("db user smtp mail email ftp root admin ssh mysql pg redis login auth basic proxy http".split())
_SECRET_WORD = re.compile(r"(?:passw(?:or)?d|passphrase)s?\d*$|^(?:pwd|secrets?|credentials?|creds)\d*$", re.A)
_USER_FLAG = frozenset("-u -U --user --auth --proxy-user --http-user".split())
_USER_AND_PASSWORD = re.compile(r"([^\s:/\\]+:)(?![\\/])(?!\d+$).+$", re.S | re.A)
_FLAG = re.compile(r"--?[A-Za-z][\w.-]*$", re.A)
# Programs with a flag of their own for the password, which is the next word, or stands in the same.
_PASSWORD_FLAGS = (
    (re.compile(r"^(?:.*[/\\])?sshpass$"), "-p", True),
    (re.compile(r"^(?:.*[/\\])?redis-cli$"), "-a", True),
    (re.compile(r"^(?:.*[/\\])?(?:mysql|mysqldump|mysqladmin|mariadb)$"), "-p", False),
)
_FILLED_IN = re.compile(
    r"^(?:(?:bearer|basic|token) )?(?:\$?\{+[^{}]*\}+|\$\w+|%(?:\(\w+\))?[sdr]|<[^<>]*>|[\s:/@+-])+$", re.I | re.A
)
_EXPRESSION = re.compile(
    r"^(?:self|cls|this|args?|opts?|options|cfg|config|conf|settings|params|kwargs|env|os|process|secrets|hparams|flags)"
    r"\.[\w.]+$", re.I | re.A
)
_LITERAL = re.compile(r"""^(\w{0,2}(\"\"\"|'''|\\?["']))([\s\S]*)\2$""", re.A)
_ASSIGNMENT = re.compile(r"((?:--?)?([A-Za-z_][\w.-]*)=).", re.S | re.A)


def is_secret_name(name):
    words = [each for each in re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()) if each]
    last = words[-1] if words else ""
    before = words[-2] if len(words) > 1 else ""
    if len(words) > 1 and last in _ABOUT:
        return False
    if any(_SECRET_WORD.search(word) for word in words):
        return True
    if any(word == "pass" and at and words[at - 1] in _PASS_OF for at, word in enumerate(words)):
        return True
    if re.match(r"(?:db|user|smtp|ftp|root)pass$", last):
        return True
    if any(re.match(r"keys?\d*$", word) and at and words[at - 1] in _KEY_OF for at, word in enumerate(words)):
        return True
    if re.match(r"(?:api|access|auth|private|account|encryption|secret)keys?$", last):
        return True
    return bool(re.match(r"[a-z]*token$", last)) and before not in _TEXT_TOKENS and last[:-5] not in _TEXT_TOKENS


def _is_no_secret(name, value):
    """A value that says itself that it is none: `{token}`, `<your key>`, `***`, a type, the name of the field."""
    if REDACTED in value or value.lower() in rules.NO_SECRET:
        return True
    if _FILLED_IN.match(value) or _EXPRESSION.match(value) or re.match("^[.*xX\u2022\u2026]+$", value):
        return True
    if re.match(r"^[A-Za-z_.-]+$", value) and _letters(value) in _letters(name):
        return True
    return bool(re.match(r"^[A-Z]+(?:_[A-Z]+)+$", value)) and is_secret_name(value)


def _letters(text):
    return re.sub(r"[^a-z]", "", text.lower())


def _replace_values(text, rule, make):
    """What `make` gives in place of a value; where it gives None, the value may still have a secret within."""
    pattern = rule.pattern()
    parts, kept, at = [], 0, 0
    while True:
        found = pattern.search(text, at)
        if found is None:
            return "".join(parts) + text[kept:] if parts else text
        head, name, value = found.group(1), found.group(2), found.group(3)
        made = make(name, value)
        if made is not None:
            parts.extend((text[kept:found.start()], head, made))
            kept = at = found.end()
        elif len(value) < 2000 or value[-1] in "\"'":
            at = found.start() + len(head)
        else:  # long words would be read once for each "=" in them
            at = found.end()


def redact(text):
    """Text, when nothing says whether a person or a program wrote it; source."""
    text = rules.PRIVATE_KEY.pattern().sub(lambda found: found.group(1) + REDACTED + (found.group(2) or ""), text)
    text = rules.TOKENS.pattern().sub(REDACTED, rules.URL_USER.pattern().sub(r"\1", text))
    for rule in rules.NAMED_LITERALS:
        text = _replace_values(text, rule, _literal)
    for rule in rules.HEADED:
        text = rule.pattern().sub(r"\1" + REDACTED, text)
    for rule in rules.NAMED_WORDS:
        text = _replace_values(text, rule, _word)
    return _replace_values(text, rules.LONG_FLAG, _flag)


def _literal(name, literal):
    found = _LITERAL.match(literal)
    opening, quote, value = found.groups() if found else ("", "", "")
    return opening + REDACTED + quote if is_secret_name(name) and not _is_no_secret(name, value) else None


def _word(name, value):
    return REDACTED if is_secret_name(name) and not _is_no_secret(name, value) else None


def _flag(name, value):
    """In code and in prose `--token is` has no value: one that nobody named with "=" or quotes has a digit."""
    return REDACTED if re.search("[0-9]", value) and is_secret_name(name) else None


def _named(name, _):
    return REDACTED if is_secret_name(name) else None


def _said(noun, value):
    word = re.sub(r"[.!?)]+$", "", value).lower()
    prose = word in rules.NO_SECRET or word in rules.PROSE or re.match(r"[a-z]+(?:ed|ing)$", word)
    return REDACTED if not prose and (re.search("[0-9]", word) or noun[:1] in "pP") else None


def redact_text(text):
    """Text of a person or a shell: also `NAME=value` and `name: value` in it, and what is said."""
    text = _replace_values(_replace_values(redact(text), rules.INLINE, _named), rules.FLAG, _named)
    return _replace_values(text, rules.SAID, _said)


def redact_param(name, value):
    """The value to store. Switches and numbers of tokens are no secrets."""
    if value is None or isinstance(value, bool) or value == "":
        return value
    if is_secret_name(name):
        return REDACTED
    return redact_text(value) if isinstance(value, str) else value


def redact_arguments(words):
    result = []
    program, flag, is_next = _password_flag(words)
    hidden = words.index(flag, program) + 1 if is_next and flag in words[program:] else -1
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        user = _USER_AND_PASSWORD.match(word) if before in _USER_FLAG else None
        assignment = _ASSIGNMENT.match(word)
        if index == hidden:
            result.append(REDACTED)
        elif flag and not is_next and index > program and word.startswith(flag) and word != flag:
            result.append(flag + REDACTED)
        elif _FLAG.match(before) and is_secret_name(before) and not word.startswith("-"):
            result.append(REDACTED)
        elif user:
            result.append(user.group(1) + REDACTED)
        elif assignment and is_secret_name(assignment.group(2)):
            result.append(assignment.group(1) + REDACTED)
        else:
            result.append(redact_text(word))
    return result


def _password_flag(words):
    for index, word in enumerate(words):
        for pattern, flag, is_next in _PASSWORD_FLAGS:
            if pattern.match(word):
                return index, flag, is_next
    return -1, None, False
