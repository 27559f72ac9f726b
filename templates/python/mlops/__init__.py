"""The Python client of mlops: logs what a training script does. Standard library only.

    import mlops

    with mlops.track("churn-model") as run:
        model.fit(X, y)
        run.log_metric("auc", auc)
        run.log_param("depth", 4)
        run.log_artifact("model.joblib")
        run.register(stage="staging")

Works under `mlops track -- python train.py`, in a plain `python train.py`, and in a notebook. A failing disk or a
missing store never stops a script; wrong use raises a TypeError or ValueError that says what is right.
"""
from . import _hooks, _run
from ._monitor import monitor
from ._run import VERSION as __version__

__all__ = [
    "track", "start", "end", "active_run", "log_metric", "log_metrics", "log_param", "log_params", "log_artifact",
    "log_test", "log_examples", "set_tag", "register", "monitor",
]


def track(model=None, *, tags=(), params=None):
    """Starts a run, or attaches to the one of `mlops track`. Use it in a `with`, or call `.end()` on what it gives."""
    _hooks.install()
    return _run.begin(model, tags, params, asked=True)


def start(model=None, *, tags=(), params=None):
    """`track` for notebooks: `run = mlops.start("churn-model")` in one cell, `run.end()` in another."""
    return track(model, tags=tags, params=params)


def end(status="finished"):
    """Ends the active run, if there is one."""
    run = _run.current()
    if run is not None:
        run.end(status)


def active_run():
    """The active run, or None."""
    return _run.current()


def _active():
    _hooks.install()
    return _run.active()


def log_metric(name, value, step=None):
    """As `Run.log_metric`, of the active run."""
    _active().log_metric(name, value, step)


def log_metrics(metrics, step=None):
    """As `Run.log_metrics`, of the active run."""
    _active().log_metrics(metrics, step)


def log_param(name, value):
    """As `Run.log_param`, of the active run."""
    _active().log_param(name, value)


def log_params(params):
    """As `Run.log_params`, of the active run."""
    _active().log_params(params)


def log_artifact(path):
    """As `Run.log_artifact`, of the active run."""
    _active().log_artifact(path)


def log_test(X, y, y_pred, y_score=None, ids=None, slices=None):
    """As `Run.log_test`, of the active run."""
    _active().log_test(X, y, y_pred, y_score, ids, slices)


def log_examples(X, y_pred):
    """As `Run.log_examples`, of the active run."""
    _active().log_examples(X, y_pred)


def set_tag(tag):
    """As `Run.set_tag`, of the active run."""
    _active().set_tag(tag)


def register(stage=None, tags=(), message=None, model=None):
    """As `Run.register`, of the active run."""
    _active().register(stage, tags, message, model)
