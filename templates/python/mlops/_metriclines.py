"""Lines of metrics, made fast: a training loop logs a hundred thousand of them. Byte for byte what `_canonical.py` makes of
the same record, which is asked for whatever is not plain.
"""
import time

from . import _values
from ._canonical import canonical

_MOST_KEYS = 10_000
_SAFE = 2 ** 53 - 1

_keys = {}
_second = (-1, "")


def metric_line(name, value, step):
    """One line as bytes. Raises TypeError or ValueError for what is no metric."""
    head = _keys.get(name) if type(name) is str else None
    if head is None:
        head = _head(name)
    kind = type(value)
    if kind is not float and kind is not int:
        value = _values.number(name, value)
        kind = type(value)
    text = float.__repr__(value) if kind is float else None
    if kind is float and "e" not in text and "n" not in text and text[-2:] != ".0":
        pass
    elif kind is int and -_SAFE <= value <= _SAFE:
        text = int.__repr__(value)
    else:
        text = canonical(value)
    if step is None:
        return ('%s"t":"%s","value":%s}\n' % (head, now(), text)).encode("utf-8")
    if type(step) is not int or not -_SAFE <= step <= _SAFE:
        step = canonical(_values.step(step))
    return ('%s"step":%s,"t":"%s","value":%s}\n' % (head, step, now(), text)).encode("utf-8")


def _head(name):
    head = '{"key":%s,' % canonical(_values.check_key("metric", name))
    if len(_keys) < _MOST_KEYS:
        _keys[name] = head
    return head


def now():
    """RFC 3339 in UTC with milliseconds."""
    global _second
    milliseconds = int(time.time() * 1000)
    whole = milliseconds // 1000
    known, text = _second
    if known != whole:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = (whole, text)
    return "%s.%03dZ" % (text, milliseconds - whole * 1000)
