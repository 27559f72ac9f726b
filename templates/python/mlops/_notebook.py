"""The notebook that a run is part of, as far as a kernel can know it: the file that it was opened from, which may not be
saved yet, and the cells that were executed, in their order. What a command executes is kept by `mlops track`.
"""
import os
import sys

from ._facts import well_formed
from ._redact import redact

CELLS = "notebook-cells.py"
_MOST_BYTES = 64 << 20


def kernel():
    """The shell of a notebook's kernel; None in a script, and in IPython in a terminal."""
    module = sys.modules.get("IPython")
    try:
        shell = None if module is None else module.get_ipython()
    except Exception:  # a half-imported IPython
        return None
    return shell if hasattr(shell, "kernel") else None


def file_of(shell, env):
    """Path of the notebook: Jupyter's server names it in the environment, Visual Studio Code in a variable."""
    names = shell.user_ns if isinstance(getattr(shell, "user_ns", None), dict) else {}
    for path in (env.get("JPY_SESSION_NAME"), names.get("__vsc_ipynb_file__")):
        if isinstance(path, str) and path.endswith(".ipynb") and os.path.isfile(path):
            if os.path.getsize(path) <= _MOST_BYTES:
                return path
    return None


def cells_of(shell):
    """What was executed, as bytes of a script, without what looks like a secret. None when nothing was."""
    history = getattr(shell, "user_ns", {}).get("In")
    if not isinstance(history, list):
        return None
    cells = [(at, cell) for at, cell in enumerate(history) if isinstance(cell, str) and cell.strip()]
    text = "\n\n".join("# In [%d]\n%s" % (at, cell.rstrip()) for at, cell in cells)
    return (redact(well_formed(text)) + "\n").encode("utf-8")[:_MOST_BYTES] if cells else None
