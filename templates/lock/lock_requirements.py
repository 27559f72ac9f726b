"""Locks requirements for `mlops scaffold`: this interpreter's own pip resolves, and the index is asked for the digests of
every file of each version that pip chose. Installs nothing and writes nothing outside of a temporary folder.

stdin:  {"roots": ["fastapi>=0.115", …], "constraints": ["numpy==2.3.5", …]}
stdout: {"python": "3.11.9", "platform": "linux x86_64", "packages": [{"name", "version", "hashes": ["sha256:…", …]}]}
        or {"problem": "pip" | "resolve" | "index", "message": "…"}
"""
import ast
import concurrent.futures
import html.parser
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from urllib.parse import unquote, urldefrag, urljoin, urlsplit


class Problem(Exception):
    def __init__(self, kind, message):
        Exception.__init__(self, message)
        self.kind = kind


def main():
    asked = json.load(sys.stdin)
    try:
        answer = lock(asked["roots"], asked["constraints"])
    except Problem as problem:
        answer = {"problem": problem.kind, "message": str(problem)}
    answer["python"] = platform.python_version()
    answer["platform"] = ("%s %s" % (platform.system(), platform.machine())).lower()
    json.dump(answer, sys.stdout)


def lock(roots, constraints):
    chosen = resolve(roots, constraints)
    indexes, session = index_session()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        packages = list(pool.map(lambda one: with_hashes(one, indexes, session), chosen))
    return {"packages": sorted(packages, key=lambda each: each["name"])}


# -- pip resolves -----------------------------------------------------------------------------------------------------


def pip(*words):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def resolve(roots, constraints):
    found = pip("--version")
    version = re.match(r"pip (\d+)\.(\d+)", found.stdout)
    if version is None:
        raise Problem("pip", "%s has no pip" % sys.executable)
    if (int(version.group(1)), int(version.group(2))) < (22, 2):
        raise Problem("pip", "pip %s.%s of %s is older than 22.2, which can say what it would install" % (version.group(1), version.group(2), sys.executable))
    with tempfile.TemporaryDirectory(prefix="mlops-lock-") as folder:
        # As files, so that a word of a recorded lock is never an option of pip.
        wanted, bounds, report = (os.path.join(folder, name) for name in ("wanted.txt", "bounds.txt", "report.json"))
        for path, lines in ((wanted, roots), (bounds, constraints)):
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in lines))
        done = pip("install", "--dry-run", "--ignore-installed", "--quiet", "--report", report, "--requirement", wanted, "--constraint", bounds)
        if done.returncode != 0:
            raise Problem("resolve", last_lines(done.stderr))
        with open(report, encoding="utf-8") as file:
            return [facts_of(item) for item in json.load(file)["install"]]


def facts_of(item):
    archive = item["download_info"].get("archive_info", {})
    hashes = archive.get("hashes") or dict([archive["hash"].split("=", 1)] if "hash" in archive else [])
    return {
        "name": item["metadata"]["name"], "version": item["metadata"]["version"], "url": item["download_info"]["url"], "sha256": hashes.get("sha256"),
    }


def last_lines(text):
    """What pip said last, without addresses, which may hold passwords."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("WARNING", "[notice]"))]
    return re.sub(r"\w+://\S+", "<address>", "\n".join(lines[-6:]))[-2000:]


# -- the index knows every file of a version --------------------------------------------------------------------------


def index_session():
    """The addresses pip is configured with, and a session with its certificates."""
    settings = {}
    for line in pip("config", "list").stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        # What is said for `install` counts more than `global`, and the environment more than both.
        rank = {"global": 1, "install": 2, ":env:": 3}.get(section, 0)
        if rank >= settings.get(name, (0, None))[0]:
            settings[name] = (rank, ast.literal_eval(value))
    said = {name: value for name, (rank, value) in settings.items() if rank}
    if str(said.get("no-index", "")).lower() in ("1", "true", "yes", "on"):
        return [], None
    try:
        from pip._vendor import requests
        from pip._internal.models.index import PyPI
    except ImportError as error:
        raise Problem("pip", "pip of %s cannot be asked for its index: %s" % (sys.executable, error))
    session = requests.Session()
    if said.get("cert"):
        session.verify = said["cert"]
    if said.get("client-cert"):
        session.cert = said["client-cert"]
    session.trusted = set(str(said.get("trusted-host", "")).split())
    addresses = [said.get("index-url") or PyPI.simple_url] + str(said.get("extra-index-url", "")).split()
    return [address.rstrip("/") + "/" for address in addresses], session


ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


def with_hashes(one, indexes, session):
    file = unquote(urlsplit(one["url"]).path.rpartition("/")[2])
    name = normal(one["name"])
    hashes = None
    if not one["url"].startswith("file:"):
        for index in indexes:
            files = page_of(session, urljoin(index, name + "/"))
            # The index that pip took it from: others may have a package of the same name that is somebody else's.
            if file not in files:
                continue
            if one["sha256"] and files[file] not in (None, one["sha256"]):
                raise Problem("index", "the index says another digest of %s than pip found" % file)
            hashes = [digest for each, digest in files.items() if digest and is_of(each, name, one["version"])]
            break
        if not hashes and one["sha256"] is None:
            raise Problem("index", "no index that pip is configured with gives the digests of %s %s" % (name, one["version"]))
    return {"name": name, "version": one["version"], "hashes": sorted({"sha256:" + each for each in [*(hashes or []), one["sha256"]] if each})}


def page_of(session, address):
    """{file name: sha256 or None}; empty when the index does not have the project."""
    verify = False if urlsplit(address).hostname in session.trusted else session.verify
    try:
        reply = session.get(address, headers={"Accept": ACCEPT}, timeout=60, verify=verify)
    except Exception as error:
        raise Problem("index", "the package index gave no answer (%s)" % type(error).__name__)
    if reply.status_code == 404:
        return {}
    if reply.status_code != 200:
        raise Problem("index", "the package index answered %d" % reply.status_code)
    if "json" in reply.headers.get("Content-Type", ""):
        return {each["filename"]: each.get("hashes", {}).get("sha256") for each in reply.json().get("files", [])}
    page = Page()
    page.feed(reply.text)
    return page.files


class Page(html.parser.HTMLParser):
    """A project's page by PEP 503: `<a href="…/name-1.0.whl#sha256=…">`."""

    def __init__(self):
        html.parser.HTMLParser.__init__(self)
        self.files = {}

    def handle_starttag(self, tag, attrs):
        target = dict(attrs).get("href") if tag == "a" else None
        if target:
            address, fragment = urldefrag(target)
            digest = re.match(r"sha256=([0-9a-f]{64})$", fragment)
            self.files[unquote(urlsplit(address).path.rpartition("/")[2])] = digest.group(1) if digest else None


def is_of(file, name, version):
    """Is it a wheel or a source archive of this very version?"""
    stem = re.sub(r"\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz)$", "", file)
    if stem == file:
        return False
    if file.endswith(".whl"):
        parts = stem.split("-")
        return len(parts) in (5, 6) and normal(parts[0]) == name and same_version(parts[1], version)
    named, _, said = stem.rpartition("-")
    return normal(named) == name and same_version(said, version)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def same_version(one, other):
    from pip._vendor.packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


main()
