"""One value as JSON text, as the prediction log has it (docs/prediction-log.md, "Values"). Knows no tables and no files.

Numbers keep the digits that tell them apart; what JSON or a double cannot hold becomes a string that says it. A type
that is not known here is written as its text: a prediction is worth more than a tidy type.
"""
import base64
import dataclasses
import datetime
import decimal
import enum
import json.encoder
import math

_SAFE = 2 ** 53 - 1
_MAX_DEPTH = 8
NULL = "null"
NAN = '"NaN"'
quote = json.encoder.encode_basestring


def cell(value, nan=NULL, depth=0):
    """The JSON text of any value. `nan` is what NaN becomes: in features it means missing, as in a CSV of pandas."""
    known = _KNOWN.get(type(value))
    if known is not None:
        return known(value)
    if type(value) is float:
        return _float(value, nan)
    return _other(value, nan, depth)


def cells(values, nan=NULL):
    """The JSON texts of a list of Python values; fast for columns of one type."""
    found = set(map(type, values))
    if len(found) == 1:
        kind = found.pop()
        if kind is float:
            if math.isfinite(sum(values)) or all(map(math.isfinite, values)):
                return list(map(float.__repr__, values))
        elif kind is int and -_SAFE <= min(values) and max(values) <= _SAFE:
            return list(map(int.__repr__, values))
        elif kind in _KNOWN:
            return list(map(_KNOWN[kind], values))
    return [cell(value, nan) for value in values]


def key(name):
    """A column's name as it stands in JSON."""
    return quote(name_of(name))


def name_of(name):
    if type(name) is str:
        return name
    if isinstance(name, (tuple, list)):
        return ".".join(map(str, name))
    return str(name)


def _float(value, nan):
    if value - value == 0.0:
        return float.__repr__(value)
    return nan if value != value else '"Infinity"' if value > 0 else '"-Infinity"'


def _int(value):
    return int.__repr__(value) if -_SAFE <= value <= _SAFE else '"%d"' % value


_KNOWN = {
    str: quote,
    int: _int,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: NULL,
}


def _other(value, nan, depth):
    if depth > _MAX_DEPTH:
        return quote(str(type(value).__name__))
    if isinstance(value, enum.Enum):
        return cell(value.value, nan, depth + 1)
    if isinstance(value, str):
        return quote(str.__str__(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _int(int(value))
    if isinstance(value, float):
        return _float(float(value), nan)
    if isinstance(value, dict):
        return "{%s}" % ",".join(
            [key(name) + ":" + cell(inner, nan, depth + 1) for name, inner in _unique(value)]
        )
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join([cell(inner, nan, depth + 1) for inner in value])
    if isinstance(value, (set, frozenset)):
        return "[%s]" % ",".join(sorted(cell(inner, nan, depth + 1) for inner in value))
    if isinstance(value, (datetime.date, datetime.time)):
        return _time(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value, nan)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return quote(base64.b64encode(bytes(value)).decode("ascii"))
    return _foreign(value, nan, depth)


def _foreign(value, nan, depth):
    """Values of libraries, known by what they can do: nothing is imported here that the caller has not imported."""
    kind = type(value).__name__
    if kind in ("NAType", "NaTType"):
        return NULL
    sort = getattr(getattr(value, "dtype", None), "kind", "")
    if sort in ("M", "m") and not getattr(value, "shape", ()):
        text = str(value)  # numpy.datetime64: item() would be a bare count of nanoseconds
        return NULL if text == "NaT" else quote(text)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return cell(fields, nan, depth + 1)
    for method in ("tolist", "to_list", "as_py", "model_dump", "item"):
        convert = getattr(value, method, None)
        if callable(convert) and not isinstance(value, type):
            plain = convert()
            if type(plain) is not type(value):
                return cell(plain, nan, depth + 1)
    if hasattr(value, "items") and hasattr(value, "keys"):
        return cell(dict(value.items()), nan, depth + 1)
    if hasattr(value, "__float__") and not hasattr(value, "__len__"):
        return _float(float(value), nan)
    return quote(str(value))


def _time(value):
    # NaT of pandas is a datetime that is not equal to itself.
    return NULL if value != value else quote(value.isoformat())


def _decimal(value, nan):
    if not value.is_finite():
        return nan if value.is_nan() else '"Infinity"' if value > 0 else '"-Infinity"'
    text = format(value, "f") if -20 < value.adjusted() < 20 else str(value)
    # More digits than a double holds would be lost by readers that parse JSON numbers as doubles.
    return text if len(value.as_tuple().digits) <= 15 and abs(value.adjusted()) < 300 else '"%s"' % text


def _unique(mapping):
    """Members with distinct names: two that are written alike (1 and "1") would make a JSON object ambiguous."""
    if all(type(name) is str for name in mapping):
        return mapping.items()
    return {name_of(name): inner for name, inner in mapping.items()}.items()
