"""`mlops.monitor("churn-model")`: what a service or script says about a model in production.

Misuse at set-up raises at once; `watch` never raises and never waits, whatever is wrong with the rows or the disk.
"""
import functools
import inspect
import os
import threading
import time as _clock

from . import _run, _settings, _values, _watch
from ._daily import DailyFiles
from ._place import Place, ServedVersion
from ._writer import Writer

_logs = {}
_logs_lock = threading.Lock()
_labels_lock = threading.Lock()


class Monitor:
    """Made by `mlops.monitor(model)`. Threads and forked processes may share one."""

    def __init__(self, model, drop=(), sample=None, feature_names=None):
        self.model = _values.check_name("model", model)
        self._drop = frozenset([drop] if isinstance(drop, str) else drop)
        if not all(isinstance(name, str) for name in self._drop):
            raise ValueError("drop is a list of names of columns")
        if sample is not None and not (isinstance(sample, (int, float)) and 0 < sample <= 1):
            raise ValueError("sample is above 0 and up to 1, not %r" % (sample,))
        self._sample = sample
        self.feature_names = None if feature_names is None else [str(name) for name in feature_names]
        self._threshold = None
        self._channels = []
        self._cwd = os.getcwd()
        self._log = None

    # -- what a check compares with, and whom it tells ----------------------------------------------------------------

    def set_baseline(self, rows):
        """Keeps `rows` (a DataFrame, an array, a dict of columns, a list of rows) as the baseline of the model.

        A wish of the active run, done by the mlops program when the run ends well. Without an active run it is a run
        of its own.
        """
        run = _run.current()
        if run is not None:
            run.set_baseline(rows, model=self.model)
            return
        with _run.begin(self.model) as own:
            own.set_baseline(rows)

    @property
    def drift_threshold(self):
        """The effect from which a column counts as drifted, where mlops.yaml says nothing."""
        return self._threshold

    @drift_threshold.setter
    def drift_threshold(self, value):
        self._threshold = _settings.check_threshold(value)
        self._save({"threshold": self._threshold})

    def on_drift(self, action="alert", channel=()):
        """Whom `mlops drift --alert` tells, where mlops.yaml says nothing: a channel or a list. `[]` tells nobody."""
        if action != "alert":
            raise ValueError('the action on drift is "alert" (a retraining is set up in its policy), not %.40r' % (action,))
        channels = _settings.check_channels(channel)
        self._channels = list(dict.fromkeys(self._channels + channels)) if channels else []
        self._save({"channels": self._channels})

    def _save(self, wanted):
        _settings.save(Place(self.model, self._cwd, os.environ).store, self.model, wanted)

    # -- logging ------------------------------------------------------------------------------------------------------

    def watch(self, rows, output=None, **members):
        """Logs one prediction per row. Returns their ids, by which labels are joined later. Never raises, never waits.

        `rows`: a DataFrame (pandas, polars), an array, a pyarrow table, a list of dicts, a dict of columns, one dict.
        `output` (or `y_pred`): the answers, one per row. The rest is one value for all rows, or one per row: `ids`,
        `time`, `version`, `variant`, `latency_ms`, `status`, `error`, `user`, `segment`, `tokens`, `cost`, `tags`.
        `columns` names the columns of an array, `output_columns` those of an array of answers.
        """
        ids = []
        log = None
        try:
            log = self._opened()
            output = _answer(output, members)
            features = _watch.prepare(rows, members.pop("columns", None) or self.feature_names, log.drop)
            ids = _watch.take_ids(members.pop("ids", None), _count(features, output))
            self._put(log, features, output, ids, members)
        except Exception as error:
            _count_loss(log, max(1, len(ids)), error)
        return ids

    def predicting(self, rows=None, **members):
        """Times a prediction and logs it, with the exception if it failed. The exception goes on to the caller.

            with m.predicting(X) as p:
                p.output = model.predict(X)

            @m.predicting()
            def predict(X): return model.predict(X)      # the first argument and what is returned are logged
        """
        if inspect.isfunction(rows) or inspect.ismethod(rows):
            return Prediction(self, None, members)(rows)
        return Prediction(self, rows, members)

    def label(self, ids, labels, day=None):
        """Keeps the truth about predictions, by their ids. `day` (YYYY-MM-DD, UTC) is that of the predictions, where it
        is known. Unlike `watch` it waits for the disk, and raises an OSError when the labels could not be kept.
        """
        pairs = list(zip(_watch.take_ids(ids, len(ids)), labels))
        log = self._opened()
        if log.problem is not None:
            raise OSError(log.problem)
        with _labels_lock:
            if log.labels is None or log.labels_pid != os.getpid():
                from ._labels import label_sink

                log.labels, log.labels_pid = label_sink(log.place, self.model), os.getpid()
            log.labels.put(pairs, day)

    @property
    def problem(self):
        """Why nothing can be logged; None when it can."""
        try:
            return self._opened().problem
        except Exception as error:
            return str(error) or type(error).__name__

    def flush(self, timeout=None):
        """Waits until everything is written; False when `timeout` seconds did not suffice. Never raises."""
        try:
            return self._opened().writer.flush(timeout)
        except Exception:
            return False

    @property
    def dropped(self):
        """How many predictions of this model this process could not log."""
        return 0 if self._log is None else self._log.writer.dropped

    @property
    def last_error(self):
        """Why the last of them was not logged; None when none was dropped."""
        return None if self._log is None else self._log.writer.last_error

    def _opened(self):
        if self._log is None:
            self._log = _log_of(self.model, self._cwd, self._drop, self._sample)
        return self._log

    def _put(self, log, features, output, ids, members):
        unknown = set(members) - _MEMBERS
        if unknown:
            raise TypeError("watch knows no %s" % ", ".join(sorted(unknown)))
        if log.problem is not None:
            log.writer.drop(len(ids), log.problem)
        elif ids:
            call = _watch.Call(self.model, features, output, ids, members, log.drop, log.sample)
            if call.rows > call.skipped:
                log.writer.put(call)

    def __repr__(self):
        return "<mlops monitor of %s>" % self.model


_MEMBERS = frozenset(_watch._TEXTS) - {"sample_rate"} | {"time", "output_columns"}


class Prediction:
    """One prediction on its way. `output`, `ids` and every member of `watch` may be set until it ends."""

    def __init__(self, monitor, rows, members):
        self._monitor = monitor
        self._rows = rows
        self._members = dict(members)
        self._output = None
        self.ids = []

    @property
    def id(self):
        """The id of the (first) row, for the answer to the client: labels are joined by it."""
        return self.ids[0] if self.ids else None

    @property
    def output(self):
        return self._output

    @output.setter
    def output(self, value):
        self._output = value

    def set(self, **members):
        """Adds members that are known only now: `p.set(segment="eu", tokens=512)`."""
        self._members.update(members)

    def __enter__(self):
        self._log = self._features = None
        self._failed = None
        try:
            # At the beginning: prediction code may change its rows in place.
            self._log = self._monitor._opened()
            columns = self._members.pop("columns", None) or self._monitor.feature_names
            self._features = _watch.prepare(self._rows, columns, self._log.drop)
            if self._features is not None:
                self.ids = _watch.take_ids(self._members.pop("ids", None), self._features.rows)
        except Exception as error:
            self._failed = error
        self._started = _clock.perf_counter()
        return self

    def __exit__(self, kind, error, trace):
        elapsed = (_clock.perf_counter() - self._started) * 1000
        if error is not None and not isinstance(error, Exception):
            return False  # Ctrl-C, a cancelled task: nobody was answered, and nothing failed
        try:
            if self._failed is not None:
                raise self._failed
            members = dict(self._members)
            output = _answer(self._output, members)
            members.setdefault("latency_ms", round(elapsed, 3))
            if error is not None:
                output = None
                members.setdefault("status", "error")
                members.setdefault("error", kind.__name__)
            if not self.ids:
                self.ids = _watch.take_ids(members.pop("ids", None), _count(self._features, output))
            self._monitor._put(self._log, self._features, output, self.ids, members)
        except Exception as problem:
            _count_loss(self._log, max(1, len(self.ids)), problem)
        return False

    def __call__(self, function):
        """As a decorator. Every call of the function is a prediction of its own."""
        monitor, members = self._monitor, self._members
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args, **kwargs):
                with Prediction(monitor, _first(function, args, kwargs), members) as prediction:
                    prediction.output = await function(*args, **kwargs)
                return prediction.output
        else:

            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                with Prediction(monitor, _first(function, args, kwargs), members) as prediction:
                    prediction.output = function(*args, **kwargs)
                return prediction.output

        return wrapper


def monitor(model, drop=(), sample=None, feature_names=None):
    """The monitor of a model.

    `drop`: columns that are never logged, besides those of mlops.yaml; `sample`: the share of predictions to log (the
    failed ones always are), where mlops.yaml says nothing; `feature_names`: the columns of arrays.
    """
    return Monitor(model, drop, sample, feature_names)


class _Log:
    """Where the predictions of a model go, shared by all its monitors of this process."""

    def __init__(self, place, drop, sample, writer):
        self.drop = frozenset(name.lower() for name in drop | place.drop)
        self.sample = place.sample if place.sample is not None else sample
        self.problem = place.problem
        self.place = place
        self.labels = None
        self.labels_pid = None
        self.writer = writer


def _log_of(model, cwd, drop, sample):
    place = Place(model, cwd, os.environ)
    key = (model, place.home)
    with _logs_lock:
        writer = _logs.get(key)
        if writer is None:
            writer = _logs[key] = Writer(_sink(place, model), ServedVersion(place.store, model, os.environ))
    return _Log(place, drop, sample, writer)


def _sink(place, model):
    if not place.is_postgres:
        return DailyFiles(place.home, model, create=place.named)
    from ._postgres import Postgres

    return Postgres(place.home, DailyFiles(place.in_store, model) if place.has_store else None)


def _answer(output, members):
    other = members.pop("y_pred", None)
    return other if output is None else output


def _count(features, output):
    if features is not None:
        return features.rows
    if output is None:
        raise ValueError("neither rows nor output were given")
    return len(output) if hasattr(output, "__len__") and not isinstance(output, (str, bytes, dict)) else 1


def _first(function, args, kwargs):
    """The first argument that is no `self`."""
    names = list(inspect.signature(function).parameters)
    method = bool(names) and names[0] in ("self", "cls")
    if len(args) > method:
        return args[method]
    return kwargs.get(names[method]) if len(names) > method else None


def _count_loss(log, rows, error):
    words = "%s (%s)" % (str(error).strip()[:300] or "no reason given", type(error).__name__)
    try:
        if log is not None:
            log.writer.drop(rows, words)
        else:
            _run._warn_once("predictions are not logged: " + words)
    except Exception:
        pass  # nothing may come between a model and its answer


def _forked():
    global _logs_lock, _labels_lock
    _logs_lock = threading.Lock()
    _labels_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
