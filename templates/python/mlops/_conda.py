"""What conda, mamba and pixi wrote down of an environment: `conda-meta/*.json`, one record for each package."""
import json
import os


def conda_packages(prefix):
    """Records of `<prefix>/conda-meta`; None where that is no conda environment."""
    folder = os.path.join(prefix, "conda-meta")
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    found = []
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(folder, name), "rb") as file:
                record = json.loads(file.read().decode("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and isinstance(record.get("name"), str) and isinstance(record.get("version"), str):
            found.append(CondaPackage(prefix, record))
    return found


def pixi_folder(prefix):
    """The folder of the project whose environment pixi keeps here; None where it does not."""
    try:
        with open(os.path.join(prefix, "conda-meta", "pixi"), "rb") as file:
            manifest = json.loads(file.read().decode("utf-8")).get("manifest_path")
    except (OSError, ValueError, AttributeError):
        manifest = None
    if isinstance(manifest, str) and os.path.isdir(os.path.dirname(manifest)):
        return os.path.dirname(manifest)
    above, name = os.path.split(os.path.dirname(os.path.abspath(prefix)))
    return os.path.dirname(above) if name == "envs" and os.path.basename(above) == ".pixi" else None


class CondaPackage(object):
    def __init__(self, prefix, record):
        self.name = record["name"]
        self.version = record["version"]
        self.url = record.get("url") if isinstance(record.get("url"), str) else ""
        self.hashes = ["%s:%s" % (kind, record[kind]) for kind in ("sha256", "md5") if isinstance(record.get(kind), str)][:1]
        #: Absolute paths of the metadata of Python packages it brought.
        self.metadata = []
        files = record.get("files")
        for path in files if isinstance(files, list) else ():
            if isinstance(path, str) and path.endswith((".dist-info/METADATA", ".egg-info/PKG-INFO")):
                self.metadata.append(os.path.abspath(os.path.join(prefix, os.path.dirname(path))))

    def is_replaced(self):
        """pip put another version in its place: conda still has its record, the files are gone."""
        return bool(self.metadata) and not any(os.path.isdir(each) for each in self.metadata)
