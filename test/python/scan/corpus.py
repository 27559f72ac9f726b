"""Writes real pickles, joblib dumps and NumPy files into a folder, and expect.json beside them.

Real libraries write them; `globals` is what pickletools.genops sees in a plain pickle (the reference of the scanner).
"""
import bz2
import collections
import datetime
import decimal
import functools
import gzip
import io
import json
import lzma
import os
import pathlib
import pickle
import pickletools
import re
import sys
import warnings
import zipfile
import zlib

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import scipy.sparse
import scipy.stats
from sklearn import (
    calibration, cluster, compose, decomposition, ensemble, feature_extraction, feature_selection, gaussian_process,
    impute, isotonic, linear_model, metrics, mixture, model_selection, naive_bayes, neighbors, neural_network,
    pipeline, preprocessing, svm, tree,
)

warnings.simplefilter("ignore")
out = pathlib.Path(sys.argv[1])
expect = {}


def genops_globals(data):
    """Globals of the first pickle, by pickletools alone: names are taken from the stack and the memo."""
    found, stack, memo, marks = set(), [], {}, []
    for op, arg, _ in pickletools.genops(data):
        name = op.name
        if name in ("GLOBAL", "INST"):
            found.add(arg.replace(" ", ".", 1))
        if name == "STACK_GLOBAL":
            found.add("%s.%s" % (stack[-2], stack[-1]))
        if name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
            continue
        if name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[arg] = stack[-1]
            continue
        if name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[arg])
            continue
        if name == "DUP":
            stack.append(stack[-1])
            continue
        before = list(op.stack_before)
        if pickletools.markobject in before:
            while stack and stack[-1] is not pickletools.markobject:
                stack.pop()
            if stack:
                stack.pop()
            before = before[:before.index(pickletools.markobject)]
        for _ in before:
            if stack:
                stack.pop()
        for pushed in op.stack_after:
            if pushed is pickletools.markobject:
                stack.append(pickletools.markobject)
            elif "UNICODE" in name or "STRING" in name:
                stack.append(arg)
            else:
                stack.append(None)
    return sorted(found)


def put(name, data, verdict, **more):
    (out / name).write_bytes(data)
    expect[name] = dict(verdict=verdict, **more)


def pickled(name, value, verdict, dump=pickle.dumps):
    for protocol in range(6):
        data = dump(value, protocol=protocol)
        found = genops_globals(data)
        # Before protocol 3 bytes are written as a call of _codecs.encode.
        put("%s.%d.pkl" % (name, protocol), data, "known globals only" if verdict == "inert" and found else verdict,
            globals=found)


def dumped(name, value, verdict):
    for label, options in [("plain", {}), ("z3", {"compress": 3}), ("gz", {"compress": ("gzip", 3)})]:
        joblib.dump(value, out / ("%s.%s.joblib" % (name, label)), **options)
        expect["%s.%s.joblib" % (name, label)] = dict(verdict=verdict)
    for kind in ("bz2", "xz", "lzma"):
        joblib.dump(value, out / ("%s.%s.joblib" % (name, kind)), compress=(kind, 3))
        expect["%s.%s.joblib" % (name, kind)] = dict(verdict="not determined")


class Custom:
    def __init__(self):
        self.value = {"a": [1, 2, (3, 4)]}


class Evil:
    def __init__(self, callee, *args):
        self.made = (callee, args)

    def __reduce__(self):
        return self.made


def twice(x):
    return 2 * x


def models():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    pos = np.abs(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = np.where(y == 1, "x", "y")
    columns = compose.ColumnTransformer([
        ("num", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), list("abcd")),
        ("cat", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["kind"]),
    ])
    yield "pipeline", pipeline.Pipeline([("prepare", columns), ("model", linear_model.LogisticRegression())]).fit(frame, y)
    yield "forest", ensemble.RandomForestClassifier(5).fit(X, y)
    yield "boosting", ensemble.GradientBoostingClassifier(n_estimators=5).fit(X, y)
    yield "hist", ensemble.HistGradientBoostingClassifier(max_iter=5).fit(X, y)
    yield "hist-regressor", ensemble.HistGradientBoostingRegressor(max_iter=5).fit(X, X[:, 1])
    yield "svc", svm.SVC(probability=True).fit(X, y)
    yield "knn", neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(X, y)
    yield "ball", neighbors.KNeighborsRegressor(algorithm="ball_tree").fit(X, y)
    yield "mlp", neural_network.MLPClassifier((4,), max_iter=5).fit(X, y)
    yield "sgd", linear_model.SGDClassifier().fit(X, y)
    yield "grid", model_selection.GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2]}, scoring="f1").fit(X, y)
    yield "calibrated", calibration.CalibratedClassifierCV(naive_bayes.GaussianNB()).fit(X, y)
    yield "gp", gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF()).fit(X, y)
    yield "kmeans", cluster.KMeans(2, n_init=1).fit(X)
    yield "pca", decomposition.PCA(2).fit(X)
    yield "nmf", decomposition.NMF(2).fit(pos)
    yield "mixture", mixture.GaussianMixture(2).fit(X)
    yield "isotonic", isotonic.IsotonicRegression().fit(X[:, 0], y)
    yield "tfidf", feature_extraction.text.TfidfVectorizer().fit(["the cat", "the dog"])
    yield "kbest", feature_selection.SelectKBest(feature_selection.f_classif, k=2).fit(X, y)
    yield "log", pipeline.make_pipeline(preprocessing.FunctionTransformer(np.log1p), linear_model.Ridge()).fit(pos, y)
    yield "stack", ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier()), ("b", svm.LinearSVC())]).fit(X, y)
    yield "iforest", ensemble.IsolationForest(n_estimators=5).fit(X)
    yield "quantile", preprocessing.QuantileTransformer(n_quantiles=10).fit(X)
    yield "spline", preprocessing.SplineTransformer().fit(X)
    yield "random-state", tree.DecisionTreeClassifier(random_state=np.random.RandomState(1)).fit(X, y)
    yield "scorer", metrics.make_scorer(metrics.f1_score)


def data_values():
    yield "numbers", [1, 2.5, True, None, "text", b"bytes", (1, 2), {"k": [3]}, 10**30, -5, 70_000], "inert"
    yield "long-text", {"t": "x" * 300_000, "b": b"y" * 300_000, "many": list(range(3_000))}, "inert"
    yield "containers", [collections.OrderedDict(a=1), collections.defaultdict(list), {1, 2}, frozenset([3]), bytearray(b"z"),
                         complex(1, 2), range(3), slice(1)], "known globals only"
    yield "times", [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), decimal.Decimal("1.5"), re.compile("a+"),
                    pathlib.PurePosixPath("a/b"), functools.partial(round, ndigits=2)], "known globals only"
    yield "arrays", [np.arange(5.0), np.array(["a", "bc"]), np.array([{"o": 1}, None], dtype=object), np.float32(1),
                     np.ma.array([1, 2], mask=[0, 1]), np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]),
                     np.array(["2020-01-01"], dtype="M8[D]"), np.random.default_rng(1), np.random.RandomState(2)], "known globals only"
    yield "frame", pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.Categorical(["u", "v"]),
                                 "d": pd.date_range("2020", periods=2, tz="UTC"), "e": pd.array([1, None], dtype="Int64")}), "known globals only"
    yield "sparse", scipy.sparse.csr_matrix(np.eye(3)), "known globals only"
    yield "frozen-distribution", scipy.stats.norm(0, 1), "can execute code"
    yield "custom", Custom(), "can execute code"
    yield "function", twice, "can execute code"
    yield "system", Evil(os.system, "echo"), "can execute code"
    yield "eval", {"deep": [({"er": Evil(eval, "1")},)]}, "can execute code"
    yield "getattr", Evil(getattr, "text", "upper"), "can execute code"
    yield "partial-system", functools.partial(os.system, "echo"), "can execute code"
    yield "numpy-load", Evil(np.load, "x.npy"), "can execute code"
    yield "joblib-load", Evil(joblib.load, "x"), "can execute code"
    yield "memmap", Evil(np.memmap, "/tmp/x"), "can execute code"
    yield "loads", Evil(pickle.loads, pickle.dumps(Evil(os.system, "echo"))), "can execute code"


def main():
    for name, value, verdict in data_values():
        pickled(name, value, verdict)
        if name not in ("long-text",):
            dumped(name, value, verdict)
    for name, model in models():
        pickled(name, model, "known globals only")
        dumped(name, model, "known globals only")
    pickled("lambda", lambda x: x + 1, "can execute code", cloudpickle.dumps)
    big = np.random.default_rng(0).normal(size=(400, 50))
    joblib.dump({"a": big, "b": np.asfortranarray(big), "o": np.array(["x", {}], dtype=object), "z": np.zeros((0, 4))}, out / "big.joblib")
    expect["big.joblib"] = dict(verdict="known globals only")
    joblib.dump([big, Evil(os.system, "echo")], out / "evil-after-array.joblib")
    expect["evil-after-array.joblib"] = dict(verdict="can execute code", finding="posix.system")
    joblib.dump(np.array([Evil(os.system, "echo")], dtype=object), out / "evil-in-array.joblib")
    expect["evil-in-array.joblib"] = dict(verdict="can execute code", finding="posix.system")

    for name, array, verdict in [
        ("plain", np.arange(10), "inert"), ("structured", np.zeros(2, dtype=[("O", "f4"), ("n", [("x", "u1")]), ("s", "f8", (2,))]), "inert"),
        ("text", np.array(["a", "bb"]), "inert"), ("objects", np.array([1, "a"], dtype=object), "known globals only"),
        ("evil", np.array([Evil(os.system, "echo")], dtype=object), "can execute code"),
    ]:
        np.save(out / (name + ".npy"), array)
        expect[name + ".npy"] = dict(verdict=verdict)
        np.savez(out / (name + ".npz"), a=array, b=np.eye(2))
        np.savez_compressed(out / (name + ".z.npz"), a=array, b=np.eye(2))
        expect[name + ".npz"] = expect[name + ".z.npz"] = dict(verdict=verdict)

    (out / "expect.json").write_text(json.dumps(expect))


main()
