"""One version from the registry into memory: verified bytes, the environment it was trained in, the contract of this service,
its golden predictions. Whatever differs is one line, and the version is not served.
"""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from pydantic import ValidationError

from .predictor import (
    Incompatible,
    Predict,
    Row,
    environment_differs,
    golden_differs,
    load,
)
from .registry import (
    Registry,
    copy_object,
    read_environment,
    read_examples,
    read_manifest,
    read_object,
)
from .schema import Features
from .settings import Contract


@dataclass(frozen=True)
class Served:
    """A version that may answer."""

    version: int
    manifest: str
    predict: Predict
    folder: str
    golden: int


def load_version(registry: Registry, contract: Contract, version: int, digest: str, max_batch: int) -> Served:
    """@raises Incompatible, Unreadable, and what libraries raise"""
    manifest = read_manifest(registry, digest)
    environment = read_environment(registry, version)
    examples = read_examples(registry, manifest)
    differs = environment_differs(contract.flavour, environment.get("python"), environment.get("lock", []))
    if differs is None and digest != contract.made_from:
        differs = contract_differs(registry, contract, manifest, examples)
    if differs is not None:
        raise Incompatible(differs)
    # Private: nobody else may change a file between its check and its use.
    folder = tempfile.mkdtemp(prefix=f"mlops-{contract.model}-{version}-")
    try:
        for file in manifest["files"]:
            copy_object(registry, file["sha256"], Path(folder) / file["path"])
        predict = load(Path(folder), artifact_of(contract, manifest), contract)
        golden = check_golden(predict, examples, contract, max_batch)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Served(version, digest, predict, folder, golden)


def artifact_of(contract: Contract, manifest: Dict[str, Any]) -> str:
    """The file to load: of the name that the contract says, else the only one of its kind."""
    paths = [file["path"] for file in manifest["files"]]
    if contract.artifact in paths:
        return contract.artifact
    alike = [path for path in paths if Path(path).suffix == Path(contract.artifact).suffix]
    if len(alike) != 1:
        raise Incompatible(
            f"it has no file {contract.artifact}, and {len(alike)} others ending in {Path(contract.artifact).suffix}"
        )
    return alike[0]


_PROFILE_TYPES = {
    "numeric": ("integer", "number", "boolean"),
    "categorical": ("string", "boolean", "integer", "number"),
    "timestamp": ("datetime", "string"),
    "text": ("string",),
}


def contract_differs(
    registry: Registry, contract: Contract, manifest: Dict[str, Any], examples: List[Dict[str, Any]]
) -> Optional[str]:
    """How the columns that it was trained on differ from what this service takes; None when they fit or none are recorded."""
    baseline = manifest.get("baseline")
    columns = json.loads(read_object(registry, baseline["profile"]))["columns"] if baseline else []
    answers = (manifest.get("target"), manifest.get("prediction"))
    if examples:
        wanted = {name for example in examples for name in example["features"]}
    else:
        wanted = {
            each["name"] for each in columns if each.get("role") == "feature" and each["type"] not in ("id", "ignore")
        }.difference(answers)
    if not wanted:
        return None
    known = {feature["name"]: feature for feature in contract.features}
    gone = [name for name in known if name not in wanted and not (examples and name in contract.drop)]
    new = sorted(wanted.difference(known))
    if gone or new:
        parts = [
            ("it wants " + ", ".join(new[:5])) if new else "",
            ("it does not know " + ", ".join(gone[:5])) if gone else "",
        ]
        return "another contract: {}".format(" and ".join(part for part in parts if part))
    for column in columns:
        feature, kind = known.get(column["name"]), column["type"]
        if feature and feature["type"] not in _PROFILE_TYPES.get(kind, (feature["type"],)):
            return "another contract: {} is {} there, and {} here".format(column["name"], kind, feature["type"])
    return None


def check_golden(predict: Predict, examples: List[Dict[str, Any]], contract: Contract, max_batch: int) -> int:
    """Runs the golden predictions, which warms the model up too. Returns how many there were. @raises Incompatible"""
    if not examples and contract.example:
        examples = [dict(contract.example, output=None)]
    rows = [_as_row(example, at, contract) for at, example in enumerate(examples)]
    whole = [row for row in rows if row is not None]
    found: List[Any] = []
    for start in range(0, len(whole), max_batch):
        found += predict(whole[start : start + max_batch])
    answers = iter(found)
    checked = 0
    for at, (row, example) in enumerate(zip(rows, examples)):
        answer = next(answers) if row is not None else None
        if row is None or example.get("output") is None:
            continue
        checked += 1
        differs = golden_differs(example["output"], answer)
        if differs:
            raise Incompatible(f"golden prediction {at + 1} of {len(examples)} gives {differs}")
    for at, row in enumerate(whole[:3]):
        differs = golden_differs(found[at], predict([row])[0])
        if differs:
            raise Incompatible(f"a row alone gives {differs} in a batch: set MAX_BATCH=1")
    return checked


def _as_row(example: Dict[str, Any], at: int, contract: Contract) -> Optional[Row]:
    """None for an example without its personal columns, which were dropped when it was recorded."""
    features = example["features"]
    lacking = [
        feature["name"]
        for feature in contract.features
        if feature["name"] not in features and not feature.get("nullable")
    ]
    if lacking and all(name in contract.drop for name in lacking):
        return None
    try:
        return Features.model_validate(features).model_dump(by_alias=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Incompatible(
            "golden prediction {} does not fit the contract: {}: {}".format(
                at + 1, ".".join(map(str, first["loc"])), first["msg"]
            )
        ) from None


def settle_collector() -> None:
    """Takes the heap of the libraries and the model out of the collector's sight: its pauses were the slowest requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
