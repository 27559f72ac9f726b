"""Writes small models of every kind that installs on a test machine: python models.py FOLDER"""
import pickle
import sys
import zipfile
from pathlib import Path

import joblib
import lightgbm
import numpy
import pandas
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
random = numpy.random.default_rng(0)
X = pandas.DataFrame({"a": random.normal(size=80), "b": random.normal(size=80)})
y = (X["a"] + X["b"] > 0).astype(int)

plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
joblib.dump(plain, folder / "sklearn.joblib")
joblib.dump(plain, folder / "sklearn-gz.joblib", compress=("gzip", 3))
(folder / "sklearn.pkl").write_bytes(pickle.dumps(plain))
(folder / "sklearn-without-a-suffix").write_bytes(pickle.dumps(plain))
boosted = xgboost.XGBClassifier(n_estimators=3).fit(X, y)
joblib.dump(make_pipeline(StandardScaler(), boosted), folder / "xgboost-in-a-pipeline.joblib")
boosted.save_model(folder / "xgboost.ubj")
boosted.save_model(folder / "xgboost.json")
light = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(X, y)
joblib.dump(light, folder / "lightgbm.joblib")
light.booster_.save_model(folder / "lightgbm.txt")
try:
    from skl2onnx import to_onnx

    (folder / "sklearn.onnx").write_bytes(to_onnx(plain, X[:1].astype("float32")).SerializeToString())
except ImportError:
    pass
# As torch writes them; torch itself is too large to install here.
for name, entries in {
    "torchscript.pt": ["net/data.pkl", "net/code/__torch__/net.py", "net/constants.pkl"],
    "exported.pt2": ["net/serialized_exported_program.json"],
    "exported.pt": ["net/models/model.json"],
    "weights.pt": ["net/data.pkl", "net/data/0"],
}.items():
    with zipfile.ZipFile(folder / name, "w") as archive:
        for entry in entries:
            archive.writestr(entry, b"\x80\x02}." if entry.endswith(".pkl") else b"x")
(folder / "answers.py").write_text("def predict(rows):\n    return [0 for _ in rows]\n")
(folder / "metrics.json").write_text('{"auc": 0.9}')
(folder / "notes.txt").write_text("tree of life\n")
