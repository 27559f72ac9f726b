"""Makes small packages as an index would have them: python wheels.py FOLDER NAME…   Each has the version that is installed
here, as a wheel for every platform, one for another platform, and a source archive. Prints {name: version}."""
import io
import json
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
versions = {}
for name in sys.argv[2:]:
    version = versions[name] = metadata.version(name)
    stem = "%s-%s" % (name.replace("-", "_"), version)
    facts = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    if name == "fastapi":
        facts += "Requires-Dist: helper-of-fastapi>=1\n"
    for tag in ("py3-none-any", "cp311-cp311-win_amd64"):
        with zipfile.ZipFile(folder / ("%s-%s.whl" % (stem, tag)), "w") as wheel:
            info = stem + ".dist-info/"
            wheel.writestr(info + "METADATA", facts)
            wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: %s\n" % tag)
            wheel.writestr(info + "RECORD", "")
    with tarfile.open(folder / (stem + ".tar.gz"), "w:gz") as source:
        entry = tarfile.TarInfo(stem + "/PKG-INFO")
        entry.size = len(facts)
        source.addfile(entry, io.BytesIO(facts.encode()))
with zipfile.ZipFile(folder / "helper_of_fastapi-1.2-py3-none-any.whl", "w") as wheel:
    wheel.writestr("helper_of_fastapi-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: helper-of-fastapi\nVersion: 1.2\n")
    wheel.writestr("helper_of_fastapi-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("helper_of_fastapi-1.2.dist-info/RECORD", "")
with zipfile.ZipFile(folder / "helper_of_fastapi-1.1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("helper_of_fastapi-1.1.dist-info/METADATA", "older")
json.dump(versions, sys.stdout)
