"""How a run learns that its script is over: at exit, and whether an exception brought it there."""
import atexit
import os
import sys

from . import _run

_installed_in = None


def install():
    """Once per process, when the first run starts; importing mlops changes nothing."""
    global _installed_in
    if _installed_in == os.getpid():
        return
    first = _installed_in is None
    _installed_in = os.getpid()
    if not first:
        return  # forked: the hooks came along
    atexit.register(_at_exit)
    _chain_excepthook()
    _watch_ipython()


def _at_exit():
    for run in reversed(_run.all_active()):
        run.end(run.failure or "finished")


def _chain_excepthook():
    before = sys.excepthook

    def hook(kind, error, trace):
        _note(kind, error)
        before(kind, error, trace)

    sys.excepthook = hook


def _watch_ipython():
    """A notebook's exceptions never reach sys.excepthook; the cell that raised last decides."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return

    def after(result):
        error = result.error_in_exec or result.error_before_exec
        for run in _run.all_active():
            run.failure = None
        if error is not None:
            _note(type(error), error)

    shell.events.register("post_run_cell", after)


def _note(kind, error):
    for run in _run.all_active():
        run.failure = _run._status_of(kind, error)
