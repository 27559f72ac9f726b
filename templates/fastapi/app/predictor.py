"""From a version's files to answers: load(folder) -> predict(rows). One short loader for each flavour.

Files reach this module only after their digests were verified (following.py). Nothing here knows about requests.
"""

from __future__ import annotations

import importlib.util
import math
import re
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .settings import Contract

Row = Dict[str, Any]
Predict = Callable[[List[Row]], List[Any]]


class Incompatible(Exception):
    """This version can never be served by this code in this environment. One line that says what differs."""


def load(folder: Path, artifact: str, contract: Contract) -> Predict:
    """@raises Incompatible, and whatever the library raises for files that it cannot read"""
    loader = _LOADERS.get(contract.flavour)
    if loader is None:
        raise Incompatible(f"service.json names the flavour {contract.flavour!r}, which this service does not know")
    return loader(folder / artifact, contract)


# -- rows into what libraries take ------------------------------------------------------------------------------------


def some_of(names: Sequence[str], most: int = 5) -> str:
    """`a, b, c, d, e and 3 more`"""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


class Columns:
    """The columns a model wants, in its order, each with one dtype whatever the rows are: a batch in which another row
    lacks a value must not change what the model sees of this row."""

    def __init__(self, contract: Contract, wanted: Optional[Sequence[str]] = None, categories: bool = False):
        known = {feature["name"]: feature for feature in contract.features}
        names = list(known) if wanted is None else [str(name) for name in wanted]
        missing = [name for name in names if name not in known]
        if missing:
            raise Incompatible(f"the model wants {some_of(missing)}, which is not in the contract of this service")
        self.names = names
        self._columns = [(name, known[name], categories) for name in names]

    def frame(self, rows: List[Row]) -> Any:
        import pandas

        return pandas.DataFrame(
            {name: _column(name, feature, rows, cat) for name, feature, cat in self._columns}, copy=False
        )

    def matrix(self, rows: List[Row], dtype: str = "float64") -> Any:
        import numpy

        names = self.names
        return numpy.array([[row[name] for name in names] for row in rows], dtype=dtype).reshape(len(rows), len(names))

    def one(self, name: str, rows: List[Row], dtype: str) -> Any:
        import numpy

        return numpy.array([[row[name]] for row in rows], dtype=dtype)


def _column(name: str, feature: Mapping[str, Any], rows: List[Row], categories: bool) -> Any:
    import numpy

    values = [row[name] for row in rows]
    kind, nullable = feature["type"], feature.get("nullable", False)
    if kind == "number" or (kind == "integer" and nullable):
        return numpy.array(values, dtype="float64")  # None becomes NaN, as in a CSV that pandas read
    if kind == "integer":
        return numpy.array(values, dtype="int64")
    if kind == "boolean" and not nullable:
        return numpy.array(values, dtype="bool")
    import pandas

    if kind == "datetime":
        return pandas.to_datetime(pandas.Series(values, dtype="object"), utc=True).dt.tz_localize(None)
    if categories and feature.get("categories"):
        return pandas.Categorical(values, categories=feature["categories"])
    column = numpy.empty(len(values), dtype="object")
    column[:] = [math.nan if value is None else value for value in values]
    return column


# -- flavours ---------------------------------------------------------------------------------------------------------


def _sklearn(path: Path, contract: Contract) -> Predict:
    import sklearn

    try:
        # Parameters were looked at when the model was fitted; again at every call they are a sixth of its time.
        sklearn.set_config(skip_parameter_validation=True)
    except TypeError:
        pass  # before 1.3
    return _estimator(_unpickled(path), contract)


def _estimator(model: Any, contract: Contract) -> Predict:
    names = getattr(model, "feature_names_in_", None)
    columns = Columns(contract, names)
    # A model that was fitted on an array knows no names, and warns about every frame.
    rows_in = columns.frame if names is not None else columns.matrix
    if contract.output["kind"] != "probability":
        return lambda rows: model.predict(rows_in(rows)).tolist()
    classes = [_plain(each) for each in model.classes_]
    answers = _chances(contract, classes)
    return Chance(
        lambda rows: answers(model.predict_proba(rows_in(rows)).tolist()), positive_column(contract, classes)
    )


class Chance:
    """A Predict that gives column `positive` of the two that the model's own predict_proba has."""

    def __init__(self, predict: Predict, positive: int):
        self._predict = predict
        self.positive = positive

    def __call__(self, rows: List[Row]) -> List[Any]:
        return self._predict(rows)


def _xgboost(path: Path, contract: Contract) -> Predict:
    if _is_pickle(path):
        return _estimator(_unpickled(path), contract)
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(path)
    columns = Columns(contract, booster.feature_names, categories=True)
    answers = _from_scores(contract)
    return lambda rows: answers(booster.predict(xgboost.DMatrix(columns.frame(rows), enable_categorical=True)))


def _lightgbm(path: Path, contract: Contract) -> Predict:
    if _is_pickle(path):
        return _estimator(_unpickled(path), contract)
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))
    # Its files write blanks in names as underscores.
    spelled = {re.sub(r"\s", "_", name): name for name in contract.names}
    columns = Columns(contract, [spelled.get(name, name) for name in booster.feature_name()], categories=True)
    answers = _from_scores(contract)
    # One thread: rows come in small batches, and starting threads takes longer than answering them.
    return lambda rows: answers(booster.predict(columns.frame(rows), num_threads=1))


def _torch(path: Path, contract: Contract) -> Predict:
    import torch

    if is_exported(path):
        with open(path, "rb") as file:
            model = torch.export.load(file).module()
    else:
        model = torch.jit.load(str(path), map_location="cpu").eval()
    columns = Columns(contract)
    answers = _from_scores(contract)

    def predict(rows: List[Row]) -> List[Any]:
        with torch.inference_mode():
            return answers(model(torch.from_numpy(columns.matrix(rows, "float32"))).numpy())

    return predict


def is_exported(path: Path) -> bool:
    """Whether it is what torch.export wrote, rather than TorchScript: both are archives, of any name."""
    with zipfile.ZipFile(path) as archive:
        return not any(name.endswith("/constants.pkl") or name == "constants.pkl" for name in archive.namelist())


def _onnx(path: Path, contract: Contract) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    types = {
        "tensor(float)": "float32",
        "tensor(double)": "float64",
        "tensor(int64)": "int64",
        "tensor(string)": "object",
        "tensor(bool)": "bool",
    }
    one = len(inputs) == 1 and len(contract.features) > 1
    columns = Columns(contract, None if one else [each.name for each in inputs])
    outputs = [each.name for each in session.get_outputs()]
    kind = contract.output["kind"]
    # Converted classifiers give labels, then probabilities: of words in their order, as scikit-learn sorts them.
    wanted = outputs[-1] if kind == "probability" else outputs[0]
    words = kind == "probability" and session.get_outputs()[0].type == "tensor(string)"
    classes = contract.output.get("classes") or ()
    positive = positive_column(contract, sorted(map(str, classes))) if words and len(classes) == 2 else 1
    answers = _from_scores(contract, positive)

    def predict(rows: List[Row]) -> List[Any]:
        if one:
            feed = {inputs[0].name: columns.matrix(rows, types[inputs[0].type])}
        else:
            feed = {each.name: columns.one(each.name, rows, types[each.type]) for each in inputs}
        found = session.run([wanted], feed)[0]
        if isinstance(found, list):  # one {class: probability} for each row
            return _chances(contract, list(found[0]))([list(each.values()) for each in found])
        if kind == "class" and len(outputs) > 1:
            return [_plain(each) for each in found]
        return answers(found)

    return Chance(predict, positive)


def _callable(path: Path, contract: Contract) -> Predict:
    """A Python file with `predict(rows)`, or `load(folder)` that gives one; or a pickled object that can be called.
    `rows` is a list of dicts, the answer a list as long."""
    if path.suffix != ".py":
        model = _unpickled(path)
        found = model if callable(model) else getattr(model, "predict", None)
    else:
        spec = importlib.util.spec_from_file_location("version_" + path.stem, path)
        if spec is None or spec.loader is None:
            raise Incompatible(f"{path.name} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = module.load(path.parent) if hasattr(module, "load") else getattr(module, "predict", None)
    if not callable(found):
        raise Incompatible(f"{path.name} has neither predict(rows) nor load(folder)")
    predict = found
    return lambda rows: [_plain(each) for each in predict([dict(row) for row in rows])]


_LOADERS = {
    "sklearn": _sklearn,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "torch": _torch,
    "onnx": _onnx,
    "callable": _callable,
}
# The first bytes of a pickle, and of what joblib compresses one to (zlib, gzip, bz2, xz, lzma, lz4).
_PICKLES = (b"\x80", b"\x78", b"\x1f\x8b", b"BZ", b"\xfd7z", b"\x5d\x00", b"\x04\x22\x4d\x18")


def _is_pickle(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4).startswith(_PICKLES)


def _unpickled(path: Path) -> Any:
    """Whatever it is named: people call dumps of joblib `.pkl`, and joblib reads bare pickles too."""
    try:
        import joblib
    except ImportError:
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)


# -- what libraries answer into what clients get ----------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A Python value, whatever array it came from."""
    return value.tolist() if hasattr(value, "tolist") else value


def _chances(contract: Contract, classes: List[Any]) -> Callable[[List[List[float]]], List[Any]]:
    """Of two classes the chance of the one that is asked for, which the contract names last; of more, all of them."""
    said = contract.output.get("classes")
    if said and len(said) == len(classes) and classes == list(range(len(classes))) and not set(classes) & set(said):
        said = None  # it was trained on numbers that stand for the classes: of two, 1 is the positive one
    if said and sorted(map(str, said)) != sorted(map(str, classes)):
        raise Incompatible(f"the model knows the classes {classes}, the contract of this service {said}")
    if len(classes) > 2:
        names = [str(each) for each in classes]
        return lambda rows: [dict(zip(names, row)) for row in rows]
    at = positive_column(contract, classes)
    return lambda rows: [row[at] for row in rows]


def positive_column(contract: Contract, classes: List[Any]) -> int:
    """Which of the model's classes is the last one that the contract names; its own last one where the contract names none."""
    said, names = contract.output.get("classes"), [str(each) for each in classes]
    return names.index(str(said[-1])) if said and str(said[-1]) in names else len(classes) - 1


def _from_scores(contract: Contract, positive: int = 1) -> Callable[[Any], List[Any]]:
    """For models that give bare numbers: one for each row, or one for each row and class. `positive` is the one of two
    columns that is asked for."""
    kind, classes = contract.output["kind"], contract.output.get("classes") or [0, 1]

    def answers(scores: Any) -> List[Any]:
        wide = scores.ndim == 2 and scores.shape[1] > 1
        if kind == "number":
            return scores.tolist() if wide else scores.reshape(-1).tolist()
        if kind == "class":
            if scores.dtype.kind in "OUS":
                return scores.reshape(-1).tolist()
            picked = scores.argmax(axis=1) if wide else (scores.reshape(-1) > 0.5).astype(int)
            return [classes[at] for at in picked.tolist()]
        if not wide:
            return scores.reshape(-1).tolist()
        if scores.shape[1] == 2:
            return scores[:, positive].tolist()
        return [dict(zip(map(str, classes), row)) for row in scores.tolist()]

    return answers
