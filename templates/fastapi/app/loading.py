"""One version from the registry into memory: verified bytes, the environment it was trained in, the contract of this service,
its golden predictions. Whatever differs is one line, and the version is not served.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from pydantic import ValidationError

from .checks import environment_differs, golden_differs, kind_problem
from .predictor import Incompatible, Predict, Row, load, some_of
from .registry import (
    Registry,
    check_registered,
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
    check_registered(registry, version, digest)
    manifest = read_manifest(registry, digest)
    environment = read_environment(registry, version)
    examples = read_examples(registry, manifest)
    differs = environment_differs(contract.flavour, environment.get("python"), environment.get("lock", []))
    if differs is None and digest != contract.made_from:
        differs = contract_differs(registry, contract, manifest, examples)
    if differs is not None:
        raise Incompatible(differs)
    # Private: nobody else may change a file between its check and its use.
    folder = tempfile.mkdtemp(prefix=f"mlops-{contract.model}-{version}-{_HOST}-{os.getpid()}-")
    try:
        for file in manifest["files"]:
            copy_object(registry, file["sha256"], int(file["size"]), Path(folder) / file["path"])
        artifact = artifact_of(contract, manifest)

        def loaded() -> Tuple[Predict, int]:
            predict = load(Path(folder), artifact, contract)
            return predict, check_golden(predict, examples, contract, max_batch)

        predict, golden = _in_time(loaded)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Served(version, digest, predict, folder, golden)


# For loading a version and its golden predictions: long, since nobody waits for it but the version itself.
LOAD_SECONDS = 600.0
_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname()) or "host"


def _in_time(work: Callable[[], Tuple[Predict, int]]) -> Tuple[Predict, int]:
    """Its result, from a thread of its own: whoever follows the stage must not wait for ever for a version that never answers.
    @raises Incompatible when it takes too long, and whatever `work` raises"""
    done: List[Tuple[Predict, int]] = []
    failed: List[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="load", daemon=True)
    thread.start()
    thread.join(LOAD_SECONDS)
    if failed:
        raise failed[0]
    if not done:
        raise Incompatible(f"it was not loaded, with its golden predictions, within {LOAD_SECONDS:g} s")
    return done[0]


def sweep_folders(model: str) -> None:
    """Takes away the private folders of services that were killed: of this model, on this host, whose process has gone. To be
    called before the first version is loaded."""
    mine = re.compile(rf"mlops-{re.escape(model)}-\d+-{_HOST}-(\d+)-[^-]+")
    try:
        for folder in list(Path(tempfile.gettempdir()).iterdir()):
            match = mine.fullmatch(folder.name)
            if match and not folder.is_symlink() and not _is_another_running(int(match.group(1))):
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass


def _is_another_running(pid: int) -> bool:
    if pid == os.getpid():
        return False  # in a container that was restarted, every life has the same number
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return True


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
            ("it wants " + some_of(new)) if new else "",
            ("it does not know " + some_of(gone)) if gone else "",
        ]
        return "another contract: {}".format(" and ".join(part for part in parts if part))
    for column in columns:
        feature, kind = known.get(column["name"]), column["type"]
        if feature and feature["type"] not in _PROFILE_TYPES.get(kind, (feature["type"],)):
            return "another contract: {} is {} there, and {} here".format(column["name"], kind, feature["type"])
    return output_differs(contract, manifest, columns, examples)


def output_differs(
    contract: Contract, manifest: Dict[str, Any], columns: List[Dict[str, Any]], examples: List[Dict[str, Any]]
) -> Optional[str]:
    """How what it answered when it was registered differs from what this service says to its clients."""
    of = kind_problem(contract)
    for example in examples:
        found = of(example["output"]) if example.get("output") is not None else None
        # A predict_proba of two columns is answered as the chance of one of them.
        if found is not None and not isinstance(example["output"], dict):
            return f"another contract: {found}"
    by_name = {column["name"]: column for column in columns}
    answer, truth = by_name.get(manifest.get("prediction")), by_name.get(manifest.get("target"))
    if answer and not examples and answer["type"] == "categorical" and contract.output["kind"] == "number":
        return "another contract: it answers classes, and the contract says number"
    known = contract.output.get("classes")
    if known and truth and truth["type"] == "categorical" and truth.get("complete"):
        classes = {str(each).lower() for each in truth["categories"]}
        if len(classes) > 1 and classes != {str(each).lower() for each in known}:
            return "another contract: its classes are {}, and here {}".format(
                ", ".join(sorted(classes)[:10]), ", ".join(map(str, known[:10]))
            )
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
    of = kind_problem(contract)
    for value in found:
        problem = of(value)
        if problem:
            raise Incompatible(f"another contract: {problem}")
    answers = iter(found)
    checked = 0
    for at, (row, example) in enumerate(zip(rows, examples)):
        answer = next(answers) if row is not None else None
        if row is None or example.get("output") is None:
            continue
        checked += 1
        differs = golden_differs(example["output"], answer, getattr(predict, "positive", 1))
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
