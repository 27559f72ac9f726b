"""Makes packages that pip can install without any network: `python make_packages.py FOLDER`.

`wheels/` holds tiny-1.0 and other-2.0; `mine/` is a project that can be installed editable or from its repository, with
a build backend of its own (PEP 517, 660).
"""
import base64
import hashlib
import os
import sys
import zipfile

BACKEND = '''
import base64, hashlib, os, zipfile

def _wheel(folder, files):
    name = "mine-0.1-py3-none-any.whl"
    files["mine-0.1.dist-info/METADATA"] = "Metadata-Version: 2.1\\nName: mine\\nVersion: 0.1\\n"
    files["mine-0.1.dist-info/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += "%s,sha256=%s,%d\\n" % (path, digest, len(text.encode()))
            archive.writestr(path, text)
        archive.writestr("mine-0.1.dist-info/RECORD", record + "mine-0.1.dist-info/RECORD,,\\n")
    return name

def build_wheel(folder, settings=None, metadata=None):
    return _wheel(folder, {"mine.py": open("src/mine.py").read()})

def build_editable(folder, settings=None, metadata=None):
    return _wheel(folder, {"__editable__mine.pth": os.path.abspath("src") + "\\n"})
'''


def wheel(folder, name, version, files):
    info = "%s-%s.dist-info" % (name, version)
    files = dict(files)
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/entry_points.txt"] = "[console_scripts]\n%s = %s:main\n" % (name, name)
    record = ""
    path = os.path.join(folder, "%s-%s-py3-none-any.whl" % (name, version))
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += "%s,sha256=%s,%d\n" % (member, digest, len(text.encode()))
            archive.writestr(zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0)), text)
        archive.writestr(zipfile.ZipInfo(info + "/RECORD", (2024, 1, 1, 0, 0, 0)), record + info + "/RECORD,,\n")


def main(folder):
    wheels, mine = os.path.join(folder, "wheels"), os.path.join(folder, "mine")
    for each in (wheels, os.path.join(mine, "src")):
        os.makedirs(each)
    wheel(wheels, "tiny", "1.0", {"tiny/__init__.py": "def main(): pass\n", "tiny/data.txt": "x\n"})
    wheel(wheels, "other", "2.0", {"other.py": "def main(): pass\n"})
    for path, text in (
        ("src/mine.py", "x = 1\n"), ("backend.py", BACKEND),
        ("pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'),
    ):
        with open(os.path.join(mine, path), "w") as file:
            file.write(text)


main(sys.argv[1])
