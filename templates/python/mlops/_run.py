"""One run, as the training script sees it. `RunFiles` (`_runfiles.py`) writes; `Run` is what users hold.

Two ways to be: *attached* to the run of `mlops track` (MLOPS_RUN_ID), which writes the beginning and the end; or the
*owner* of a run that this client creates and ends itself. A third is *silent*: there is no store, or it fails; then a
warning is printed once, and training goes on.
"""
import os
import sys
import time

from . import _facts, _notebook, _values
from ._arguments import read_arguments
from ._aside import SlowFacts
from ._environment import host, interpreter
from ._metriclines import metric_line
from ._process import own_process
from ._project import find_project
from ._redact import REDACTED, redact_param, redact_text
from ._runfiles import RunFiles, StoreTrouble
from ._store import create_store, open_store
from ._usage import Usage

VERSION = "0.1.0"
TOOL = "mlops-python " + VERSION
_PATIENCE_SECONDS = 2
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def warn(message):
    """On stderr, where it does not mix with results. Never fails: the script may have closed it."""
    try:
        sys.stderr.write("mlops: %s\n" % message)
        sys.stderr.flush()
    except Exception:
        pass


class Run:
    """Made by `mlops.track(…)` or `mlops.start(…)`, never directly."""

    def __init__(self, model, tags, params, asked=False):
        self._asked = asked  # by name, with mlops.track(…)
        self.model = None if model is None else _values.check_name("model", model)
        tags = _tag_list(tags or ())
        self.id = None
        self.ended = False
        self.entered = False
        self.failure = None
        self._files = None
        self._attached = False
        self._started = _beginning()
        self._boot = _booted()
        self._usage = Usage(whole=self._started <= _LOADED)
        self._pid = os.getpid()
        self._warnings = []
        self._late = {}
        self._wishes = []
        self._begin()
        for tag in tags:
            self.set_tag(tag)
        if params:
            self.log_params(params)

    # -- logging ------------------------------------------------------------------------------------------------------

    def log_metric(self, name, value, step=None):
        """Records a number: int, float, bool, numpy or torch scalar; NaN and infinities are kept as they are."""
        if self.ended:
            self._assert_open()
        line = metric_line(name, value, step)
        # Whoever logs again after an exception has gone on.
        self.failure = None
        if self._files is not None:
            try:
                self._files.write("metrics", line)
            except (OSError, StoreTrouble) as error:
                self._not_recorded("a line of metrics", error)

    def log_metrics(self, metrics, step=None):
        """Records several numbers, at the same step."""
        self._append("metrics", [metric_line(*item, step) for item in _mapping("metrics", metrics).items()])

    def log_param(self, name, value):
        """Records a parameter: text, a number, a bool or None; anything else as text."""
        self.log_params({name: value})

    def log_params(self, params):
        """Records several parameters."""
        lines = []
        for name, value in _mapping("params", params).items():
            key, plain = _values.check_key("parameter", name), _values.param(value)
            kept = redact_param(key, plain)
            if kept != plain:
                self._say("parameter %s looks like a secret, so %s is stored" % (key, REDACTED))
            lines.append({"t": _now(), "key": key, "value": kept})
        self._append("params", lines)

    def set_tag(self, tag):
        """Adds a tag to the run. ValueError when it looks like a secret: a tag is kept for ever."""
        self._append("tags", [{"t": _now(), "tag": _values.check_tag(tag)}])

    def log_artifact(self, path):
        """Copies a file, or every file of a folder, into the store. Raises FileNotFoundError when it is not there."""
        path = os.fspath(path)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if os.path.isdir(path):
            found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in sorted(names)]
            home = path
        elif os.path.isfile(path):
            found = [path]
            home = None
        else:
            raise FileNotFoundError("log_artifact: there is no file or folder %r in %s" % (path, os.getcwd()))
        for each in found:
            if self._stays_inside(each, home):
                self._guard("artifact %s" % each, self._store_artifact, each)

    def log_test(self, X, y, y_pred, y_score=None, ids=None, slices=None):
        """Records what the model answers on rows it was not trained on: the evidence that gates compare by.

        `y` is the truth and `y_pred` the answers, one per row: classes, numbers, or for two classes probabilities (also
        both columns of predict_proba); `y_score` are probabilities beside classes, `ids` names of the rows. Kept are
        these, the columns that `slices` names (of X, or a dict or frame of its own; else those that the gates of
        mlops.yaml name), and a digest of X and y. The other columns of X are not kept. The last call of a run counts.
        """
        from . import _heldout

        self._assert_open()
        asked = self._configured_slices(X) if slices is None else slices
        found = _heldout.HeldOut(X, y, y_pred, y_score, ids, asked)
        self._guard("the held-out evidence", self._put_test, found)

    def log_examples(self, X, y_pred):
        """Records up to 100 rows, spread evenly over X, with the outputs that the model must give for them.

        The rows are kept as they are, but for the columns under `predictions: {drop: […]}` of mlops.yaml.
        """
        from . import _evidence_config, _heldout

        self._assert_open()
        dropped, problem = _evidence_config.dropped_columns(self._project, self.model)
        lines = _heldout.examples(X, y_pred, dropped)
        if problem is not None:
            # It may say which personal columns to drop: better no examples than some that should not be there.
            self._say("no examples are recorded, for `predictions` cannot be read in %s" % problem, ". Training goes on")
            return
        gone = [name for name in _heldout.columns_of(X) if name.lower() in dropped]
        if gone:
            self._say("the examples lack what predictions.drop of mlops.yaml names: %s" % ", ".join(gone))
        self._guard("the examples", self._put_examples, lines)

    def register(self, stage=None, tags=(), message=None, model=None):
        """Asks that this run become the next version of its model, once it has ended well."""
        name = _values.check_name("model", model) if model is not None else self.model
        if name is None:
            raise ValueError('register needs a model: mlops.track("churn-model"), or register(model="churn-model")')
        intent = {"format": 1, "kind": "register", "model": name, "tags": _tag_list(tags)}
        if stage is not None:
            intent["stage"] = _values.check_name("stage", stage)
            if stage == "production":
                raise ValueError(
                    "a script cannot register into production, which a person approves: use stage='staging', then "
                    "mlops promote %s --to production" % name
                )
        if message is not None:
            intent["message"] = redact_text(str(message).encode("utf-8", "replace").decode("utf-8"))
        self._wish(intent)

    def set_baseline(self, rows, model=None):
        """Keeps `rows` as what production data of the model is compared with, where a version has no baseline."""
        name = _values.check_name("model", model) if model is not None else self.model
        if name is None:
            raise ValueError('set_baseline needs a model: mlops.monitor("churn-model").set_baseline(X)')
        chunks = _values.csv_chunks(rows)
        if self._files is None:
            return
        pin = self._guard("the baseline", self._files.store.put_object, chunks)
        if pin is not None:
            self._wish({"format": 1, "kind": "baseline", "model": name, "data": pin})

    # -- beginning and end --------------------------------------------------------------------------------------------

    def end(self, status="finished"):
        """Ends the run: "finished", "failed" or "interrupted". A second call does nothing."""
        if status not in ("finished", "failed", "interrupted"):
            raise ValueError('a run ends "finished", "failed" or "interrupted", not %r' % (status,))
        if self.ended or os.getpid() != self._pid:
            return
        self.ended = True
        _forget(self)
        if self._files is None:
            return
        self._guard("the notebook", self._take_notebook)
        if self._attached:
            # The program that started us writes the end; it alone knows how the command ended.
            self._files.close()
            return
        if self._guard("the end of the run", self._write_end, status) and status == "finished":
            self._apply_wishes()

    def __enter__(self):
        self.entered = True
        return self

    def __exit__(self, kind, error, trace):
        self.end(_status_of(kind, error))
        return False

    def __repr__(self):
        return "<mlops run %s%s%s>" % (
            self.id or "(not recorded)", "" if self.model is None else " of " + self.model, ", ended" if self.ended else ""
        )

    # -- inside -------------------------------------------------------------------------------------------------------

    def _begin(self):
        env = os.environ
        self._cwd = os.getcwd()
        self._project = find_project(self._cwd, env)
        store = self._find_store(self._project)
        if store is None:
            return
        outer = env.get("MLOPS_RUN_ID")
        # Attached: under `mlops track`, or in a worker of a script that owns a run; only the owner ends it. A run that
        # this very process owns becomes the parent of one that is started inside of it.
        mine = env.get("_MLOPS_CLIENT_RUN") == outer and env.get("_MLOPS_CLIENT_PID") == str(os.getpid())
        if outer and env.get("MLOPS_STORE") and not mine and not self._is_another(outer):
            if not os.path.exists(store.path("runs/%s/end.json" % outer)):
                self._guard("this script's part of run %s" % outer, self._attach, store, outer)
                return
        self._guard("this run", self._create, store, outer)

    def _is_another(self, outer):
        """One run cannot hold two: a loop of `with mlops.track(…)` would leave the values of its last turn alone."""
        here = (os.getpid(), outer)
        if not self._asked or here not in _attached_here:
            if self._asked:
                _attached_here.add(here)
            return False
        _warn_once(
            "this is not the first mlops.track() of this process: the first writes into run %s of `mlops track`, the "
            "others are runs of their own, started by it" % outer
        )
        return True

    def _find_store(self, project):
        store, problem = open_store(project.store)
        if store is None and project.config_file and not project.explicit and not os.path.lexists(project.store):
            # The project's folder is here, its store is not: a fresh clone on the machine that trains.
            if project.is_shared:
                return self._pull_store(project)
            try:
                store = create_store(project.store)
                warn("made a new store at %s; `mlops init` completes it" % project.store)
            except OSError as error:
                problem = "no store could be made at %s (%s)" % (project.store, error)
        if store is None:
            _warn_once("%s: nothing of this run is recorded. Make a store: mlops init" % problem)
        return store

    def _pull_store(self, project):
        """The team's store is a branch of a git remote, and a second store beside it would be nobody's."""
        import shutil
        import subprocess

        program = os.environ.get("MLOPS_BIN") or shutil.which("mlops")
        try:
            if program:
                quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
                subprocess.run([program, "store", "pull", "--no-input"], cwd=project.root, timeout=300, **quiet)
        except (OSError, subprocess.SubprocessError):
            pass  # What is missing is said below.
        store, problem = open_store(project.store)
        if store is None:
            _warn_once("%s: nothing of this run is recorded. Bring the team's store here: mlops store pull" % problem)
        return store

    def _attach(self, store, run):
        self._files = RunFiles(store, run)
        self._attached = True
        self.id = run
        record = {
            "format": 1, "writer": self._files.writer, "pid": os.getpid(), "python": interpreter(),
            "tool": TOOL, "time": _now(),
        }
        process = own_process()
        if process is not None:
            record["process"] = process
        if self.model is not None:
            record["model"] = self.model
        store.put_record("runs/%s/clients/%s.json" % (run, self._files.writer), record)

    def _create(self, store, outer):
        run = ulid(self._started)
        inside = os.path.relpath(self._cwd, self._project.root)
        record = {
            "format": 1, "id": run, "started": _timestamp(self._started), "command": _facts.command(),
            "cwd": self._cwd if inside.startswith("..") else inside.replace(os.sep, "/"),
            "python": interpreter(),
            "env": _facts.environment(os.environ), "host": host(), "data": [], "params": {}, "tags": [],
            "actor": _facts.actor(os.environ), "tool": TOOL, "source": "python",
        }
        if self.model is None and outer:
            # What a run starts trains the model that it trains, unless it names another.
            self.model = os.environ.get("MLOPS_RUN_MODEL") or None
        if self.model is not None:
            record["model"] = self.model
        seed = _facts.seed(os.environ)
        if seed is not None:
            record.update({"seed": seed, "seedFrom": "environment"})
        if outer:
            record["parent"] = outer
            # A part of a repetition is marked as one, as `mlops track` does (REPRODUCTION_TAG).
            if os.environ.get("MLOPS_REPRODUCES"):
                record.update({"reproduces": os.environ["MLOPS_REPRODUCES"], "tags": ["reproduction"]})
        process = own_process()
        if process is not None:
            record["process"] = process
        self._slow = SlowFacts(self._cwd, self._project.root, store)
        record.update(self._slow.take(_PATIENCE_SECONDS))
        if store.put_record("runs/%s/run.json" % run, record) is None:
            raise OSError("run %s exists already" % run)
        self._files = RunFiles(store, run)
        self._record = record
        self.id = run
        self._marks = self._marks_of_artifacts()
        self._guard("the flags of the command", self._record_arguments)
        self._files.start_heart()
        # Workers that this script starts write into this run instead of making their own.
        self._outer_env = {name: os.environ.get(name) for name in _CHILD_ENV}
        folder = os.path.join(store.root, "runs", run)
        os.environ.update(zip(_CHILD_ENV, (store.root, run, folder, self.model or "", run, str(os.getpid()))))

    def _record_arguments(self):
        """The flags of the script, for every run of it; not those of a notebook's kernel or a program that runs for days."""
        if "ipykernel" in sys.modules or _argv0_is_a_host():
            return
        t = _timestamp(self._started)
        found = read_arguments(self._record["command"]).items()
        if found:
            self._files.append("params", [{"t": t, "key": key, "value": value, "from": "argument"} for key, value in found])

    def _assert_open(self):
        if self.ended:
            raise RuntimeError("this run has ended; nothing can be logged into it any more")

    def _configured_slices(self, X):
        """The columns of X that the configuration looks at one by one, without those that are never to be kept."""
        from . import _evidence_config, _heldout

        names, problem = _evidence_config.sliced_columns(self._project, self.model)
        dropped, drop_problem = _evidence_config.dropped_columns(self._project, self.model)
        problem = problem or drop_problem
        if problem is not None:
            self._say("no columns are kept for slices, for %s; name them: log_test(…, slices=[…])" % problem)
            return []
        there = _heldout.columns_of(X) if names else []
        kept = [name for name in names if name in there and name.lower() not in dropped]
        for name in names:
            if name in there and name not in kept:
                self._say("column %s is not kept for slices: predictions.drop of mlops.yaml names it" % name)
            elif name not in there:
                self._say("X has no column %s, which gates look at; hand it over: log_test(…, slices={%r: values})" % (name, name))
        return kept

    def _put_test(self, found):
        record = {"format": 1, "kind": "test", "time": _now(), "rows": found.rows, "columns": found.width}
        remarks = list(found.remarks)
        try:
            digest = found.digest()
            if digest is not None:
                record["rowsDigest"] = digest
        except Exception as error:  # values of libraries, whatever they raise: the answers are worth more
            remarks.append("the test set has no digest: %s" % type(error).__name__)
        try:
            record["data"] = self._files.store.put_object(found.chunks())
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError) as error:
            raise StoreTrouble("%s: %s" % (type(error).__name__, error)) from error
        self._files.put_evidence(record)
        for remark in remarks:
            self._say("log_test: %s" % remark)

    def _put_examples(self, lines):
        record = {"format": 1, "kind": "examples", "time": _now(), "rows": len(lines)}
        record["data"] = self._files.store.put_object(lines)
        self._files.put_evidence(record)

    def _append(self, stream, lines):
        self._assert_open()
        # Whoever logs again after an exception has gone on.
        self.failure = None
        if self._files is not None and lines:
            self._guard("a line of %s" % stream, self._files.append, stream, lines)

    def _stays_inside(self, path, folder=None):
        """False, said once, for a link that leads out of the folder that was named, or else out of the project."""
        full, real = os.path.abspath(path), os.path.realpath(path)
        homes = [folder] if folder else [self._project.root, self._cwd]
        if not folder and not any(_is_in(full, os.path.abspath(home)) for home in homes):
            homes.append(os.path.dirname(full))  # named outright, somewhere else: it may stay where it is
        if any(_is_in(real, os.path.realpath(home)) for home in homes):
            if os.path.islink(path):
                self._say("%s is a link; the content of %s is stored" % (path, real))
            return True
        where = "the folder %s" % folder if folder else "the project"
        self._say("artifact %s was not recorded: it leads out of %s, to %s" % (path, where, real))
        return False

    def _store_artifact(self, path):
        pin = self._files.store.put_file(path)
        line = {"t": _now(), "path": self._recorded_path(path)}
        self._append("artifacts", [dict(line, **pin)])
        return pin

    def _recorded_path(self, path):
        """Relative to the run's folder and without `..`: a file outside of it keeps the part that is its own."""
        inside = os.path.relpath(os.path.abspath(path), self._run_cwd()).replace(os.sep, "/")
        while inside.startswith("../"):
            inside = inside[3:]
        return _facts.well_formed(inside)

    def _run_cwd(self):
        return self._cwd

    def _wish(self, intent):
        if self.ended:
            raise RuntimeError("this run has ended; it can be registered by hand: mlops register %s --run %s" % (
                intent["model"], self.id))
        if self._files is None:
            return
        if self._guard("the wish for a %s" % intent["kind"], self._files.put_intent, intent):
            self._wishes.append((intent["kind"], intent["model"]))

    def _guard(self, what, work, *arguments):
        """Runs what touches the disk. A failure is said once and never stops the script. Returns None then."""
        if self._files is None and work not in (self._attach, self._create):
            return None
        try:
            result = work(*arguments)
            return True if result is None else result
        except (OSError, StoreTrouble) as error:
            self._not_recorded(what, error)
            return None

    def _not_recorded(self, what, error):
        self._say("%s could not be recorded: %s" % (what, error), ". Training goes on")

    def _say(self, words, more=""):
        """Once on stderr, and among the warnings of the run."""
        if len(self._warnings) < 50:
            self._warnings.append(_facts.well_formed(words))
        _warn_once(words + more)

    def _marks_of_artifacts(self):
        marks = {}
        for pattern in self._project.artifact_patterns(self.model):
            for path in self._project.files_matching(pattern):
                marks[path] = _mark(path)
        return marks

    def _take_artifacts(self):
        """Files that match the model's `artifact:` pattern and were written during the run."""
        logged = {line.get("path") for line in self._files.lines("artifacts")}
        for pattern in self._project.artifact_patterns(self.model):
            for path in self._project.files_matching(pattern):
                if self._marks.get(path) == _mark(path) or self._recorded_path(path) in logged:
                    continue
                if self._stays_inside(path):
                    self._files.append("artifacts", [self._artifact(path)])

    def _take_notebook(self):
        shell = _notebook.kernel()
        if shell is None:
            return
        path = _notebook.file_of(shell, os.environ)
        if path is not None:
            self._files.append("artifacts", [self._artifact(path)])
        cells = None if self._attached else _notebook.cells_of(shell)
        if cells is not None:
            pin = self._files.store.put_object([cells])
            self._files.append("artifacts", [dict({"t": _now(), "path": _notebook.CELLS}, **pin)])

    def _artifact(self, path):
        return dict({"t": _now(), "path": self._recorded_path(path)}, **self._files.store.put_file(path))

    def _write_end(self, status):
        self._restore_env()
        self._late.update(self._slow.take(_PATIENCE_SECONDS))
        self._warnings.extend(_facts.well_formed(each) for each in self._slow.problems)
        try:
            self._take_artifacts()
        except OSError as error:
            self._warnings.append(_facts.well_formed("artifacts could not be recorded: %s" % error))
        ended = time.time()
        duration = ended - self._started
        moved = _booted() - self._boot
        if abs(moved) > 1:
            duration -= moved  # the clock was set meanwhile
        end = {
            "format": 1, "status": status, "exit": {"finished": 0, "failed": 1}.get(status), "signal": None,
            "ended": _timestamp(ended), "duration": max(0, int(round(duration * 1000))) / 1000,
            "warnings": list(dict.fromkeys(self._warnings)),
        }
        if self._late:
            end["late"] = self._late
        resources = self._usage.so_far()
        if resources:
            end["resources"] = resources
        end.update(self._files.fold())
        self._files.end(end)

    def _restore_env(self):
        for name, value in getattr(self, "_outer_env", {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _apply_wishes(self):
        from ._apply import apply_wishes

        if self._wishes:
            apply_wishes(self._files.store.root, self.id, self._wishes, self._cwd)


_attached_here = set()
_CHILD_ENV = (
    "MLOPS_STORE", "MLOPS_RUN_ID", "MLOPS_RUN_DIR", "MLOPS_RUN_MODEL", "_MLOPS_CLIENT_RUN", "_MLOPS_CLIENT_PID",
)


_LOADED = time.time()
_first = True


def _beginning():
    """When the run began. The first run of a script is the script's, whose imports and loading count; not a notebook's."""
    global _first
    first, _first = _first, False
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if not first or script is None or "ipykernel" in sys.modules or sys.flags.interactive or _argv0_is_a_host():
        return time.time()
    return min(_process_started() or _LOADED, time.time())


def _argv0_is_a_host():
    """Programs that run for days and call training code: their own beginning is not that of a run."""
    name = os.path.basename(os.path.dirname(sys.argv[0]) if sys.argv[0].endswith("__main__.py") else sys.argv[0])
    return name.split(".")[0] in ("pytest", "airflow", "celery", "prefect", "dagster", "uvicorn", "gunicorn", "ipython")


def _booted():
    """When the machine was booted, by the clock as it is now; 0 where only the clock is known."""
    try:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return 0


def _process_started():
    """Seconds since the epoch, from Linux; None elsewhere."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return time.time() - age if age >= 0 else None


def ulid(seconds):
    milliseconds = int(seconds * 1000)
    head = ""
    for _ in range(10):
        head = _CROCKFORD[milliseconds % 32] + head
        milliseconds //= 32
    return head + "".join(_CROCKFORD[byte % 32] for byte in os.urandom(16))


def _timestamp(seconds):
    milliseconds = int(seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return "%s.%03dZ" % (whole, milliseconds % 1000)


def _now():
    return _timestamp(time.time())


def _is_in(path, folder):
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _mark(path):
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)


def _status_of(kind, error):
    if kind is None:
        return "finished"
    if issubclass(kind, KeyboardInterrupt):
        return "interrupted"
    if issubclass(kind, SystemExit) and getattr(error, "code", None) in (None, 0):
        return "finished"
    return "failed"


def _mapping(what, value):
    if not hasattr(value, "items"):
        raise TypeError("%s are a dict of names to values, not %s" % (what, type(value).__name__))
    return dict(value.items())


def _tag_list(tags):
    if isinstance(tags, str):
        tags = [tags]
    return [_values.check_tag(tag) for tag in tags]


_said = set()


def _warn_once(message):
    if message not in _said:
        _said.add(message)
        warn(message)


# -- the active run ---------------------------------------------------------------------------------------------------

_active = []


def begin(model=None, tags=(), params=None, asked=False):
    """Starts a run. One that `start` made and nobody ended (a notebook cell run again) is ended first."""
    while _active and not _active[-1].entered and _active[-1]._pid == os.getpid():
        _active[-1].end("interrupted")
    run = Run(model, tags, params, asked)
    _active.append(run)
    return run


def active():
    """The run that the functions of the module mean; one without a model is started when there is none."""
    while _active and _active[-1].ended:
        _active.pop()
    return _active[-1] if _active else begin()


def current():
    return next((run for run in reversed(_active) if not run.ended), None)


def all_active():
    return list(_active)


def _forget(run):
    if run in _active:
        _active.remove(run)
