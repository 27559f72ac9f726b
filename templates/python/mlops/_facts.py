"""What a run that this client starts by itself records of code, command and person. Under `mlops track` the program
records all of it, and more: the dirty patch is made there only.
"""
import getpass
import os
import re
import socket
import subprocess
import sys

from ._environment import ENV_ALLOWED

REDACTED = "[redacted]"
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bgithub_pat_[A-Za-z0-9_]{20,}\b"
    r"|\bglpat-[A-Za-z0-9_-]{16,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{20,}\b|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bAIza[0-9A-Za-z_-]{30,}|\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[A-Za-z0-9_-]{30,}|\bdapi[0-9a-f]{32}\b"
    r"|\bhooks\.slack\.com/services/[A-Za-z0-9/_-]+"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
_URL_USER = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@:'\"]*(?::[^\s/@'\"]*)?@", re.I)
_WORD = (
    r"(?:[A-Za-z0-9]+[_.-])*(?:pass(?:word|wd|phrase)|secret(?:[-_]?(?:access[-_]?)?key)?"
    r"|(?:api|access|auth|private|account|encryption)[-_]?key"
    r"|(?:api|access|auth|bearer|refresh|session|personal)[-_]?token|token|credentials?)"
)
_FLAG = re.compile(r"--?%s$" % _WORD, re.I)
_ASSIGNMENT = re.compile(r"((?:--?)?%s=).+$" % _WORD, re.I | re.S)
_GIT_SECONDS = 20


def redact(text):
    return _TOKENS.sub(REDACTED, _URL_USER.sub(r"\1", text))


def redact_arguments(words):
    result = []
    for index, word in enumerate(words):
        assignment = _ASSIGNMENT.match(word)
        if index and _FLAG.match(words[index - 1]) and not word.startswith("-"):
            result.append(REDACTED)
        elif assignment:
            result.append(assignment.group(1) + REDACTED)
        else:
            result.append(redact(word))
    return result


def command():
    words = list(getattr(sys, "orig_argv", None) or [sys.executable or "python"] + sys.argv)
    return redact_arguments([well_formed(word) for word in words if word is not None]) or ["python"]


def environment(env):
    return {name: redact(well_formed(env[name])) for name in ENV_ALLOWED if name in env}


def actor(env):
    """As the command line names people: a CI system's user, else user@host."""
    if env.get("GITHUB_ACTIONS") == "true" and env.get("GITHUB_ACTOR"):
        parts = [env.get("GITHUB_SERVER_URL"), env.get("GITHUB_REPOSITORY"), "actions/runs", env.get("GITHUB_RUN_ID")]
        found = {"name": env["GITHUB_ACTOR"], "origin": "ci"}
        return dict(found, url="/".join(parts)) if all(parts) else found
    if env.get("GITLAB_CI") == "true" and env.get("GITLAB_USER_LOGIN"):
        found = {"name": env["GITLAB_USER_LOGIN"], "origin": "ci"}
        return dict(found, url=env["CI_JOB_URL"]) if env.get("CI_JOB_URL") else found
    try:
        user = getpass.getuser()
    except Exception:  # a user id without a name raises different things on different systems
        user = "unknown"
    return {"name": well_formed("%s@%s" % (user, socket.gethostname())), "origin": "local"}


def git(cwd, store):
    """(facts, None), or (None, why not)."""
    try:
        status = _git(cwd, "status", "--porcelain=v2", "-z", "--branch", "--untracked-files=normal", "--no-renames")
    except FileNotFoundError:
        return None, "git is not installed"
    except subprocess.TimeoutExpired:
        return None, "git gave no answer within %d s" % _GIT_SECONDS
    except (OSError, subprocess.CalledProcessError) as error:
        words = (getattr(error, "stderr", b"") or b"").decode("utf-8", "replace").strip()
        if "not a git repository" in words:
            return None, "the folder is in no git repository"
        return None, "git failed: %s" % (words.splitlines() or [str(error)])[0]
    commit = branch = None
    changed = False
    ours = os.path.basename(store) + "/"
    for record in status.split("\0"):
        if record.startswith("# branch.oid "):
            commit = None if record.endswith("(initial)") else record[13:]
        elif record.startswith("# branch.head "):
            branch = None if record.endswith("(detached)") else record[14:]
        elif record[:2] in ("1 ", "u ") or (record[:2] == "? " and not record.endswith(ours)):
            changed = True
    try:
        remote = redact(_git(cwd, "config", "--get", "remote.origin.url").strip()) or None
    except (OSError, subprocess.SubprocessError):
        remote = None
    facts = {"commit": commit, "branch": branch, "remote": remote, "dirty": changed}
    if changed:
        facts["notes"] = ["the changes themselves are not recorded: only `mlops track` makes a patch"]
    return facts, None


def well_formed(text):
    """Without the lone surrogates that file names and arguments in other encodings have in Python."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _git(cwd, *arguments):
    env = dict(os.environ, LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    done = subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=_GIT_SECONDS, check=True,
    )
    return done.stdout.decode("utf-8", "replace")
