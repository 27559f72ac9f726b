"""The part of YAML that `mlops.yaml` is written in, read strictly: one key's value, found by its path. The standard
library has no YAML, and guessing is no option here: what decides which personal columns are dropped is either
understood or refused.
"""
import re


class NotUnderstood(ValueError):
    """The value is there, and written in a way that this reader does not know."""


_KEY = re.compile(r"( *)(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^']|'')*)'|([^\s:#'\"{}\[\],&*!|>%@`-][^:#{}\[\]]*?))\s*:(?=\s|$)(.*)\Z")


def value_at(text, path):
    """The value at a path of keys, as dicts, lists, strings and numbers; None when it is not there.

    @raises NotUnderstood
    """
    return _find([line for line in text.splitlines() if not re.match(r"\s*(?:#|$)|---\s*$", line)], list(path))


def keys_at(text, path):
    """The keys of the map at a path; none when there is no map. What stands under them is not looked at.

    @raises NotUnderstood for a map in braces that is not understood
    """
    lines = [line for line in text.splitlines() if not re.match(r"\s*(?:#|$)|---\s*$", line)]
    for name in path:
        at, match = _line_of(lines, name)
        if match is None:
            return []
        rest = _uncommented(match.group(5)).strip()
        if rest:
            found = value_at(text, path)
            return list(found) if isinstance(found, dict) else []
        lines = _deeper(lines[at + 1 :], len(match.group(1)))
    depth = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    matches = [_KEY.match(line) for line in lines]
    return [_key(match) for match in matches if match is not None and len(match.group(1)) == depth]


def _line_of(lines, name):
    """Where a key of the outermost map stands, and its match; (0, None) when it is not there."""
    depth = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    for at, line in enumerate(lines):
        match = _KEY.match(line)
        if match is not None and len(match.group(1)) == depth and _key(match) == name:
            return at, match
    return 0, None


def _find(lines, path):
    at, match = _line_of(lines, path[0])
    if match is None:
        return None
    rest = _uncommented(match.group(5)).strip()
    inner = _deeper(lines[at + 1 :], len(match.group(1)))
    if len(path) == 1:
        return _value(rest, inner)
    if not rest:
        return _find(inner, path[1:])
    found = _value(rest, inner)
    for name in path[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _deeper(lines, indent):
    """The lines that belong to a key: deeper ones, and the items of a list, which may stand as deep as their key."""
    found = []
    for line in lines:
        mine = len(line) - len(line.lstrip(" "))
        if mine < indent or (mine == indent and not re.match(r" *-(?:\s|$)", line)):
            break
        found.append(line)
    return found


def _value(rest, lines):
    if rest:
        return _flow(" ".join([rest] + [_uncommented(line).strip() for line in lines]))
    if not lines:
        return None
    if re.match(r" *-(?:\s|$)", lines[0]):
        return _block_list(lines)
    return _block_map(lines)


def _block_list(lines):
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    items = []
    at = 0
    while at < len(lines):
        match = re.match(r"( *)-(?:(\s+)(.*))?\Z", lines[at])
        if match is None or len(match.group(1)) != indent:
            raise NotUnderstood("the line %r" % lines[at].strip()[:60])
        inner = _inside(lines[at + 1 :], indent)
        at += 1 + len(inner)
        item = _uncommented(match.group(3) or "").strip()
        if re.match(r"(?:[^\"'{\[][^:]*|\"[^\"]*\"|'[^']*'):(?:\s|$)", item):
            # The map begins behind the dash, as deep as its next keys.
            items.append(_block_map([" " * (indent + 1 + len(match.group(2))) + item] + inner))
        elif item or not inner:
            items.append(_flow(" ".join([item] + [_uncommented(line).strip() for line in inner])) if item else None)
        else:
            items.append(_value("", inner))
    return items


def _inside(lines, indent):
    """The lines that are deeper than a dash."""
    found = []
    for line in lines:
        if len(line) - len(line.lstrip(" ")) <= indent:
            break
        found.append(line)
    return found


def _block_map(lines):
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    result = {}
    at = 0
    while at < len(lines):
        match = _KEY.match(lines[at])
        if match is None or len(match.group(1)) != indent:
            raise NotUnderstood("the line %r" % lines[at].strip()[:60])
        inner = _deeper(lines[at + 1 :], indent)
        result[_key(match)] = _value(_uncommented(match.group(5)).strip(), inner)
        at += 1 + len(inner)
    return result


def _key(match):
    double, single, plain = match.group(2), match.group(3), match.group(4)
    return _unescape(double) if double is not None else single.replace("''", "'") if single is not None else plain


def _uncommented(text):
    """Without a comment: a # at the beginning or behind a space, outside of quotes."""
    quote = None
    at = 0
    while at < len(text):
        character = text[at]
        if quote == '"' and character == "\\":
            at += 1
        elif quote:
            quote = None if character == quote else quote
        elif character in "\"'" and (at == 0 or text[at - 1] in " \t[{,:"):
            quote = character
        elif character == "#" and (at == 0 or text[at - 1] in " \t"):
            return text[:at]
        at += 1
    return text


def _flow(text):
    found, at = _node(text, 0, inside=False)
    if text[at:].strip():
        raise NotUnderstood("the value %r" % text[:60])
    return found


def _node(text, at, inside):
    at = _blank(text, at)
    if at >= len(text):
        return None, at
    if text[at] == "[":
        return _sequence(text, at + 1)
    if text[at] == "{":
        return _mapping(text, at + 1)
    if text[at] in "\"'":
        return _quoted(text, at)
    if text[at] in "&*!|>%@`":
        raise NotUnderstood("the value %r" % text[at : at + 60])
    end = re.compile(r"[,\[\]{}]|:(?=\s|$)" if inside else r":(?=\s|$)|\Z").search(text, at)
    stop = end.start() if end else len(text)
    return _plain(text[at:stop].strip()), stop


def _sequence(text, at):
    items = []
    while True:
        at = _blank(text, at)
        if text[at : at + 1] == "]":
            return items, at + 1
        item, at = _node(text, at, inside=True)
        items.append(item)
        at = _after(text, at, "]")


def _mapping(text, at):
    result = {}
    while True:
        at = _blank(text, at)
        if text[at : at + 1] == "}":
            return result, at + 1
        key, at = _node(text, at, inside=True)
        at = _blank(text, at)
        if text[at : at + 1] != ":" or isinstance(key, (dict, list)):
            raise NotUnderstood("the map %r" % text[:60])
        value, at = _node(text, at + 1, inside=True)
        result[str(key)] = value
        at = _after(text, at, "}")


def _after(text, at, close):
    at = _blank(text, at)
    if text[at : at + 1] == ",":
        return at + 1
    if text[at : at + 1] != close:
        raise NotUnderstood("the value %r" % text[:60])
    return at


def _quoted(text, at):
    pattern = r"\"((?:[^\"\\]|\\.)*)\"" if text[at] == '"' else r"'((?:[^']|'')*)'"
    match = re.compile(pattern).match(text, at)
    if match is None:
        raise NotUnderstood("the quotes in %r" % text[:60])
    inner = match.group(1)
    return (_unescape(inner) if text[at] == '"' else inner.replace("''", "'")), match.end()


def _unescape(text):
    if "\\" not in text:
        return text
    import json

    try:
        return json.loads('"%s"' % text)
    except ValueError:
        raise NotUnderstood("the escape in %r" % text[:60]) from None


def _plain(text):
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if re.match(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z", text):
        return float(text)
    return text


def _blank(text, at):
    while at < len(text) and text[at] in " \t":
        at += 1
    return at
