"""What a caller hands to `watch` as rows of columns, whatever library made it, and as JSON texts, row by row.

`table(X)` never copies; `Table.frozen()` does, for what is encoded after the call has returned. Libraries are told
apart by what their objects can do: nothing is imported that the caller has not imported. Names to drop are given in
small letters and hold for any capitals.
"""
import functools

from ._cells import NAN, NULL, cell, cells, key, name_of

_FEW = 32


class Table:
    """Columns of equal length."""

    def __init__(self, names, columns, rows, nan=NULL, dropped=frozenset()):
        self._named = [name_of(name) for name in names]
        self.names = _distinct(self._named)
        self.columns = columns
        self.rows = rows
        self._nan = nan
        self._dropped = dropped

    @property
    def width(self):
        return len(self.names)

    def without(self, dropped):
        if not dropped:
            return self
        kept = [at for at, name in enumerate(self._named) if name.lower() not in dropped]
        return Table([self._named[at] for at in kept], [self.columns[at] for at in kept], self.rows, self._nan, dropped)

    def frozen(self):
        """A copy that the caller cannot change any more."""
        return Table(self.names, [_frozen(column) for column in self.columns], self.rows, self._nan, self._dropped)

    def texts(self, start, stop):
        """The JSON object of each row from `start` to `stop`."""
        if not self.names:
            return ["{}"] * (stop - start)
        parts = [python_values(column, start, stop) for column in self.columns]
        if self._dropped:
            parts = [scrubbed(part, self._dropped) for part in parts]
        return _objects(self.names, [cells(part, self._nan) for part in parts])

    def values(self):
        """Pairs of a name and a function that gives the Python values of that column."""
        return [(name, functools.partial(python_values, column, 0, self.rows)) for name, column in zip(self.names, self.columns)]


class Records:
    """Rows that are dicts of their own, with whatever keys each has."""

    def __init__(self, rows, dropped=frozenset()):
        self._rows = rows
        self.rows = len(rows)
        self._dropped = dropped

    @property
    def width(self):
        return len(self._rows[0]) if self._rows else 0

    def without(self, dropped):
        return Records(self._rows, self._dropped | dropped)

    def frozen(self):
        return Records([dict(row) for row in self._rows], self._dropped)

    def texts(self, start, stop):
        layouts = {}
        result = []
        for row in self._rows[start:stop]:
            keys = tuple(row)
            layout = layouts.get(keys)
            if layout is None:
                layout = layouts[keys] = self._layout(keys)
            kept, template = layout
            values = [row[name] for name in kept]
            if self._dropped:
                values = scrubbed(values, self._dropped)
            result.append(template % tuple(map(cell, values)))
        return result

    def values(self):
        """As `Table.values`, of every key that any row has; None where a row has it not."""
        keys = list(dict.fromkeys(key for row in self._rows for key in row))
        return [(name, functools.partial(self._column, key)) for name, key in zip(_distinct(keys), keys)]

    def _column(self, key):
        return [row.get(key) for row in self._rows]

    def _layout(self, keys):
        kept = [name for name in keys if name_of(name).lower() not in self._dropped]
        return kept, _template(_distinct(kept))


def table(rows, columns=None, nan=None):
    """@raises TypeError, ValueError for what is no table: the caller turns them into a dropped call"""
    if _is_pandas(rows):
        if not hasattr(rows, "columns"):
            return _pandas_series(rows, columns)
        if len(rows) <= _FEW:
            return _few(rows.columns, rows.to_numpy(dtype=object).tolist(), nan or NULL)
        return Table(rows.columns, [rows.iloc[:, at] for at in range(rows.shape[1])], len(rows), nan or NULL)
    if hasattr(rows, "get_columns") and hasattr(rows, "height"):  # polars
        if rows.height <= _FEW:
            return _few(rows.columns, rows.rows(), NAN)
        return Table(rows.columns, rows.get_columns(), rows.height, NAN)
    if hasattr(rows, "collect_schema") and hasattr(rows, "collect"):
        raise TypeError("a lazy frame has no rows yet: give frame.collect()")
    if hasattr(rows, "column_names") and hasattr(rows, "num_rows"):  # pyarrow table or record batch
        return Table(rows.column_names, [rows.column(at) for at in range(rows.num_columns)], rows.num_rows, NAN)
    if isinstance(rows, dict) or (hasattr(rows, "keys") and hasattr(rows, "items")):
        return _mapping(dict(rows.items()), nan or NULL)
    if hasattr(rows, "model_dump"):
        return Records([rows.model_dump()])
    if hasattr(rows, "toarray") and hasattr(rows, "tocsr"):  # a sparse matrix
        rows = rows.toarray()
    if hasattr(rows, "ndim") and hasattr(rows, "tolist"):
        return _array(rows, columns, nan or NULL)
    if isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__"):
        raise TypeError("rows are a DataFrame, an array, a list of dicts, a dict of columns or one dict, not %s" % type(rows).__name__)
    return _list(list(rows), columns, nan or NULL)


def outputs(answer, rows, columns=None):
    """What the model answered, as an object with `rows` and `texts`. One answer for one row may stand without a list."""
    if _is_frame(answer):
        return table(answer, columns, nan=NAN)
    if isinstance(answer, dict) or hasattr(answer, "model_dump"):
        found = table(answer, columns, nan=NAN)
        # One row answered with one object, whatever lists are in it.
        return _Answers([answer]) if rows == 1 and found.rows != 1 else found
    if getattr(answer, "ndim", None) == 0 or isinstance(answer, (str, bytes)) or not hasattr(answer, "__iter__"):
        return _Answers([answer])
    if getattr(answer, "ndim", 1) == 2 and hasattr(answer, "tolist") and hasattr(answer, "shape"):
        width = int(answer.shape[1])
        if width == 1:
            return _Answers(answer.reshape(-1) if hasattr(answer, "reshape") else [row[0] for row in answer.tolist()])
        if columns is not None or width <= 32:
            return _array(answer, columns or ["output_%d" % at for at in range(width)], NAN)
    if not hasattr(answer, "__len__") or not hasattr(answer, "__getitem__"):
        answer = list(answer)
    return _Answers(answer)


class _Answers:
    """Bare answers, one per row."""

    def __init__(self, column, dropped=frozenset()):
        self.column = column
        self.rows = len(column)
        self.width = 1
        self._dropped = dropped

    def without(self, dropped):
        return _Answers(self.column, dropped)

    def frozen(self):
        return _Answers(_frozen(self.column), self._dropped)

    def texts(self, start, stop):
        part = python_values(self.column, start, stop)
        return cells(scrubbed(part, self._dropped) if self._dropped else part, NAN)


def _few(names, rows, nan):
    """A handful of rows: taking them out of a frame column by column would cost more than their values."""
    columns = [list(column) for column in zip(*rows)] if rows else [[] for _ in names]
    return Table(names, columns, len(rows), nan)


def scrubbed(value, dropped, depth=0):
    """Without the members of these names, however deep they lie: what is personal is so inside of a column, too."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, dict):
        if depth > 8:
            return None
        return {name: scrubbed(inner, dropped, depth + 1) for name, inner in value.items() if name_of(name).lower() not in dropped}
    if isinstance(value, (list, tuple)):
        return None if depth > 8 else [scrubbed(inner, dropped, depth + 1) for inner in value]
    return value


def _objects(names, columns):
    template = _template(names)
    return [template % row for row in zip(*columns)]


def _template(names):
    return "{%s}" % ",".join([key(name).replace("%", "%%") + ":%s" for name in names])


def python_values(column, start, stop):
    """The Python values of a part of a column."""
    if hasattr(column, "iloc"):
        return column.iloc[start:stop].tolist()
    if hasattr(column, "dtype") and getattr(column.dtype, "kind", "") == "M":
        return list(column[start:stop])  # tolist would give bare counts of nanoseconds
    part = column[start:stop]
    for method in ("tolist", "to_list", "to_pylist"):
        convert = getattr(part, method, None)
        if convert is not None:
            return convert()
    return part if type(part) is list else list(part)


def _frozen(column):
    if type(column) is list:
        return list(column)
    if hasattr(column, "iloc"):
        return column.copy()
    if hasattr(column, "to_pylist"):
        return column  # of pyarrow: cannot be changed
    for method in ("clone", "copy"):
        duplicate = getattr(column, method, None)
        if duplicate is not None:
            return duplicate()
    return list(column)


def _pandas_series(series, columns):
    labels = list(series.index)
    if labels and all(isinstance(label, str) for label in labels):
        return Table(labels, [[value] for value in series.tolist()], 1)  # df.iloc[0]: one row
    name = columns[0] if columns else "c0" if series.name is None else series.name
    return Table([name], [series], len(series))


def _mapping(columns, nan):
    lengths = {_length(value) for value in columns.values()}
    if len(lengths) == 1 and None not in lengths:
        return Table(list(columns), [_sliceable(value) for value in columns.values()], lengths.pop(), nan)
    if None in lengths or not lengths:
        return Records([columns])
    raise ValueError("the columns differ in length: %s. For one row with lists in it: [row]" % (
        ", ".join("%s has %d" % (name_of(name), _length(value)) for name, value in list(columns.items())[:5])))


def _array(array, columns, nan):
    names = getattr(getattr(array, "dtype", None), "names", None)
    if names:  # a structured array
        return Table(names, [array[name] for name in names], len(array), nan)
    if hasattr(array, "detach"):  # torch
        array = array.detach().cpu()
    if array.ndim == 1:
        if columns is not None and len(columns) == len(array) and len(columns) != 1:
            return Table(columns, [[value] for value in array.tolist()], 1, nan)
        return Table(_names(columns, 1), [array], len(array), nan)
    if array.ndim != 2:
        raise ValueError("an array of rows has 2 dimensions, not %d" % array.ndim)
    width = int(array.shape[1])
    if len(array) <= _FEW and getattr(array.dtype, "kind", "") not in ("M", "m"):
        return _few(_names(columns, width), array.tolist(), nan)
    return Table(_names(columns, width), [array[:, at] for at in range(width)], int(array.shape[0]), nan)


def _list(rows, columns, nan):
    rows = [row.model_dump() if hasattr(row, "model_dump") else row for row in rows]
    if rows and all(isinstance(row, dict) for row in rows):
        return Records(rows)
    tuples = [list(row) if _length(row) is not None else [row] for row in rows]
    width = max(map(len, tuples)) if tuples else 0
    if any(len(row) != width for row in tuples):
        raise ValueError("the rows differ in length")
    if columns is not None and len(columns) == len(rows) and width == 1 and _length(rows[0]) is None and len(rows) > 1:
        return Table(columns, [[value] for value in rows], 1, nan)
    return Table(_names(columns, width), [list(column) for column in zip(*tuples)], len(rows), nan)


def _names(columns, width):
    if columns is None:
        return ["c%d" % at for at in range(width)]  # as set_baseline names the columns of an array
    if len(columns) != width:
        raise ValueError("%d names for %d columns" % (len(columns), width))
    return columns


def _distinct(names):
    """As strings; a name that comes again, or in other capitals only, is numbered: readers could not tell them apart."""
    result = [name_of(name) for name in names]
    if len({name.lower() for name in result}) == len(result):
        return result
    seen = set()
    for at, name in enumerate(result):
        number = 0
        while result[at].lower() in seen:
            number += 1
            result[at] = "%s.%d" % (name, number)
        seen.add(result[at].lower())
    return result


def _length(value):
    """How many values a column has; None for a single value."""
    if isinstance(value, (str, bytes, bytearray, dict)) or not hasattr(value, "__len__"):
        return None
    if not hasattr(value, "__iter__") or getattr(value, "ndim", 1) != 1:
        return None
    return len(value)


def _sliceable(column):
    return column if hasattr(column, "__getitem__") else list(column)


def _is_pandas(value):
    return hasattr(value, "iloc") and hasattr(value, "to_numpy")


def _is_frame(value):
    """A DataFrame or table of any library; not a single column."""
    if _is_pandas(value):
        return hasattr(value, "columns")
    return (hasattr(value, "get_columns") and hasattr(value, "height")) or hasattr(value, "column_names")
