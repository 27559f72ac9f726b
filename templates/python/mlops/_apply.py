"""Hands the wishes of a run that ended well to the mlops program. Whatever happens here, the script ends well."""
import os
import shutil
import subprocess

from ._run import warn


def apply_wishes(store, run, wishes, cwd):
    """`wishes` are (kind, model), as they were uttered. One command does them all when there is more than registering."""
    models = list(dict.fromkeys(model for _, model in wishes))
    if any(kind != "register" for kind, _ in wishes):
        commands = [["run", "apply", run]]
    else:
        commands = [["register", model, "--run", run] for model in models]
    for words in commands:
        line = " ".join(["mlops"] + words)
        program = os.environ.get("MLOPS_BIN") or shutil.which("mlops")
        if not program:
            warn("run %s is recorded; the mlops program is not on this machine. Where it is, type:\n  %s" % (run, line))
            continue
        arguments = [program] + words + ["--no-input"]
        # The run has ended: the program must not take itself for a part of it.
        env = {name: value for name, value in os.environ.items() if name not in ("MLOPS_RUN_ID", "MLOPS_RUN_DIR")}
        try:
            code = subprocess.run(
                arguments, cwd=cwd, env=dict(env, MLOPS_STORE=store), stdin=subprocess.DEVNULL, stdout=_stderr()
            ).returncode
        except OSError as error:
            warn("%s could not be started (%s). The run is recorded; type:\n  %s" % (program, error.strerror, line))
            continue
        if code != 0:
            warn("registering ended with exit code %d. The run is recorded; to try again, type:\n  %s" % (code, line))


def _stderr():
    """The script's stdout is the script's own. In a notebook stderr has no file descriptor of its own."""
    import sys

    try:
        return sys.stderr.fileno()
    except Exception:
        return subprocess.DEVNULL
