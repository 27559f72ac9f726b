"""What may be logged, and the form in which it is recorded. Raises clear errors for misuse; knows no store."""
import json
import math
import numbers
import os
import re

from ._redact import redact_text

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")
_MAX_KEY = 256
_MAX_TEXT = 4096


def check_key(what, key):
    if not isinstance(key, str):
        raise TypeError("the name of a %s is a string, not %s" % (what, type(key).__name__))
    if not key or len(key) > _MAX_KEY:
        raise ValueError("the name of a %s has 1 to %d characters, not %d" % (what, _MAX_KEY, len(key)))
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise ValueError("%r cannot be the name of a %s: it has control characters" % (key, what))
    return key.encode("utf-8", "replace").decode("utf-8")


def check_tag(tag):
    """A tag is kept for ever, and shown: what looks like a secret is refused, as `mlops run tag` refuses it."""
    tag = check_key("tag", tag)
    clean = redact_text(tag)
    if clean != tag:
        raise ValueError("%r cannot be a tag: it looks like a secret, and it would be kept for ever" % clean)
    return tag


def check_name(what, name):
    """Names of models and stages become folders, so they are as narrow as the command line has them."""
    if not isinstance(name, str):
        raise TypeError("the name of a %s is a string, not %s" % (what, type(name).__name__))
    if not _NAME.match(name) or ".." in name:
        raise ValueError(
            "%r cannot be the name of a %s: only a-z, 0-9, '.', '_' and '-' are allowed, at most 64 characters, "
            "and it must begin and end with a letter or digit" % (name, what)
        )
    return name


def number(name, value):
    """A Python number from whatever has one value: ints, floats, bools, numpy and torch scalars, Decimal."""
    value = _scalar(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError("the metric %r is a number, not %s: %.80r" % (name, type(value).__name__, value))
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError("the metric %r is a number, and %.80r is not: %s" % (name, value, error)) from None


def step(value):
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError("a step is a whole number, not %.80r" % (value,))
    return int(value)


def param(value):
    """A scalar as it is; a list, tuple or dict as its JSON text; anything else as its text."""
    value = _scalar(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and hasattr(value, "__float__"):
        return float(value)
    if not isinstance(value, str):
        try:
            value = json.dumps(value, default=str)
        except (TypeError, ValueError):
            value = str(value)
    return value[:_MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def _scalar(value):
    # numpy and torch scalars, and arrays of one element, know how to become a Python value.
    item = getattr(value, "item", None)
    if callable(item) and not isinstance(value, (str, bytes, dict, list)):
        try:
            return item()
        except (TypeError, ValueError, RuntimeError):
            return value
    return value


def csv_chunks(rows):
    """The bytes of a CSV with a header, from a DataFrame, an array, a dict of columns, or a list of rows."""
    import csv
    import io

    import tempfile

    for method, arguments in (("to_csv", {"index": False}), ("write_csv", {})):
        write = getattr(rows, method, None)
        if callable(write):
            # Through a file: the text of a large frame is larger than the frame.
            with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
                path = os.path.join(folder, "rows.csv")
                write(path, **arguments)
                with open(path, "rb") as file:
                    for chunk in iter(lambda: file.read(1 << 20), b""):
                        yield chunk
            return
    header, body = _table(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in body:
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > 1 << 20:
            yield buffer.getvalue().encode("utf-8")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8")


def _table(rows):
    if isinstance(rows, dict):
        columns = [list(column) for column in rows.values()]
        if len({len(column) for column in columns}) > 1:
            raise ValueError("the columns of the data differ in length")
        return [str(name) for name in rows], zip(*columns)
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    if isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__"):
        raise TypeError("data is a DataFrame, an array, a dict of columns or a list of rows, not %s" % type(rows).__name__)
    rows = list(rows)
    if rows and all(isinstance(row, dict) for row in rows):
        header = list(dict.fromkeys(key for row in rows for key in row))
        return [str(name) for name in header], ([row.get(name) for name in header] for row in rows)
    table = [list(row) if isinstance(row, (list, tuple)) or hasattr(row, "tolist") else [row] for row in rows]
    width = max((len(row) for row in table), default=0)
    if any(len(row) != width for row in table):
        raise ValueError("the rows of the data differ in length")
    return ["c%d" % index for index in range(width)], table


def _cell(value):
    value = _scalar(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else value
