"""Stands in for `mlops scaffold fastapi`: python by_hand.py FLAVOUR SERVICE TEMPLATES WIDE|- MANIFEST"""
import json, shutil, sys, pathlib
flavour, service, templates, wide, manifest = sys.argv[1:]
service, templates = pathlib.Path(service), pathlib.Path(templates)
shutil.copytree(templates / "fastapi", service, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.eta"))
shutil.copytree(templates / "python/mlops", service / "mlops", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
F = [
    {"name": "tenure", "field": "tenure", "type": "integer", "nullable": False, "categories": None, "range": [0, 71], "refuse": False},
    {"name": "monthly charges", "field": "monthly_charges", "type": "number", "nullable": True, "categories": None, "range": [10, 120], "refuse": False},
    {"name": "contract", "field": "contract", "type": "string", "nullable": False, "categories": ["month", "two years", "year"], "range": None, "refuse": False},
    {"name": "senior", "field": "senior", "type": "boolean", "nullable": False, "categories": None, "range": None, "refuse": False},
]
if wide == "wide":
    for at in range(16):
        F.append({"name": "extra_%d" % at, "field": "extra_%d" % at, "type": "number" if at % 3 else "string", "nullable": False,
                  "categories": None if at % 3 else ["a", "b", "c"], "range": None, "refuse": False})
if flavour in ("onnx", "torch"):
    F = [dict(f, type="number", nullable=True) for f in F[:2]]
if flavour == "callable":
    F = F[:1]
example = {"tenure": 12, "monthly charges": 70.5, "contract": "month", "senior": False}
example.update({f["name"]: 1.5 if f["type"] == "number" else "a" for f in F[4:]})
example = {f["name"]: example[f["name"]] for f in F}
art = {"sklearn": "model.joblib", "xgboost": "model.ubj", "lightgbm": "model.txt", "onnx": "model.onnx", "torch": "model.pt", "callable": "model.py"}[flavour]
facts = {"format": 1, "model": "churn-model", "stage": "production", "scaffolded": {"version": 1, "manifest": manifest, "tool": "mlops 0.1.0"},
    "flavour": flavour, "artifact": art, "python": "3.11", "features": F,
    "output": {"name": "churn_probability", "kind": "probability", "classes": ["No", "Yes"]},
    "example": {"features": example, "output": None}, "drop": [], "personal": [], "contract": "0" * 64}
(service / "service.json").write_text(json.dumps(facts, indent=2))
py = {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}
lines = ["from typing import List, Optional", "", "from pydantic import BaseModel, ConfigDict, Field", "", "", "class Features(BaseModel):",
    "    model_config = ConfigDict(extra=\"forbid\", protected_namespaces=())", ""]
for f in F:
    t = py[f["type"]]
    t, d = ("Optional[%s]" % t, "None, ") if f["nullable"] else (t, "")
    lines.append("    %s: %s = Field(%salias=%r)" % (f["field"], t, d, f["name"]))
lines.append('''

class PredictRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    features: Features
    user: Optional[str] = Field(None, max_length=256)


class Prediction(BaseModel):
    prediction: float
    id: str
    version: int


class BatchRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: List[Features] = Field(min_length=1)
    user: Optional[str] = Field(None, max_length=256)


class BatchItem(BaseModel):
    prediction: Optional[float] = None
    id: str
    error: Optional[str] = None


class BatchPrediction(BaseModel):
    predictions: List[BatchItem]
    version: int
''')
(service / "app/schema.py").write_text("\n".join(lines))
sys.path.insert(0, str(service))
import os
os.environ["MLOPS_BUNDLE"] = "/nowhere"
(service / "openapi.json").write_text("{}")
from app import main
main.app.openapi_schema = None
from fastapi import FastAPI
(service / "openapi.json").write_text(json.dumps(FastAPI.openapi(main.app), indent=2))
