"""Where the prediction log of a model is, and how it is kept: MLOPS_PREDICTIONS, mlops.yaml, the store
(docs/prediction-log.md, section 1). And which version is in production, for services that do not say which they serve.
"""
import json
import os
import re
import time

from . import _yaml
from ._evidence_config import dropped
from ._project import find_project

_VERSION_SECONDS = 5
_MAX_BYTES = 1 << 20
_IS_POSTGRES = re.compile(r"postgres(?:ql)?://", re.I)


class Place:
    def __init__(self, model, cwd, env):
        self.model = model
        self.project = find_project(cwd, env)
        self.store = os.path.join(cwd, self.project.store)
        # Why nothing may be logged; None when all is well.
        self.problem = None
        self.drop = frozenset()
        self.sample = None
        # Said by somebody, rather than the place in the store.
        self.named = True
        # `drift.threshold` and `notify` are read by the program alone.
        at = self._configured()
        given = env.get("MLOPS_PREDICTIONS") or None
        self.home = given or at or self.in_store
        self.is_postgres = bool(_IS_POSTGRES.match(self.home))
        if given and not self.is_postgres and not os.path.isabs(given):
            self.problem = "MLOPS_PREDICTIONS is an absolute path or a postgres:// address, and %r is neither" % given
        if not self.is_postgres:
            if given is None and at is not None:
                self.home = self._inside_store(os.path.join(self.project.root, at))
            self.home = os.path.normpath(os.path.join(cwd, self.home))
            if self.home == self.in_store:
                self.named = False
                if self.problem is None and not self.has_store:
                    self.problem = (
                        "there is no store at %s; make one with mlops init, or set MLOPS_PREDICTIONS to a folder" % self.store
                    )

    @property
    def in_store(self):
        return os.path.join(self.store, "predictions")

    @property
    def has_store(self):
        return os.path.exists(os.path.join(self.store, "registry.json"))

    def _configured(self):
        """`predictions:` of the model: a path or address, or a map with `at`, `drop` and `sample`."""
        config = self.project.config_file
        if config is None:
            return None
        try:
            if os.path.getsize(config) > _MAX_BYTES:
                raise _yaml.NotUnderstood("a file of more than 1 MiB")
            with open(config, encoding="utf-8-sig") as file:
                found = _yaml.value_at(file.read(), ["models", self.model, "predictions"])
            if found is None or isinstance(found, str):
                return found
            if not isinstance(found, dict):
                raise _yaml.NotUnderstood("predictions that are no path and no map")
            return self._settings(found)
        except (OSError, ValueError) as error:
            # It may say which personal columns to drop: better no record than one that should not be there.
            self.problem = "`predictions` of %s cannot be read in %s: %s" % (self.model, config, error)
            return None

    def _settings(self, found):
        self.drop = frozenset(dropped(found))
        sample = found.get("sample")
        if sample is not None and not (isinstance(sample, float) and 0 < sample <= 1):
            raise _yaml.NotUnderstood("a `sample` that is no number above 0 and up to 1")
        self.sample = sample
        return found.get("at")

    def _inside_store(self, path):
        """A path inside the configured store means the same place in the store that is in use."""
        path = os.path.normpath(path)
        configured = os.path.normpath(os.path.join(self.project.root, self.project.configured_store))
        inside = os.path.relpath(path, configured)
        return path if inside.split(os.sep)[0] == ".." else os.path.normpath(os.path.join(self.store, inside))


class ServedVersion:
    """`MLOPS_MODEL_VERSION`, else the version in production by the newest event of the model, looked up when some
    seconds have passed; 0 when neither says."""

    def __init__(self, store, model, env):
        said = (env.get("MLOPS_MODEL_VERSION") or "").rpartition("@")[2]
        said = said[1:] if said.startswith("v") else said
        self._said = int(said) if said.isdigit() else None
        self._log = os.path.join(store, "models", model, "log")
        self._found = 0
        self._newest = None
        self._looked = None

    def __call__(self):
        if self._said is not None:
            return self._said
        now = time.monotonic()
        if self._looked is None or now - self._looked > _VERSION_SECONDS:
            self._looked = now
            try:
                self._look()
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                pass  # no such model yet, or a log on its way: what was known still holds
        return self._found

    def _look(self):
        newest = max((name for name in os.listdir(self._log) if re.match(r"\d{10}\.json\Z", name)), default=None)
        if newest is None or newest == self._newest:
            return
        with open(os.path.join(self._log, newest), "rb") as file:
            stages = json.loads(file.read().decode("utf-8"))["stages"]
        self._found = int(stages["production"]["version"]) if "production" in stages else 0
        self._newest = newest
