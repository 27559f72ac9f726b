# shellcheck shell=bash disable=SC2034,SC2153
# What the scripts beside it share. `mlops scaffold github-actions` keeps it up to date.
set -euo pipefail

started=$PWD
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd -- "$here/../.." && pwd -P)
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$here/settings.sh"
# What install.sh put there goes before what the machine has.
PATH="$here/node_modules/.bin:$PATH"
export PATH MLOPS_NO_INPUT=1
cd -- "$top/$PROJECT"

# On GitHub, below the name of the job; else on the terminal.
summary() {
  if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then cat >> "$GITHUB_STEP_SUMMARY"; else cat; fi
}

# output NAME VALUE: for later steps and jobs. Only words of our own, numbers, paths.
output() {
  if [[ $2 == *$'\n'* ]]; then fail "the output $1 has several lines"; fi
  printf '%s=%s\n' "$1" "$2" >> "${GITHUB_OUTPUT:-/dev/null}"
}

note() { printf '%s\n' "$*" >&2; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# member a.b < JSON: one member of an answer of mlops.
member() {
  node -e '
    const value = process.argv[1].split(".").reduce((at, key) => at?.[key], JSON.parse(require("node:fs").readFileSync(0, "utf8")))
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") process.exit(1)
    console.log(String(value))
  ' "$1"
}

# use_model NAME: its settings, or an error.
use_model() {
  settings_of "$1" || fail "There is no model $1 in $here/settings.sh: $MODELS"
  MODEL=$1
}

# A version is a number.
assert_version() { [[ $1 =~ ^[1-9][0-9]{0,8}$ ]] || fail "$1 is no number of a version"; }

assert_stage() { [[ " $STAGES " == *" $1 "* ]] || fail "$1 is none of the stages $STAGES"; }

# pip_install PYTHON FILE…: with hashes wherever the first file has them.
pip_install() {
  local python=$1 file words=(--quiet --disable-pip-version-check)
  shift
  if grep -q -e '--hash=sha256:' -- "$1"; then
    words+=(--require-hashes)
  else
    note "$1 has no hashes: what is installed may be another file tomorrow"
  fi
  for file in "$@"; do words+=(--requirement "$file"); done
  "$python" -m pip install "${words[@]}"
}

# Shows the token to the server of this repository alone, by a variable: it stands on no command line and in no file.
git_with_token() {
  local token=${GITHUB_TOKEN:-}
  if [[ -z $token || -z ${GITHUB_SERVER_URL:-} ]]; then
    git "$@"
    return
  fi
  local basic
  basic=$(printf 'x-access-token:%s' "$token" | base64 | tr -d '\n')
  if [[ -n ${GITHUB_ACTIONS:-} ]]; then printf '::add-mask::%s\n' "$basic"; fi
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1 \
    GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraHeader" \
    GIT_CONFIG_VALUE_0="Authorization: Basic $basic" \
    git "$@"
}
