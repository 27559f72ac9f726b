"""What `log_test` and `log_examples` record: held-out rows as truth, answer, score, id and columns of slices
(docs/evaluation.md), and a few rows with their outputs. From what a caller hands over to lines of JSON; where the lines
go is the business of `_run.py`. The rows themselves are never among them: they may hold personal data.
"""
import zlib

from ._cells import NAN, NULL, name_of, quote
from ._columns import column, framed, ids_of, listed, nth_column, same_length, width
from ._rowdigest import plain_texts, rows_digest
from ._rows import outputs, table

MOST_EXAMPLES = 100
# What readers take for something else than a column of slices (src/evaluation/roles.ts; a test compares).
RESERVED = (
    "id", "row_id", "truth", "y_true", "answer", "y_pred", "predicted", "score", "y_score", "probability", "proba",
)
_MAX_LINE = 1 << 20
_CHUNK = 20000
_POSITIVE = ("1", "1.0", "true", "yes", "y", "t", "positive")  # src/core/classes.ts; a test compares

_NO_DIGEST = "the test set has no digest, for %s; its file has one: mlops track --data test=FILE"


class HeldOut:
    """`rows` answers of a model on rows it was not trained on. Raises TypeError and ValueError for what does not fit."""

    def __init__(self, X, y, y_pred, y_score, ids, slices):
        self.remarks = []
        truth = column("y", y)
        self.rows = len(truth)
        if self.rows == 0:
            raise ValueError("log_test: y has no rows")
        self._table = self._features(X)
        self._columns = {}
        if ids is not None:
            self._columns["id"] = (ids_of(ids, self.rows), NULL)
        self._truth = truth
        answer, score = self._answers(truth, y_pred, y_score)
        if answer is not None:
            truth, answer = _in_one_spelling(truth, answer)
        self._columns["truth"] = (truth, NULL)
        if answer is not None:
            self._columns["answer"] = (answer, NAN)
        if score is not None:
            self._columns["score"] = (score, NAN)
        for name, values in self._sliced(slices):
            self._columns[name] = (values, NULL)

    @property
    def width(self):
        """How many columns the answered rows have; 0 when they were not handed over."""
        return 0 if self._table is None else len(self._table.values())

    def digest(self):
        """Says which rows these are; None when they were not handed over as a table."""
        return None if self._table is None else rows_digest(self._table.values(), self._truth)

    def chunks(self):
        return _packed(self._lines(), self.rows)

    def _lines(self):
        template = "{%s}\n" % ",".join(quote(name).replace("%", "%%") + ":%s" for name in self._columns)
        for start in range(0, self.rows, _CHUNK):
            parts = [plain_texts(values[start : start + _CHUNK], nan) for values, nan in self._columns.values()]
            yield "".join([template % row for row in zip(*parts)])

    def _features(self, X):
        if X is None:
            self.remarks.append(_NO_DIGEST % "X is None")
            return None
        if getattr(X, "ndim", 2) > 2:
            same_length("X", len(X), self.rows)
            self.remarks.append(_NO_DIGEST % ("X has %d dimensions" % X.ndim))
            return None
        found = table(framed(X))
        same_length("X", found.rows, self.rows)
        return found

    def _answers(self, truth, y_pred, y_score):
        """(answers, scores), either of which may be None."""
        score = None if y_score is None else self._score(y_score, truth)
        if y_pred is None:
            if score is None:
                raise ValueError("log_test: give y_pred, y_score, or both")
            return None, score
        count = width(y_pred)
        if count > 1:
            if y_score is not None or count > 2:
                raise ValueError(
                    "log_test: y_pred has %d columns; give one answer per row, and probabilities as y_score" % count
                )
            return None, self._score(y_pred, truth, "y_pred")
        answer = column("y_pred", y_pred)
        same_length("y_pred", len(answer), self.rows)
        return (None, answer) if score is None and _are_scores(answer, truth) else (answer, score)

    def _score(self, given, truth, name="y_score"):
        """Of two columns, as predict_proba gives them, that of the positive class."""
        count = width(given)
        if count > 2:
            self.remarks.append("scores of %d classes are not recorded, of two they are" % count)
            return None
        if count == 2:
            labels = _labels(truth)
            if len(labels) > 2:
                raise ValueError("log_test: %s has a column for each of 2 classes, and y has %d" % (name, len(labels)))
            given = nth_column(given, 0 if _first_is_positive(labels) else 1)
        score = column(name, given)
        same_length(name, len(score), self.rows)
        for at, value in enumerate(score):
            if value is not None and (isinstance(value, (str, bytes)) or not hasattr(value, "__float__")):
                raise ValueError("log_test: %s holds scores, and %.40r in row %d is no number" % (name, value, at))
        return score

    def _sliced(self, slices):
        """Pairs of a name and the values of a column by which metrics are looked at one by one."""
        if slices is None:
            return
        if isinstance(slices, str):
            slices = [slices]
        if not isinstance(slices, (list, tuple, set, frozenset)):
            found = table(slices)
            same_length("slices", found.rows, self.rows)
            columns = dict(found.values())
            names = list(columns)
        else:
            columns = {} if self._table is None else dict(self._table.values())
            names = [name_of(name) for name in slices]
        for name in names:
            if name not in columns:
                raise ValueError("log_test: X has no column %r to slice by; it has %s" % (name, listed(columns)))
            if name.lower() in RESERVED:
                raise ValueError("log_test: a column to slice by cannot be called %r; rename it: slices={'by_%s': …}" % (name, name))
            yield name, columns[name]()


def columns_of(X):
    """The names that `slices` can name, for what the configuration asks for."""
    return [] if X is None or getattr(X, "ndim", 2) > 2 else [name for name, _ in table(framed(X)).values()]


def examples(X, y_pred, dropped):
    """Lines of up to MOST_EXAMPLES rows, evenly spread, each as {"features": …, "output": …}, without the columns to drop."""
    features = table(framed(X)).without(dropped)
    answer = outputs(y_pred, features.rows)
    if features.rows == 0:
        raise ValueError("log_examples: X has no rows")
    if answer.rows != features.rows:
        raise ValueError("log_examples: X has %d rows, and y_pred has %d" % (features.rows, answer.rows))
    answer = answer.without(dropped)
    count = min(MOST_EXAMPLES, features.rows)
    lines = []
    for at in sorted({index * features.rows // count for index in range(count)}):
        line = '{"features":%s,"output":%s}\n' % (features.texts(at, at + 1)[0], answer.texts(at, at + 1)[0])
        data = line.encode("utf-8", "replace")
        if len(data) <= _MAX_LINE:
            lines.append(data)
    return lines


def _packed(texts, rows):
    """As they are, or compressed where that is worth it; readers tell gzip by its first bytes."""
    if rows <= _CHUNK:
        for text in texts:
            yield text.encode("utf-8", "replace")
        return
    packer = zlib.compressobj(5, zlib.DEFLATED, 31)  # 31: with the header of gzip, which then holds no time
    for text in texts:
        yield packer.compress(text.encode("utf-8", "replace"))
    yield packer.flush()


# -- classes and scores -----------------------------------------------------------------------------------------------


def _labels(values):
    """The different values, without missing ones; at most three, which is enough to know that there are not two."""
    found = []
    for value in values:
        if value is not None and value == value and value not in found:
            found.append(value)
            if len(found) == 3:
                break
    return found


def _are_scores(answer, truth):
    """Fractions between 0 and 1 for a truth of two values say how sure the positive one is, as src/core/classes.ts has it."""
    if any(isinstance(value, (str, bytes)) or not hasattr(value, "__float__") for value in answer):
        return False
    numbers = [float(value) for value in answer]
    return (
        all(0 <= number <= 1 for number in numbers)
        and any(number not in (0, 1) for number in numbers)
        and len(_labels(truth)) <= 2
    )


def _first_is_positive(labels):
    """Of two classes in the order of predict_proba: is the first one a word for yes, and the second none?"""
    try:
        words = [str(label).lower() for label in sorted(labels)]
    except TypeError:
        return False
    return len(words) == 2 and words[0] in _POSITIVE


def _in_one_spelling(truth, answer):
    """True and 1 are one class. Words on one side and numbers on the other are a mistake, which no metric would show."""
    kinds = [_kind(truth), _kind(answer)]
    if set(kinds) == {"bools", "numbers"}:
        return _as_numbers(truth), _as_numbers(answer)
    if set(kinds) == {"words", "numbers"} or set(kinds) == {"words", "bools"}:
        raise ValueError(
            "log_test: y holds %s such as %r, and y_pred %s such as %r: give the answers in the words of y"
            % (kinds[0], _labels(truth)[0], kinds[1], _labels(answer)[0])
        )
    return truth, answer


def _kind(values):
    kinds = {bool if isinstance(value, bool) else str if isinstance(value, str) else float for value in values if value is not None}
    return {bool: "bools", str: "words", float: "numbers"}[kinds.pop()] if len(kinds) == 1 else "values"


def _as_numbers(values):
    return [int(value) if isinstance(value, bool) else value for value in values]
