#!/usr/bin/env bash
# The tests of this repository as far as mlops knows of them.
#   .github/mlops/test.sh
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# Said, not demanded: a new version of the model is no reason to hold up somebody's change.
status=$(mlops scaffold status)
# shellcheck disable=SC2016
printf '```text\n%s\n```\n' "$status" | summary

folders=(tests)
if [[ -n $SERVICE ]]; then folders+=("$top/$SERVICE/tests"); fi
for tests in "${folders[@]}"; do
  if [[ ! -d $tests ]]; then continue; fi
  note "pytest $tests"
  (cd -- "$(dirname -- "$tests")" && python -m pytest -q "$(basename -- "$tests")")
done
