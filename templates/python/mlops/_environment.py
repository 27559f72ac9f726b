"""Facts about this interpreter, its packages, the host. Also run as a script by `mlops track`, which reads the JSON.

Reads the names of installed packages from the folders themselves: `importlib.metadata` parses every file of metadata,
which takes half a second in a large environment. As a script it runs beside the training command, so it imports
nothing that a file of the training folder could shadow.
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


def packages(path=None):
    """`name==version` of every installed distribution, sorted; the first one found on the path wins, as in imports."""
    found = {}
    for folder in sys.path if path is None else path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for entry in names:
            if not entry.endswith((".dist-info", ".egg-info")):
                continue
            name, version = _name_and_version(os.path.join(folder or ".", entry))
            if name and version:
                found.setdefault(name.lower().replace("_", "-").replace(".", "-"), name + "==" + version)
    return sorted(found.values(), key=lambda line: (line.lower(), line))


def _name_and_version(folder):
    for member in ("METADATA", "PKG-INFO", ""):
        name = version = None
        try:
            with open(os.path.join(folder, member) if member else folder, "rb") as file:
                for raw in file:
                    if not raw.strip():
                        break
                    if raw[:5].lower() == b"name:":
                        name = raw[5:].strip().decode("utf-8", "replace")
                    elif raw[:8].lower() == b"version:":
                        version = raw[8:].strip().decode("utf-8", "replace")
                    if name and version:
                        return name, version
        except OSError:
            continue
    return None, None


def interpreter():
    return {"executable": sys.executable or "", "version": "%d.%d.%d" % sys.version_info[:3]}


def host():
    import platform  # 5 ms that the probe of `mlops track` does not need

    name = "%s %s" % (platform.system(), platform.machine())
    return {"name": platform.node(), "platform": name.lower(), "cpus": os.cpu_count() or 1, "memory": _memory()}


def _memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [folder for folder in sys.path if folder and os.path.abspath(folder) != here]
    # By hand: a training folder may hold a json.py, and nothing of it may run here.
    def quote(text):
        return '"' + "".join(
            c if 32 <= ord(c) < 127 and c not in '"\\' else "\\u%04x" % ord(c) if ord(c) < 65536 else "?" for c in text
        ) + '"'
    facts = interpreter()
    lines = ",".join(quote(line) for line in packages(folders))
    print('{"executable":%s,"version":%s,"packages":[%s]}' % (quote(facts["executable"]), quote(facts["version"]), lines))


if __name__ == "__main__":
    main()
