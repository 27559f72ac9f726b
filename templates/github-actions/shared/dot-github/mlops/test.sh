#!/usr/bin/env bash
# The tests of this repository as far as mlops knows of them.
#   .github/mlops/test.sh
# Those of the service run in a virtual environment of their own, made of its two locks: what the training needs is
# another thing. Those of the project run with the Python on PATH (install.sh --python).
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# Said, not demanded: a new version of the model is no reason to hold up somebody's change.
status=$(mlops scaffold status 2>&1) || true
# shellcheck disable=SC2016
printf '```text\n%s\n```\n' "$status" | summary

locks=()
if [[ -n $SERVICE && -d $top/$SERVICE/tests ]]; then
  locks=("$top/$SERVICE/requirements.txt" "$top/$SERVICE/requirements-test.txt")
  for lock in "${locks[@]}"; do
    [[ -f $lock ]] || fail "There is no $lock, which the tests of the service need: mlops scaffold fastapi"
  done
fi

if [[ -d tests ]]; then
  if ! python -c 'import pytest' 2> /dev/null; then
    # Into the Python of a runner, never into that of a person.
    if [[ -z ${GITHUB_ACTIONS:-} || ${#locks[@]} == 0 ]]; then
      fail "tests/ needs pytest, which is not installed: name it in ${REQUIREMENTS:-requirements.txt}"
    fi
    pip_install python "${locks[1]}"
  fi
  note "pytest tests"
  python -m pytest -q tests
fi

if [[ ${#locks[@]} != 0 ]]; then
  venv=$(mktemp -d)
  trap 'rm -rf -- "$venv"' EXIT
  python -m venv "$venv"
  pip_install "$venv/bin/python" "${locks[@]}"
  note "pytest $SERVICE/tests"
  cd -- "$top/$SERVICE"
  "$venv/bin/python" -m pytest -q -p no:cacheprovider tests
fi
