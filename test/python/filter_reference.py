"""A second reading of docs/runs.md, "Filters": is the filter true of the run? Naive on purpose.

Reads one JSON document {"now": seconds, "cases": [{"run": {...}, "tree": [...]}]}, prints a list of true and false.
A tree is ["or"|"and", tree, ...], ["not", tree] or ["is", field, operator, [[text, quoted], ...]].
"""

import json
import math
import re
import sys
from datetime import datetime, timedelta, timezone

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)


def number(value):
    """The number a value stands for, or None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    word = value.strip().lower()
    if word == "nan":
        return math.nan
    if word in ("inf", "+inf", "infinity", "+infinity"):
        return math.inf
    if word in ("-inf", "-infinity"):
        return -math.inf
    return float(word) if NUMBER.fullmatch(word) else None


def text(value):
    """As JavaScript prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def is_none(value):
    return value is None or value == [] or (isinstance(value, str) and value.lower() in ("none", "null"))


def order(a, operator, b):
    if a is None or b is None or (isinstance(a, float) and math.isnan(a)):
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def logged(value, operator, word, quoted):
    wanted = None if quoted else number(word)
    if operator == "=":
        if quoted:
            return text(value) == word
        if wanted is not None:
            found = number(value)
            if found is None:
                return False
            return math.isnan(found) if math.isnan(wanted) else found == wanted
        if word.lower() in ("true", "false"):
            return text(value).lower() == word.lower()
        return text(value) == word
    if wanted is None:
        return isinstance(value, str) and order(value, operator, word)
    return order(number(value), operator, wanted)


def stretch(word, now):
    """First instant, and the one after the last; both the same for an age."""
    age = re.fullmatch(r"(\d+)([smhd])", word)
    if age:
        at = now - int(age[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[age[2]]
        return at, at
    if len(word) == 7:
        first = datetime.fromisoformat(word + "-01").replace(tzinfo=timezone.utc)
        after = (first + timedelta(days=32)).replace(day=1)
    elif len(word) == 10:
        first = datetime.fromisoformat(word).replace(tzinfo=timezone.utc)
        after = first + timedelta(days=1)
    else:
        first = datetime.fromisoformat(word).replace(tzinfo=timezone.utc)
        after = first + timedelta(minutes=1)
    return first.timestamp(), after.timestamp()


def in_time(value, operator, word, now):
    at = datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    first, after = stretch(word, now)
    if operator == "=":
        return at == first if first == after else first <= at < after
    if operator == "<":
        return at < first
    if operator == ">=":
        return at >= first
    if operator == "<=":
        return at < after or at == first
    return at >= after and not (first == after and at == first)


def length(word):
    parts = re.findall(r"(\d+)([smhd])", word)
    if not parts:
        return float(word)
    return float(sum(int(count) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for count, unit in parts))


def positive(run, field, operator, words, now):
    value = run.get(field)
    if operator == "in":
        return any(positive(run, field, "=", [word], now) for word in words)
    word, quoted = words[0]
    if not quoted and word.lower() == "none":
        return is_none(value)
    if value is None:
        return False
    if operator == "~":
        each = value if isinstance(value, list) else [value]
        return any(word.lower() in text(one).lower() for one in each)
    if isinstance(value, list):
        return word in value
    if field == "started":
        return in_time(value, operator, word, now)
    if field == "duration":
        return order(float(value), operator, length(word)) if operator != "=" else float(value) == length(word)
    if field == "git.commit":
        return value.lower().startswith(word.lower())
    if field == "git.dirty":
        return value == (word.lower() in ("true", "yes", "1"))
    if field == "status":
        return value == word.lower()
    return logged(value, operator, word, quoted)


NEGATIVE = {"!=": "=", "!~": "~", "not in": "in", "not has": "has"}


def holds(run, tree, now):
    kind = tree[0]
    if kind == "or":
        return any([holds(run, part, now) for part in tree[1:]])
    if kind == "and":
        return all([holds(run, part, now) for part in tree[1:]])
    if kind == "not":
        return not holds(run, tree[1], now)
    _, field, operator, words = tree
    if operator not in NEGATIVE:
        return positive(run, field, operator, words, now)
    names_none = any(word.lower() == "none" and not quoted for word, quoted in words)
    if run.get(field) is None and not (names_none and operator in ("!=", "not in")):
        return False
    return not positive(run, field, NEGATIVE[operator], words, now)


document = json.load(sys.stdin)
print(json.dumps([holds(case["run"], case["tree"], document["now"]) for case in document["cases"]]))
