"""What this service was made for (service.json, generated) and how it is run (environment variables, docs in README.md).

Nothing else reads the environment, so this table is the whole of it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(ValueError):
    """One line that says which variable is wrong, and what would be right."""


@dataclass(frozen=True)
class Contract:
    """What goes in and comes out: the same for every version that this service may answer with."""

    model: str
    flavour: str
    artifact: str
    features: Sequence[Dict[str, Any]]
    output: Dict[str, Any]
    example: Optional[Dict[str, Any]]
    # Columns that are never logged.
    drop: Sequence[str]
    # Digest of the manifest that this code was made from: it needs no comparison with the contract.
    made_from: str
    python: Optional[str]
    # False for models whose answer to a row depends on the rows beside it.
    batch: bool

    @property
    def names(self) -> List[str]:
        return [feature["name"] for feature in self.features]


def read_contract(facts: Mapping[str, Any]) -> Contract:
    return Contract(
        model=facts["model"],
        flavour=facts["flavour"],
        artifact=facts["artifact"],
        features=facts["features"],
        output=facts["output"],
        example=facts.get("example"),
        drop=[*facts.get("drop", ()), *facts.get("personal", ())],
        made_from=facts.get("scaffolded", {}).get("manifest", ""),
        python=facts.get("python"),
        batch=facts.get("batch", True),
    )


@dataclass(frozen=True)
class Settings:
    store: Optional[Path]
    bundle: Optional[Path]
    # Where predictions are logged, as a person said; the client reads it itself.
    predictions: Optional[str]
    stage: str
    instance: str
    # Whether this service's output may hold what exceptions say, and with it values of requests.
    show_reasons: bool
    max_queue: int
    max_batch: int
    max_body: int
    deadline: float
    follow: float
    drain: float


def read_settings(facts: Mapping[str, Any], env: Mapping[str, str]) -> Settings:
    store = env.get("MLOPS_STORE") or None
    bundle = env.get("MLOPS_BUNDLE") or (str(ROOT / "bundle") if store is None else None)
    instance = env.get("MLOPS_INSTANCE") or re.sub(r"[^A-Za-z0-9._-]", "-", f"{socket.gethostname()}-{os.getpid()}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", instance):
        raise SettingsError(f"MLOPS_INSTANCE is a name of letters, digits, dots and dashes, not {instance!r}")
    return Settings(
        store=Path(store).absolute() if store else None,
        bundle=Path(bundle).absolute() if bundle else None,
        predictions=env.get("MLOPS_PREDICTIONS") or None,
        stage=env.get("MLOPS_STAGE") or facts.get("stage") or "production",
        instance=instance,
        show_reasons=env.get("SHOW_REASONS", "").strip().lower() in ("1", "true", "yes"),
        max_queue=int(_number(env, "MAX_QUEUE", 1024, least=1)),
        max_batch=int(_number(env, "MAX_BATCH", 128, least=1)) if facts.get("batch", True) else 1,
        max_body=int(_number(env, "MAX_BODY", 8 << 20, least=1024)),
        deadline=_number(env, "DEADLINE_MS", 1000, least=1) / 1000,
        follow=_number(env, "FOLLOW_SECONDS", 0.2, least=0.02),
        drain=_number(env, "DRAIN_SECONDS", 5, least=0),
    )


def _number(env: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value < 1e9:
        raise SettingsError(f"{name} is a number from {least:g} on, not {text!r}")
    return value


def workers_asked_for(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """How many processes the server was told to start: every one would have a queue, a model and metrics of its own."""
    found = [env.get("WEB_CONCURRENCY", ""), env.get("UVICORN_WORKERS", "")]
    for words in (argv, env.get("GUNICORN_CMD_ARGS", "").split()):
        for at, word in enumerate(words):
            if word in ("--workers", "-w"):
                found.append(words[at + 1] if at + 1 < len(words) else "")
            elif word.startswith("--workers="):
                found.append(word.partition("=")[2])
            elif re.fullmatch(r"-w=?\d+", word):
                found.append(word.lstrip("-w="))
    return max([int(text) for text in found if text.strip().isdigit()], default=1)


def refuse_more_workers() -> None:
    """Ends this process, and the supervisor that would start it again and again."""
    if workers_asked_for(sys.argv, os.environ) == 1:
        return
    print(
        "This service runs in one process: every worker would hold a model, a queue and metrics of its own, and /metrics "
        "would tell the truth about one of them. Take --workers and WEB_CONCURRENCY away, and start more replicas instead.",
        file=sys.stderr,
    )
    if multiprocessing.parent_process() is not None:
        os.kill(os.getppid(), signal.SIGTERM)
    sys.exit(1)


FACTS: Dict[str, Any] = json.loads((ROOT / "service.json").read_text(encoding="utf-8"))
CONTRACT = read_contract(FACTS)
PYTHON = "{}.{}".format(*sys.version_info[:2])
