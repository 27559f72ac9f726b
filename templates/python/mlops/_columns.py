"""One column as Python values, from whatever holds one value per row: a list, an array, a Series, a frame of one column.
What the values mean is the business of `_heldout.py`. Errors are worded for the callers of `log_test`.
"""
from ._rows import python_values, table


def framed(X):
    """A Series of pandas is a column of rows here, whatever its index; elsewhere it may be one row."""
    return X.to_frame() if hasattr(X, "iloc") and not hasattr(X, "columns") else X


def column(name, values):
    """The Python values of one column: of a list, an array, a Series, or a frame or array of one column."""
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__iter__"):
        raise TypeError("log_test: %s is one value per row (a list, an array, a Series), not %s" % (name, type(values).__name__))
    if width(values) != 1:
        raise ValueError("log_test: %s has %d columns; one value per row is needed" % (name, width(values)))
    return _scalars(nth_column(values, 0))


def width(values):
    """How many columns: 1 for what has no second dimension."""
    if hasattr(values, "columns") or hasattr(values, "column_names"):
        return len(getattr(values, "column_names", None) or values.columns)
    if getattr(values, "ndim", None) is not None:
        shape = getattr(values, "shape", (0,))
        return int(shape[1]) if len(shape) == 2 else 1 if len(shape) == 1 else len(shape)
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], (list, tuple)):
        return len(values[0])
    return 1


def nth_column(values, at):
    if hasattr(values, "columns") or hasattr(values, "column_names"):
        return table(values).values()[at][1]()
    if not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        values = list(values)
    plain = python_values(values, 0, len(values))
    return [row[at] for row in plain] if plain and isinstance(plain[0], (list, tuple)) else plain


def _scalars(values):
    """numpy and torch scalars as Python values, which compare alike whatever they came in."""
    plain = (str, int, float, bool, type(None))
    if set(map(type, values)) <= set(plain):
        return values
    return [value if type(value) in plain else _scalar(value) for value in values]


def _scalar(value):
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    sort = getattr(getattr(value, "dtype", None), "kind", "")
    if sort in ("M", "m"):
        return None if str(value) == "NaT" else value
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def ids_of(ids, rows):
    found = [str(each) for each in column("ids", ids)]
    same_length("ids", len(found), rows)
    seen = {}
    for at, each in enumerate(found):
        if seen.setdefault(each, at) != at:
            raise ValueError("log_test: ids name rows, and %.60r is that of row %d and of row %d" % (each, seen[each], at))
    return found


def same_length(name, count, rows):
    if count != rows:
        raise ValueError("log_test: y has %d rows, and %s has %d" % (rows, name, count))


def listed(names):
    names = list(names)
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "") if names else "no named columns"
