"""Is it what was registered, and what the contract says? Comparisons alone, in one line each: of the environment, of golden
predictions, of the kind of an answer. When they are made, and what follows, is in loading.py."""

from __future__ import annotations

import math
from importlib import metadata
from typing import Any, Callable, Mapping, Optional, Sequence

from .settings import PYTHON, Contract

# A pickle is read by the very version that wrote it, or may answer differently without a word.
_EXACT = {"sklearn": "scikit-learn", "xgboost": "xgboost", "lightgbm": "lightgbm", "torch": "torch"}
_ALMOST = ("numpy", "pandas", "scipy")


def environment_differs(flavour: str, python: Optional[str], lock: Sequence[str]) -> Optional[str]:
    """What of the training run's environment is another one here, in one line; None when nothing that matters is.
    @param lock lines `name==version`"""
    if python and ".".join(python.split(".")[:2]) != PYTHON:
        return f"it was trained with Python {python}, and this is Python {PYTHON}"
    trained = {}
    for line in lock:
        name, _, version = line.strip().partition("==")
        trained[name.lower().replace("_", "-").replace("xgboost-cpu", "xgboost")] = version
    for name in [*_EXACT.values(), *_ALMOST]:
        here, then = _installed(name), trained.get(name)
        if then is None or (here is None and name != _EXACT.get(flavour)):
            continue
        if here is None:
            return f"it was trained with {name} {then}, which is not installed here"
        same = here == then if name in _EXACT.values() else here.split(".")[:2] == then.split(".")[:2]
        if not same and not (flavour == "onnx" and name in _EXACT.values()):
            return f"it was trained with {name} {then}, and this is {name} {here}"
    return None


def _installed(name: str) -> Optional[str]:
    for each in (name, name + "-cpu"):
        try:
            return metadata.version(each)
        except metadata.PackageNotFoundError:
            continue
    return None


def golden_differs(expected: Any, found: Any, positive: int = 1) -> Optional[str]:
    """How an answer differs from the one recorded at registration; None when it does not (numbers: 1e-6 relative).
    @param positive the column that is answered of a recorded predict_proba of two classes"""
    if isinstance(expected, Mapping):
        columns = [f"output_{at}" for at in range(len(expected))]
        if list(expected) == columns and len(columns) == 2 and not isinstance(found, Mapping):
            return golden_differs(expected[columns[positive]], found)
        if isinstance(found, Mapping) and list(expected) == columns and set(found) != set(expected):
            # Columns without names, in the order of the model's own.
            pairs = list(zip(expected.values(), found.values())) if len(found) == len(expected) else None
        elif isinstance(found, Mapping):
            pairs = [(value, found[name]) for name, value in expected.items()] if set(found) == set(expected) else None
        elif isinstance(found, (list, tuple)) and list(expected) == columns:
            pairs = list(zip(expected.values(), found)) if len(found) == len(expected) else None
        else:
            pairs = None
        return _any_differs(pairs, expected, found)
    if isinstance(expected, (list, tuple)):
        is_alike = isinstance(found, (list, tuple)) and len(found) == len(expected)
        return _any_differs(list(zip(expected, found)) if is_alike else None, expected, found)
    if _is_number(expected) and _is_number(found):
        close = math.isclose(float(expected), float(found), rel_tol=1e-6, abs_tol=1e-12)
        return None if close else f"{found:.9g} instead of {expected:.9g}"
    return None if str(expected) == str(found) else f"{found!r:.200} instead of {expected!r:.200}"


def _any_differs(pairs: Optional[Sequence[Any]], expected: Any, found: Any) -> Optional[str]:
    differs = pairs is None or any(golden_differs(one, other) for one, other in pairs)
    return f"{found!r:.200} instead of {expected!r:.200}" if differs else None


# -- is it what the contract says? ------------------------------------------------------------------------------------


def kind_problem(contract: Contract) -> Callable[[Any], Optional[str]]:
    """A check of one answer: None when it is of the kind that the contract names, else what it is instead."""
    kind = contract.output["kind"]
    # Models with several outputs: the contract's own example shows it.
    several = isinstance((contract.example or {}).get("output"), (list, Mapping))

    def problem(value: Any) -> Optional[str]:
        if type(value) is float and kind != "class":
            return None
        if kind == "class":
            fits = isinstance(value, (str, int, float))
        elif isinstance(value, Mapping):
            fits = (kind == "probability" or several) and len(value) > 0 and all(map(_is_number, value.values()))
        elif isinstance(value, (list, tuple)):
            fits = several and len(value) > 0 and all(map(_is_number, value))
        else:
            fits = _is_number(value)
        return None if fits else f"it answers {_named(value)}, and the contract says {kind}"

    return problem


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _named(value: Any) -> str:
    for kind, name in ((type(None), "nothing"), (str, "a text"), (bool, "true or false"), (Mapping, "an object")):
        if isinstance(value, kind):
            return name
    return type(value).__name__
