"""The slow facts of a run that this client starts by itself: git, the packages, the graphics cards. Looked at in threads beside
the script; what comes too late for run.json is written at the end, and nobody waits for graphics cards.
"""
import os
import sys
import threading
import time

from . import _facts
from ._canonical import canonical_bytes
from ._environment import gpus, host, interpreter


class SlowFacts(object):
    def __init__(self, cwd, root, store):
        path = _path_of_packages(cwd)
        self._store = store
        self._git = Background(_facts.git, cwd, store.root)
        self._packages = Background(_packages, path, cwd, root)
        self._gpus = Background(gpus)
        self._taken = set()
        self.problems = []

    def take(self, seconds):
        """What became known since the last time: members of run.json, or of `late` in end.json. Stores objects."""
        new = {}
        deadline = time.monotonic() + seconds
        for name, background, make in (
            ("git", self._git, _git_facts), ("python", self._packages, self._python_facts),
            ("host", self._gpus, _host_facts),
        ):
            result = None if name in self._taken else background.result(0 if name == "host" else deadline - time.monotonic())
            if result is None:
                continue
            self._taken.add(name)
            facts, problem = make(result)
            if facts is not None:
                new[name] = facts
            if problem:
                self.problems.append(problem)
        return new

    def _python_facts(self, found):
        if isinstance(found, Failure):
            return None, "no packages are recorded: %s" % found
        from ._packages import hashed

        put = self._store.put_object
        lock = put([_bytes("".join(line + "\n" for line in found.lines))])
        locks = [dict(put([_bytes(text)]), path=path) for path, text in found.locks]
        pin = put([canonical_bytes(dict(found.record, locks=locks))])
        self.problems.extend(found.notes)
        return dict(
            interpreter(), lock={"sha256": lock["sha256"], "packages": len(found.lines)},
            environment=dict(pin, manager=found.record["manager"], hashed=hashed(found.record)),
        ), None


class Failure(str):
    """Why a background has no result, in words."""


class Background(object):
    """A function in a thread, waited for as long as patience lasts."""

    def __init__(self, function, *arguments):
        self._result = None

        def work():
            try:
                self._result = function(*arguments)
            except Exception as error:
                self._result = Failure(error)

        self._thread = threading.Thread(target=work, name="mlops-aside", daemon=True)
        self._thread.start()

    def result(self, seconds):
        self._thread.join(max(0, seconds))
        return self._result


def _packages(path, cwd, root):
    from ._packages import read_environment

    return read_environment(path, cwd, root)


def _git_facts(result):
    if isinstance(result, Failure):
        return None, "no git facts: %s" % result
    facts, problem = result
    return facts, None if facts is not None or not problem else "no git facts: " + problem


def _host_facts(found):
    return (dict(host(), gpus=found), None) if isinstance(found, list) and found else (None, None)


def _path_of_packages(cwd):
    """Without the folder of the script, which Python puts first: nothing is installed there."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    own = ("", cwd, os.path.dirname(os.path.abspath(script)) if script else "")
    return sys.path[1:] if sys.path and sys.path[0] in own else list(sys.path)


def _bytes(text):
    return text.encode("utf-8", "replace")
