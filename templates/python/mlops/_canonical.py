"""Canonical JSON (RFC 8785), byte for byte what the mlops program writes. See docs/store-format.md, section 2."""
import hashlib
import json
import math

_SAFE = 2 ** 53 - 1


def canonical(value):
    """The canonical text of None, bools, numbers, strings, lists, tuples and dicts with string keys."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, int):
        return str(int(value)) if -_SAFE <= value <= _SAFE else '"%d"' % value
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=_utf16)
        return "{" + ",".join(_quote(key) + ":" + canonical(value[key]) for key in keys) + "}"
    raise TypeError("a %s has no JSON form" % type(value).__name__)


def canonical_bytes(value):
    return (canonical(value) + "\n").encode("utf-8")


def seal(record):
    """The bytes of a write-once file: `self` is the sha256 of the bytes without it."""
    digest = hashlib.sha256(canonical_bytes(record)).hexdigest()
    return canonical_bytes(dict(record, self=digest))


def _utf16(key):
    if not isinstance(key, str):
        raise TypeError("the names of a JSON object are strings, not %s" % type(key).__name__)
    return key.encode("utf-16-be", "surrogatepass")


def _quote(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise TypeError("a string with a lone surrogate has no canonical JSON form") from None
    return json.dumps(str(text), ensure_ascii=False)


def _number(value):
    """As ECMAScript prints it; what JSON cannot hold, and integers that a double cannot hold exactly, as strings."""
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if value == 0:
        return '"-0"' if math.copysign(1, value) < 0 else "0"
    text = _ecmascript(value)
    return '"%s"' % text if value.is_integer() and _SAFE < abs(value) < 1e21 else text


def _ecmascript(value):
    # repr gives the shortest digits that read back as the same double, as ECMAScript does; only the layout differs.
    sign, rest = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = rest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = point - 1
    tail = "." + digits[1:] if count > 1 else ""
    return "%s%s%se%s%d" % (sign, digits[0], tail, "-" if power < 0 else "+", abs(power))
