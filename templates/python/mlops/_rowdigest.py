"""The digest of a table's rows with their truth: what says that two versions were measured on the same rows, whichever
library held them (docs/store-format.md, section 6). Knows no files and no run.

It is the sha256 of canonical JSON, written column by column: what is missing in any library's way is null, and columns
without any value do not count, because a list of dicts has none of these.
"""
import decimal
import hashlib
import json
import re

from ._canonical import _utf16, canonical
from ._cells import NULL, cell, quote

_TIME = re.compile(r"(.*T\d\d:\d\d:\d\d)\.(\d+)(.*)\Z")
_SAFE = 2 ** 53 - 1


def rows_digest(columns, truth):
    """`columns` are pairs of a name and the function that gives its Python values; `truth` are Python values."""
    digest = hashlib.sha256(b'{"columns":{')
    between = ""
    for name, values in sorted(columns, key=lambda each: _utf16(_clean(each[0]))):
        texts = plain_texts(values())
        if texts.count(NULL) == len(texts):
            continue
        digest.update(_bytes("%s%s:[%s]" % (between, quote(_clean(name)), ",".join(texts))))
        between = ","
    digest.update(_bytes('},"truth":[%s]}\n' % ",".join(plain_texts(truth))))
    return digest.hexdigest()


def plain_texts(values, nan=NULL):
    """Each value as canonical JSON; `nan` is what NaN becomes."""
    kinds = set(map(type, values))
    if kinds == {float}:
        # What repr writes as RFC 8785 does is nearly everything, and a call for each would take twice as long.
        texts = map(float.__repr__, values)
        return [
            text if text[-2:] != ".0" and "e" not in text and "n" not in text else _float(value, nan)
            for text, value in zip(texts, values)
        ]
    if kinds == {str}:
        return [quote(_clean(value)) for value in values]
    if kinds == {int} and -_SAFE <= min(values) and max(values) <= _SAFE:
        return list(map(int.__repr__, values))
    return [plain_text(value, nan) for value in values]


def plain_text(value, nan=NULL):
    kind = type(value)
    if value is None:
        return NULL
    if kind is float:
        return _float(value, nan)
    if kind is str:
        return quote(_clean(value))
    if kind is bool or kind is int:
        return canonical(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value, nan)
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "") == "M" and not getattr(value, "shape", ()):
        return _time(str(value))
    text = cell(value, nan)
    if hasattr(value, "isoformat"):
        return NULL if text == NULL else _time(json.loads(text))
    return text if text in (NULL, nan) else canonical(json.loads(text))


def _float(value, nan):
    text = float.__repr__(value)
    if text[-2:] == ".0" and len(text) <= 17 and text != "-0.0":
        return text[:-2]
    if value != value:
        return nan
    return canonical(value) if "e" in text or "n" in text or text[-2:] == ".0" else text


def _decimal(value, nan):
    if not value.is_finite():
        return nan if value.is_nan() else '"Infinity"' if value > 0 else '"-Infinity"'
    number = float(value)
    return _float(number, nan) if decimal.Decimal(repr(number)) == value else '"%s"' % format(value.normalize(), "f")


def _time(text):
    """Fractions of a second without trailing zeros: libraries write three, six or nine digits."""
    if text == "NaT":
        return NULL
    match = _TIME.match(text)
    if match is None:
        return quote(text)
    fraction = match.group(2).rstrip("0")
    return quote(match.group(1) + ("." + fraction if fraction else "") + match.group(3))


def _clean(text):
    """Without lone surrogates, which no JSON text can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _bytes(text):
    return text.encode("utf-8", "replace")

