"""The environment record: packages as installers leave them on disk, and lock files as package managers write them."""
import hashlib
import json
import os
import sys

import pytest

CLIENT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../templates/python"))
if CLIENT not in sys.path:
    sys.path.insert(0, CLIENT)

from mlops import _aside, _facts, _packages, _usage  # noqa: E402
from mlops._environment import gpus, host  # noqa: E402

A, B, C, D = ("sha256:" + letter * 64 for letter in "abcd")


def install(site, name, version, installer="pip", record=(("pkg/__init__.py", "sha256=abc", 3),), direct=None, info=None):
    folder = site / (info or "%s-%s.dist-info" % (name.replace("-", "_"), version))
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: %s\nVersion: %s\n\nText\nName: not-this\n" % (name, version))
    if installer is not None:
        (folder / "INSTALLER").write_text(installer + "\n")
    if record is not None:
        own = [("%s/%s" % (folder.name, each), "sha256=x", 1) for each in ("INSTALLER", "REQUESTED", "direct_url.json")]
        lines = list(record) + own + [("%s/RECORD" % folder.name, "", "")]
        (folder / "RECORD").write_text("".join("%s,%s,%s\n" % each for each in lines))
    if direct is not None:
        (folder / "direct_url.json").write_text(json.dumps(direct))
    return folder


@pytest.fixture
def env(tmp_path, monkeypatch):
    """A project with an environment of its own; `env.read()` is its record."""
    for name in ("project/src", "venv/lib/python3/site-packages"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    (tmp_path / "project/.git").mkdir()

    class Env:
        root = tmp_path / "project"
        prefix = tmp_path / "venv"
        site = tmp_path / "venv/lib/python3/site-packages"
        path = [str(site)]
        found = None

        def read(self, cwd=None):
            self.found = _packages.read_environment(self.path, str(cwd or self.root), str(self.root))
            return self.found.record

        def packages(self):
            return {each["name"]: each for each in self.read()["packages"]}

        def conda(self, name, version, files=(), **more):
            folder = self.prefix / "conda-meta"
            folder.mkdir(exist_ok=True)
            url = "https://conda.anaconda.org/conda-forge/linux-64/%s-%s-h0_0.conda" % (name, version)
            record = dict({"name": name, "version": version, "build": "h0_0", "url": url, "files": list(files)}, **more)
            (folder / ("%s-%s-h0_0.json" % (name, version))).write_text(json.dumps(record))
            return url

    return Env()


def test_what_an_installation_writes_itself_is_not_part_of_what_is_installed(env):
    content = [
        ("b/data.txt", "sha256=b", 1), ("a/__init__.py", "sha256=a", 1), ('"a/odd,""name"".py"', "sha256=o", 1),
        ("a/__pycache__/__init__.cpython-311.pyc", "", ""), ("../../../bin/tool", "sha256=t", 1),
    ]
    install(env.site, "one", "1.0", record=content)
    expected = "a/__init__.py\0sha256=a\na/odd,\"name\".py\0sha256=o\nb/data.txt\0sha256=b\n"
    assert env.packages()["one"]["installed"] == hashlib.sha256(expected.encode()).hexdigest()
    assert env.found.lines == ["one==1.0"]


def test_names_are_as_the_package_writes_them_and_sorted_without_regard_to_case(env):
    for name in ("zope.interface", "PyYAML", "attrs", "ruamel.yaml.clib"):
        install(env.site, name, "1.0")
    assert [each["name"] for each in env.read()["packages"]] == ["attrs", "PyYAML", "ruamel.yaml.clib", "zope.interface"]


def test_of_a_package_in_two_folders_that_which_an_import_finds_counts(env, tmp_path):
    user = tmp_path / "user/site-packages"
    install(user, "numpy", "2.0")
    install(env.site, "numpy", "1.0")
    env.path = [str(user), str(env.site), str(tmp_path / "absent"), ""]
    assert env.packages()["numpy"]["version"] == "2.0"
    assert env.found.notes == []


def test_of_a_package_twice_in_one_folder_the_last_written_counts_and_it_is_said(env):
    new = install(env.site, "numpy", "1.9")
    old = install(env.site, "numpy", "1.10")
    for folder, when in ((new, 2e9), (old, 1e9)):
        os.utime(str(folder), (when, when))
    install(env.site, "pandas", "3.0", record=None)
    install(env.site, "pandas", "2.0")
    assert env.packages()["numpy"]["version"] == "1.9"
    assert env.packages()["pandas"]["version"] == "2.0"
    assert "numpy is installed more than once" in env.found.notes[0] and "1.10, 1.9" in env.found.notes[0]


def test_leftovers_are_no_packages(env):
    install(env.site, "numpy", "1.0", info="~umpy-1.0.dist-info")
    (env.site / "empty-1.0.dist-info").mkdir()
    (env.site / "text-1.0.dist-info").write_text("no folder")
    assert env.read()["packages"] == []


def test_debian_and_egg_packages_have_no_digest_and_no_hash_of_a_lock_file(env):
    install(env.site, "six", "1.0", installer="debian", record=None)
    install(env.site, "attrs", "1.0", installer=None, record=None)
    (env.site / "yq-3.1.egg-info").write_text("Metadata-Version: 1.0\nName: yq\nVersion: 3.1\n")
    egg = env.site / "old-1.0-py3.egg/EGG-INFO"
    egg.mkdir(parents=True)
    (egg / "PKG-INFO").write_text("Name: old\nVersion: 1.0\n")
    env.path = [str(egg.parent), str(env.site)]
    pins = "".join("%s==1.0 --hash=%s\n" % (name, A) for name in ("six", "attrs", "old"))
    (env.root / "requirements.txt").write_text(pins)
    plain = [{"name": "attrs", "version": "1.0"}, {"name": "old", "version": "1.0"}, {"name": "six", "version": "1.0"}]
    assert env.read()["packages"] == plain + [{"name": "yq", "version": "3.1"}]
    assert env.found.locks == []


def test_a_develop_egg_link_is_editable(env):
    info = env.root / "src/legacy.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: legacy\nVersion: 0.1\n")
    (env.site / "legacy.egg-link").write_text(str(env.root / "src") + "\n..")
    env.path.append(str(env.root / "src"))
    assert env.packages()["legacy"]["from"] == {"kind": "editable", "url": "src"}


def test_what_an_editable_installation_leaves_beside_the_sources_is_not_a_second_package(env):
    info = env.root / "src/mine.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: mine\nVersion: 0.1\n")
    place = {"url": "file://" + str(env.root), "dir_info": {"editable": True}}
    install(env.site, "mine", "0.1", direct=place, record=(("__editable__.mine-0.1.pth", "sha256=x", 9),))
    env.path.insert(0, str(env.root / "src"))
    assert env.read()["packages"] == [{"name": "mine", "version": "0.1", "from": {"kind": "editable", "url": "."}}]


def test_where_a_package_comes_from_is_kept_without_what_grants_access(env, tmp_path):
    commit = "5547fa909e83df8bd743d3978d6667497983a4b7"
    git = {"vcs": "git", "requested_revision": "v1", "commit_id": commit}
    install(env.site, "a", "1", direct={"url": "https://bob:s3cr3t@host/a.git", "vcs_info": git, "subdirectory": "py"})
    install(env.site, "b", "1", direct={"url": "ssh://git@github.com/o/b.git", "vcs_info": git})
    install(env.site, "c", "1", direct={
        "url": "https://u:p@host/c-1-py3-none-any.whl?token=abcdef&x=1",
        "archive_info": {"hash": A.replace(":", "="), "hashes": {"sha256": A[7:]}},
    })
    install(env.site, "d", "1", direct={"url": "file://" + str(env.root) + "/dist/d%20x-1.whl", "archive_info": {}})
    install(env.site, "e", "1", direct={"url": "file://" + str(tmp_path / "else where").replace(" ", "%20"), "dir_info": {}})
    install(env.site, "f", "1", direct={"url": "file:///x", "archive_info": {"hash": "sha256=" + "f" * 64}})
    install(env.site, "g", "1", direct={"no": "url"})
    found = env.packages()
    assert found["a"]["from"] == {
        "kind": "vcs", "url": "https://host/a.git", "vcs": "git", "commit": commit, "subdirectory": "py"
    }
    assert found["b"]["from"]["url"] == "ssh://git@github.com/o/b.git"
    assert found["c"]["from"] == {"kind": "archive", "url": "https://host/c-1-py3-none-any.whl?token=[redacted]&x=1"}
    assert found["c"]["hashes"] == [A]
    assert found["d"]["from"] == {"kind": "archive", "url": "dist/d x-1.whl"}
    assert found["e"]["from"] == {"kind": "path", "url": "file://" + str(tmp_path / "else where").replace(" ", "%20")}
    assert found["f"]["hashes"] == ["sha256:" + "f" * 64]
    assert "from" not in found["g"]
    assert "s3cr3t" not in json.dumps(env.read())


def test_requirements_with_hashes_are_a_lock_and_lose_their_passwords(env):
    for name in ("numpy", "Foo.Bar", "dev-tool", "url-one"):
        install(env.site, name, "1.0")
    (env.root / "requirements.txt").write_text(
        "--index-url https://bob:hunter2@pypi.corp/simple\n# made by pip-compile\n"
        "numpy==1.0 ; python_version >= '3' \\\n    --hash=%s \\\n    --hash=%s\n    # via -r x\n"
        "foo_bar[extra] == 1.0 --hash=%s\nurl-one @ https://h/u.whl --hash=%s\n" % (B, A, C, D)
    )
    (env.root / "requirements").mkdir()
    (env.root / "requirements/dev.txt").write_bytes(("dev-tool==1.0 \\\r\n    --hash=%s\r\n" % D).encode())
    (env.root / "requirements-other.txt").write_text("numpy>=1\n")
    found = env.packages()
    assert [found[name].get("hashes") for name in ("numpy", "Foo.Bar", "dev-tool", "url-one")] == [[A, B], [C], [D], None]
    assert env.read()["manager"] == "pip"
    assert [path for path, _ in env.found.locks] == ["requirements.txt", "requirements/dev.txt"]
    text = dict(env.found.locks)["requirements.txt"]
    assert "hunter2" not in text and "https://pypi.corp/simple" in text and "# via -r x" in text
    assert _packages.hashed(env.found.record) == 3


def test_hashes_of_another_version_are_no_hashes(env):
    install(env.site, "numpy", "1.1")
    (env.root / "requirements.txt").write_text("numpy==1.0 --hash=%s\n" % A)
    assert "hashes" not in env.packages()["numpy"]


UV_LOCK = """version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "numpy"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "six" },
]
sdist = { url = "https://files.pythonhosted.org/numpy-1.0.tar.gz", hash = "%s", size = 1, upload-time = "2024-04-11T03:34:43.276Z" }
wheels = [
    { url = "https://files.pythonhosted.org/numpy-1.0-cp311-none-any.whl", hash = "%s", size = 2 },
]

[[package]]
name = "numpy"
version = "2.0"
source = { registry = "https://pypi.org/simple" }
wheels = [
    { url = "https://files.pythonhosted.org/numpy-2.0-cp311-none-any.whl", hash = "%s", size = 2 },
]

[[package]]
name = "fork"
version = "1.0"
source = { git = "https://github.com/o/fork?rev=main#5547fa909e83df8bd743d3978d6667497983a4b7" }

[[package]]
name = "direct"
version = "1.0"
source = { url = "https://host/direct-1.0-py3-none-any.whl" }
wheels = [
    { url = "https://host/direct-1.0-py3-none-any.whl", hash = "%s" },
]

[[package]]
name = "mine"
source = { editable = "." }

[package.metadata]
requires-dist = [{ name = "numpy", specifier = "==1.0" }]
""" % (B, A, C, D)


def test_uv_is_known_by_its_installer_and_its_lock_gives_hashes(env):
    (env.root / "uv.lock").write_text(UV_LOCK)
    install(env.site, "numpy", "1.0", installer="uv")
    install(env.site, "fork", "1.0", installer="uv", direct={
        "url": "https://github.com/o/fork", "vcs_info": {"vcs": "git", "commit_id": "5" * 40}})
    install(env.site, "direct", "1.0", installer="uv", direct={"url": "https://host/direct-1.0-py3-none-any.whl", "archive_info": {}})
    found = env.packages()
    assert env.read(env.root / "src")["manager"] == "uv"
    assert [found[name].get("hashes") for name in ("numpy", "fork", "direct")] == [[A, B], None, [D]]
    assert env.found.locks == [("uv.lock", UV_LOCK)]


def test_an_environment_made_by_uv_without_a_lock_is_uvs_too(env):
    (env.prefix / "pyvenv.cfg").write_text("home = /usr/bin\nimplementation = CPython\nuv = 0.13.9\nversion_info = 3.11.7\n")
    assert env.read()["manager"] == "uv"
    assert env.found.record["python"]["base"] == "/usr/bin/python%d.%d" % sys.version_info[:2]


def test_a_lock_of_another_environment_is_left_alone(env):
    (env.root / "uv.lock").write_text(UV_LOCK)
    for name in ("scipy", "pandas", "requests"):
        install(env.site, name, "1.0")
    assert env.read()["manager"] == "pip"
    assert env.found.locks == []


POETRY_2 = """# This file is automatically @generated by Poetry 2.1.1 and should not be changed by hand.

[[package]]
name = "numpy"
version = "1.0"
description = "Arrays"
optional = false
python-versions = ">=3.9"
groups = ["main"]
files = [
    {file = "numpy-1.0-cp311-none-any.whl", hash = "%s"},
    {file = "numpy-1.0.tar.gz", hash = "%s"},
]

[package.dependencies]
six = "*"

[package.source]
type = "legacy"
url = "https://pypi.corp/simple"
reference = "corp"

[[package]]
name = "fork"
version = "1.0"
files = []
develop = false

[package.source]
type = "git"
url = "https://github.com/o/fork"
reference = "main"
resolved_reference = "5547fa909e83df8bd743d3978d6667497983a4b7"

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "629b2379ea30e381170a4213ca6f08c61548547c242eaf080c1ad105de3a5eef"
""" % (A, B)

POETRY_1 = """[[package]]
name = "numpy"
version = "1.0"
description = "Arrays"
category = "main"
optional = false
python-versions = "*"

[metadata]
lock-version = "1.1"
python-versions = "*"
content-hash = "115cf985d932e9bf5f540555bbdd75decbb62cac81e399375fc19f6277f8c1d8"

[metadata.files]
fork = []
numpy = [
    {file = "numpy-1.0-cp311-none-any.whl", hash = "%s"},
    {file = "numpy-1.0.tar.gz", hash = "%s"},
]
other = [
    {file = "other.whl", hash = "%s"},
]
""" % (A, B, C)


@pytest.mark.parametrize("text", [POETRY_2, POETRY_1, POETRY_2.replace("\n", "\r\n")], ids=["2.x", "1.1", "CRLF"])
def test_poetry_is_known_by_its_installer_and_its_lock_gives_hashes(env, text):
    (env.root / "poetry.lock").write_bytes(text.encode())
    install(env.site, "numpy", "1.0", installer="Poetry 2.1.1")
    assert env.read()["manager"] == "poetry"
    assert env.packages()["numpy"]["hashes"] == [A, B]
    assert env.found.locks == [("poetry.lock", text)]


def test_pylock_of_pip_gives_hashes(env):
    (env.root / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "pip"\n\n[[packages]]\nname = "numpy"\nversion = "1.0"\n\n'
        '[[packages.wheels]]\nname = "numpy-1.0-py3-none-any.whl"\nurl = "https://h/numpy.whl"\n\n'
        '[packages.wheels.hashes]\nsha256 = "%s"\n\n[[packages]]\nname = "six"\nversion = "1.0"\n'
        'wheels = [{ url = "https://h/six.whl", hashes = { sha256 = "%s" } }]\n' % (A[7:], B[7:])
    )
    install(env.site, "numpy", "1.0")
    install(env.site, "six", "1.0")
    assert [env.packages()[name]["hashes"] for name in ("numpy", "six")] == [[A], [B]]
    assert env.read()["manager"] == "pip"


def test_conda_packages_are_known_by_their_address_and_digest(env):
    place = "lib/python3/site-packages/torch-2.0.dist-info"
    install(env.site, "torch", "2.0", installer="conda")
    install(env.site, "pip-one", "1.0")
    url = env.conda("pytorch", "2.0", ["lib/libtorch.so", place + "/METADATA", place + "/RECORD"], sha256="a" * 64, md5="b" * 32)
    old = env.conda("openssl", "3.1", md5="b" * 32)
    (env.prefix / "conda-meta/history").write_text("==> 2025 <==")
    (env.prefix / "conda-meta/torn.json").write_text('{"name": "to')
    found = env.packages()
    assert env.read()["manager"] == "conda"
    assert sorted(found) == ["openssl", "pip-one", "pytorch"]
    assert found["pytorch"]["from"] == {"kind": "conda", "url": url} and found["pytorch"]["hashes"] == [A]
    assert found["openssl"] == {"name": "openssl", "version": "3.1", "from": {"kind": "conda", "url": old}, "hashes": ["md5:" + "b" * 32]}
    assert len(found["pytorch"]["installed"]) == 64
    assert env.found.lines == ["pip-one==1.0", "torch==2.0"]


def test_a_conda_package_that_pip_has_replaced_is_pips(env):
    env.conda("numpy", "1.0", ["lib/python3/site-packages/numpy-1.0.dist-info/METADATA"], sha256="a" * 64)
    install(env.site, "numpy", "2.0")
    assert [(each["version"], each.get("from")) for each in env.read()["packages"]] == [("2.0", None)]


def test_a_token_in_the_address_of_a_conda_channel_is_not_kept(env):
    env.conda("private", "1.0", url="https://user:pw@conda.corp/t/x/private-1.0.conda", sha256="a" * 64)
    assert env.packages()["private"]["from"]["url"] == "https://conda.corp/t/[redacted]/private-1.0.conda"


PIXI_LOCK = """version: 6
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    indexes:
    - https://pypi.org/simple
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/openssl-3.1-h0_0.conda
      - pypi: https://files.pythonhosted.org/packages/six-1.0-py3-none-any.whl
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/openssl-3.1-h0_0.conda
  sha256: %s
  md5: d7c89558ba9fa0495403155b64376d81
  license: None
  size: 2562
- pypi: https://files.pythonhosted.org/packages/six-1.0-py3-none-any.whl
  name: six
  version: '1.0'
  sha256: %s
  requires_dist:
  - other>=1 ; extra == 'x'
  requires_python: '>=3.7'
- pypi: ./
  name: mine
  version: 0.1.0
  sha256: %s
  editable: true
""" % (A[7:], B[7:], C[7:])

PIXI_LOCK_5 = """version: 5
packages:
- kind: conda
  name: openssl
  version: '3.1'
  url: https://conda.anaconda.org/conda-forge/linux-64/openssl-3.1-h0_0.conda
  sha256: %s
- kind: pypi
  name: six
  version: '1.0'
  url: https://files.pythonhosted.org/packages/six-1.0-py3-none-any.whl
  sha256: %s
""" % (A[7:], B[7:])


@pytest.mark.parametrize("text", [PIXI_LOCK, PIXI_LOCK_5], ids=["6", "5"])
def test_pixi_is_known_by_its_folder_and_its_lock_gives_hashes(env, text, monkeypatch):
    env.prefix = env.root / ".pixi/envs/default"
    env.prefix.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(env.prefix))
    env.site = env.prefix / "lib/python3/site-packages"
    env.path = [str(env.site)]
    env.conda("openssl", "3.1")
    install(env.site, "six", "1.0", installer="uv-pixi")
    (env.root / "pixi.lock").write_text(text)
    found = env.packages()
    assert env.read()["manager"] == "pixi"
    assert found["openssl"]["hashes"] == [A] and found["six"]["hashes"] == [B]
    assert [path for path, _ in env.found.locks] == ["pixi.lock"]
    identity = {"manifest_path": str(env.root / "pixi.toml"), "environment_name": "default", "pixi_version": "0.63.2"}
    (env.prefix / "conda-meta/pixi").write_text(json.dumps(identity))
    assert env.read(env.root.parent)["manager"] == "pixi"
    assert [path for path, _ in env.found.locks] == ["pixi.lock"]


def test_a_lock_is_looked_for_upwards_to_the_top_of_the_repository_and_no_further(env, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(env.prefix / "elsewhere"))
    install(env.site, "numpy", "1.0", installer="uv")
    (env.root.parent / "uv.lock").write_text(UV_LOCK)
    env.read(env.root / "src")
    assert env.found.locks == []
    (env.root / ".git").rmdir()
    (env.root.parent / ".git").mkdir()
    env.read(env.root / "src")
    assert [path for path, _ in env.found.locks] == [str(env.root.parent / "uv.lock")]


def test_odd_bytes_in_metadata_and_paths_do_not_stop_the_record(env):
    folder = install(env.site, "odd", "1.0")
    (folder / "METADATA").write_bytes(b"Name: odd\xff\nVersion: 1.0\n")
    (folder / "direct_url.json").write_bytes(b"\xff\xfe{")
    (folder / "RECORD").write_bytes(b"\xff,sha256=a,1\n")
    (env.root / "uv.lock").write_bytes(b"\xff\xfe")
    (found,) = env.read()["packages"]
    assert found["name"] == "odd\ufffd" and "installed" not in found
    json.dumps(env.found.record).encode("utf-8")


def fake_nvidia_smi(folder, monkeypatch, script):
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "%s%s%s" % (folder, os.pathsep, os.environ["PATH"]))


def test_graphics_cards_are_listed_as_nvidia_smi_lists_them(tmp_path, monkeypatch):
    fake_nvidia_smi(tmp_path, monkeypatch, (
        'test "$*" = "--query-gpu=name,memory.total,driver_version --format=csv,noheader,nounits" || exit 2\n'
        'echo "NVIDIA A100-SXM4-40GB, 40960, 535.104.05"\necho "NVIDIA GB10, [N/A], [Not Supported]"\n'
    ))
    assert gpus() == [
        {"name": "NVIDIA A100-SXM4-40GB", "memory": 40960 * 2 ** 20, "driver": "535.104.05"}, {"name": "NVIDIA GB10"}
    ]


@pytest.mark.parametrize("script", [
    'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
    'echo "No devices were found"', "exit 127",
])
def test_no_driver_and_no_card_are_no_graphics_cards(tmp_path, monkeypatch, script):
    fake_nvidia_smi(tmp_path, monkeypatch, script)
    assert gpus() == []


def test_the_host_names_its_processor_and_kernel():
    facts = host()
    assert facts["release"] == os.uname().release
    if sys.platform == "linux" and os.uname().machine == "x86_64":
        assert facts["cpu"]


def test_only_a_whole_number_in_range_is_a_seed():
    seeds = {text: _facts.seed({"MLOPS_SEED": text}) for text in ("0", "42", "4294967295", "4294967296", "-1", "1e3", "²", " 1", "")}
    assert seeds == {"0": 0, "42": 42, "4294967295": 4294967295, "4294967296": None, "-1": None, "1e3": None, "²": None, " 1": None, "": None}


def test_a_run_that_begins_in_the_middle_of_a_process_counts_what_came_since():
    burn(0.3)
    usage = _usage.Usage(whole=False)
    burn(0.2)
    some, whole = usage.so_far(), _usage.Usage(whole=True).so_far()
    assert 0.2 <= some["cpuSeconds"] < whole["cpuSeconds"]
    assert whole["cpuSeconds"] >= 0.5 and whole["maxRssBytes"] > 0 and whole["memoryOf"] == "process"
    more = bytearray(whole["maxRssBytes"] + (64 << 20))
    more[::4096] = b"x" * len(more[::4096])
    assert usage.so_far()["maxRssBytes"] > whole["maxRssBytes"]
    later = _usage.Usage(whole=False)
    assert "maxRssBytes" not in later.so_far()


def burn(seconds):
    import time

    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_what_fails_in_a_thread_is_said_and_nothing_else_is_lost(shop, monkeypatch):
    import mlops

    monkeypatch.setattr(_aside, "_packages", lambda *arguments: 1 / 0)
    with mlops.track("churn-model") as run:
        run.log_metric("auc", 0.5)
    end = json.loads((shop.root / (".mlops/runs/%s/end.json" % run.id)).read_text())
    assert any("no packages are recorded: division by zero" in each for each in end["warnings"])
    assert end["metrics"] == {"auc": 0.5}
