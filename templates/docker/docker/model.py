"""Between `mlops model export` and the image. Standard library only; nothing of the archive is run or loaded.

    python3 docker/model.py args docker/model.tar      the build arguments of this version, for `docker build $(…)`
    python3 docker/model.py unpack ARCHIVE FOLDER --service service.json --version V --manifest D --commit C --data D
        compares every byte with its digest, and the version with what the labels of the image will say; then writes
        what the service reads: the model, its examples and baseline, the facts of its environment

The format is docs/transfer.md of mlops.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tarfile

NAME = re.compile(r"(?:archive|manifest|origin)\.json|objects/[0-9a-f]{64}")
LARGEST_RECORD = 64 << 20


class Wrong(Exception):
    """One line that says what is wrong."""


def read(archive):
    """The index and a function that gives the bytes of a record. @raises Wrong for anything that is not as it must be"""
    entries = {}
    for entry in archive:
        if not entry.isreg() or not NAME.fullmatch(entry.name) or entry.name in entries:
            raise Wrong("it has an entry that no archive of a version has: %r" % entry.name)
        entries[entry.name] = entry

    def record(name):
        entry = entries.get(name)
        if entry is None or entry.size > LARGEST_RECORD:
            raise Wrong("it has no %s" % name)
        return json.loads(archive.extractfile(entry).read().decode("utf-8"))

    index = record("archive.json")
    if index.get("format") != 1 or index.get("kind") != "mlops model version":
        raise Wrong("it is no archive of a version, or of a newer mlops")
    listed = {entry["path"]: entry for entry in index["entries"]}
    if set(listed) | {"archive.json"} != set(entries):
        raise Wrong("its index and its entries differ")
    for path, entry in listed.items():
        found = hashlib.sha256()
        for chunk in chunks(archive.extractfile(entries[path])):
            found.update(chunk)
        named = path[len("objects/") :] if path.startswith("objects/") else entry["sha256"]
        if found.hexdigest() != entry["sha256"] or named != entry["sha256"] or entries[path].size != entry["size"]:
            raise Wrong("%s is damaged: its bytes are others" % path)
    if listed.get("manifest.json", {}).get("sha256") != index["manifest"]:
        raise Wrong("its manifest is not the one that its index names")
    return index, entries, record


def chunks(file):
    return iter(lambda: file.read(1 << 20), b"")


def facts_of(index, entries, record):
    """What the labels say, and the objects that the service reads."""
    manifest = record("manifest.json")
    kept = {file["sha256"] for file in manifest["files"]}
    missing = [file["path"] for file in manifest["files"] if "objects/" + file["sha256"] not in entries]
    if missing:
        raise Wrong("it lacks %s" % ", ".join(missing))
    baseline = manifest.get("baseline") or {}
    kept.update(each for each in (baseline.get("profile"), (manifest.get("examples") or {}).get("sha256")) if each)
    git = {}
    pin = record("origin.json")["event"]["body"].get("run") or {}
    for part in ("run", "end"):
        if not pin.get(part):
            continue
        kept.add(pin[part]["sha256"])
        run = record("objects/" + pin[part]["sha256"])
        late = run.get("late") or {}
        git = run.get("git") or late.get("git") or git
        lock = (run.get("python") or late.get("python") or {}).get("lock")
        if lock:
            kept.add(lock["sha256"])
    trained = [fact for fact in manifest["data"] if fact["name"] == "train"] or [baseline.get("data") or {}]
    commit = git.get("commit") or "none"
    facts = {
        "version": str(index["version"]),
        "manifest": index["manifest"],
        "commit": commit + ("-dirty" if git.get("commit") and git.get("dirty") else ""),
        "data": trained[0].get("sha256", "none"),
    }
    for name, value in facts.items():
        if not re.fullmatch(r"[0-9a-f]{1,64}(?:-dirty)?|none", value):
            raise Wrong("its %s is %r" % (name, value))
    return facts, kept


def unpack(archive, folder, wanted, service):
    index, entries, record = read(archive)
    facts, kept = facts_of(index, entries, record)
    with open(service, encoding="utf-8") as file:
        model = json.load(file)["model"]
    if index["model"] != model:
        raise Wrong("it holds %s, and this service is for %s" % (index["model"], model))
    for name in ("version", "manifest", "commit", "data"):
        if wanted[name] != facts[name]:
            raise Wrong(
                "it holds version %s, and the labels would say %s %s instead of %s: mlops scaffold docker %s@%s, or build with "
                "$(python3 docker/model.py args docker/model.tar)"
                % (facts["version"], name, wanted[name] or "nothing", facts[name], model, facts["version"])
            )
    os.makedirs(os.path.join(folder, "objects"))
    for name, entry in entries.items():
        if name.startswith("objects/") and name[len("objects/") :] not in kept:
            continue
        path = os.path.join(folder, *name.split("/"))
        with open(path, "xb") as file:
            for chunk in chunks(archive.extractfile(entry)):
                file.write(chunk)
        os.chmod(path, 0o444)
        os.utime(path, (0, 0))  # the same version is the same layer
    for each in (os.path.join(folder, "objects"), folder):
        os.chmod(each, 0o755)
        os.utime(each, (0, 0))
    print("%s@%s: %s, verified" % (model, facts["version"], facts["manifest"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("args").add_argument("archive")
    given = commands.add_parser("unpack")
    given.add_argument("archive")
    given.add_argument("folder")
    for name in ("service", "version", "manifest", "commit", "data"):
        given.add_argument("--" + name, required=True)
    asked = parser.parse_args()
    try:
        with tarfile.open(asked.archive, "r:") as archive:
            if asked.command == "unpack":
                unpack(archive, asked.folder, vars(asked), asked.service)
            else:
                facts, _ = facts_of(*read(archive))
                print(" ".join("--build-arg MODEL_%s=%s" % (name.upper(), facts[name]) for name in sorted(facts)))
    except (Wrong, OSError, tarfile.TarError) as error:
        sys.exit("%s: %s" % (asked.archive, error))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        sys.exit("%s: it is damaged (%s: %s)" % (asked.archive, type(error).__name__, error))


if __name__ == "__main__":
    main()
