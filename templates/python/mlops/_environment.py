"""Facts about this interpreter, its packages, the host. Also run as a script by `mlops track`, which reads the JSON.

As a script it runs beside the training command, so it imports nothing that a file of the training folder could shadow.
"""
import os
import sys

# Variables that decide how a training run comes out, or name the CI job it ran in. Nothing else of the environment is
# recorded: what is not on this list may be a secret. The same list stands in src/tracking/capture/environment.ts.
ENV_ALLOWED = (
    "CI", "CI_COMMIT_SHA", "CI_JOB_ID", "CI_PIPELINE_ID", "CONDA_DEFAULT_ENV", "CONDA_PREFIX",
    "CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "GITHUB_JOB", "GITHUB_REF", "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_SHA", "GITHUB_WORKFLOW", "LANG", "LC_ALL", "LOCAL_RANK",
    "MKL_NUM_THREADS", "MLOPS_SEED", "NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED", "PYTHONPATH", "RANK", "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS",
    "TOKENIZERS_PARALLELISM", "TZ", "VIRTUAL_ENV", "WORLD_SIZE",
)
_GPU_SECONDS = 10


def interpreter():
    return {"executable": sys.executable or "", "version": "%d.%d.%d" % sys.version_info[:3]}


def host():
    """Quick facts alone; `gpus` asks a program."""
    import platform  # 5 ms that the probe of `mlops track` does not need

    name = "%s %s" % (platform.system(), platform.machine())
    facts = {"name": platform.node(), "platform": name.lower(), "cpus": os.cpu_count() or 1, "memory": _memory()}
    facts.update((key, value) for key, value in (("cpu", _processor()), ("release", platform.release())) if value)
    return facts


def _memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _processor():
    """As its maker names it; None where the system does not say so at once."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            for line in file:
                if line.startswith(b"model name"):
                    return " ".join(line.partition(b":")[2].decode("utf-8", "replace").split())
    except OSError:
        pass
    if sys.platform == "darwin":
        return _said_by(["sysctl", "-n", "machdep.cpu.brand_string"], 2)
    return None


def gpus():
    """As `nvidia-smi` lists them, memory in bytes; empty where that is not there or gives no answer in time."""
    text = _said_by(
        ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"], _GPU_SECONDS
    )
    found = []
    for line in (text or "").splitlines():
        fields = [each.strip() for each in line.rsplit(",", 2)]
        if len(fields) < 3 or not fields[0]:
            continue
        gpu = {"name": fields[0]}
        if fields[1].isdigit():
            gpu["memory"] = int(fields[1]) * 1024 * 1024
        if fields[2] and not fields[2].startswith("["):
            gpu["driver"] = fields[2]
        found.append(gpu)
    return found


def _said_by(command, seconds):
    import subprocess

    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None


def main():
    """`_environment.py [FOLDER OF THE PROJECT]`: prints what this interpreter has installed, as JSON."""
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [folder for folder in sys.path if folder and os.path.abspath(folder) != here]
    # PYTHONPATH may hold the training folder and that a json.py: while this imports, only Python's own folders count.
    library = os.path.dirname(os.path.abspath(os.__file__))
    sys.path = [library, os.path.join(library, "lib-dynload")] + [
        folder for folder in folders
        if os.path.basename(folder) in ("DLLs", "lib_pypy") and os.path.dirname(folder) in (
            sys.base_prefix, os.path.dirname(library))
    ]
    import json

    sys.path.insert(0, here)
    import _packages

    found = _packages.read_environment(folders, os.getcwd(), sys.argv[1] if len(sys.argv) > 1 else os.getcwd())
    facts = interpreter()
    facts.update({
        "packages": found.lines, "environment": found.record, "notes": found.notes,
        "locks": [{"path": path, "text": text} for path, text in found.locks],
    })
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main()
