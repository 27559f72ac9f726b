"""Which columns `mlops.yaml` and the retraining policy look at one by one, and which must never be kept: what decides
what `log_test` and `log_examples` store besides answers. The rest of both files is left to the command line.
"""
import os

from . import _yaml

POLICY = "retraining-policy.yaml"
_MAX_BYTES = 1 << 20


def sliced_columns(project, model):
    """(names, problem): `by` of the slices and the fairness rules of gates, and of drift; of all models without one.

    What cannot be read is said, and nothing is guessed: its columns have to be named in code.
    """
    names, problems = [], []
    for text, source in _files(project):
        try:
            found = _by_policy(text, model) if source == POLICY else _by_config(text, model)
            names.extend(found)
        except ValueError as error:
            problems.append("%s: %s" % (source, error))
    return list(dict.fromkeys(names)), "; ".join(problems) or None


def dropped_columns(project, model):
    """(names in small letters, problem): `predictions.drop` of the model, or of all models without one."""
    names = set()
    for text, source in _files(project):
        if source == POLICY:
            continue
        try:
            for _, at in _models(text, model):
                names.update(name.lower() for name in dropped(_yaml.value_at(text, at + ["predictions"])))
        except ValueError as error:
            return frozenset(), "%s: %s" % (source, error)
    return frozenset(names), None


def dropped(predictions):
    """The names under `drop` of a model's `predictions:`. @raises NotUnderstood"""
    if predictions is None or isinstance(predictions, str):
        return []
    if not isinstance(predictions, dict):
        raise _yaml.NotUnderstood("predictions that are no path and no map")
    drop = predictions.get("drop")
    drop = [drop] if isinstance(drop, str) else drop or []
    if not isinstance(drop, list) or not all(isinstance(name, str) for name in drop):
        raise _yaml.NotUnderstood("a `drop` that is no list of names")
    return drop


def _files(project):
    """Text and name of each file that is there."""
    config = project.config_file
    policy = None if config is None else os.path.join(os.path.dirname(config), POLICY)
    for path in (config, policy):
        if path is None or not os.path.isfile(path):
            continue
        try:
            if os.path.getsize(path) <= _MAX_BYTES:
                with open(path, encoding="utf-8-sig") as file:
                    yield file.read(), os.path.basename(path)
        except (OSError, UnicodeDecodeError):
            continue


def _models(text, model):
    if model is not None:
        return [(model, ["models", model])]
    return [(name, ["models", name]) for name in _yaml.keys_at(text, ["models"])]


def _by_config(text, model):
    found = []
    for _, at in _models(text, model):
        by = _yaml.value_at(text, at + ["drift", "by"])
        found.extend([by] if isinstance(by, str) else [])
        for stage in _yaml.keys_at(text, at + ["gates"]):
            found.extend(_by_gate(text, at + ["gates", stage]))
    return found


def _by_policy(text, model):
    named = _yaml.value_at(text, ["policy", "model"])
    return _by_gate(text, ["policy", "validation"]) if model is None or named == model else []


def _by_gate(text, at):
    found = []
    for key in ("slices", "fairness"):
        rules = _yaml.value_at(text, at + [key])
        for rule in rules if isinstance(rules, list) else []:
            if isinstance(rule, dict) and isinstance(rule.get("by"), str):
                found.append(rule["by"])
    return found
