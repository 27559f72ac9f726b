#!/usr/bin/env bash
# shellcheck disable=SC2016
# Moves a stage back to the version that held it before, whatever today's data say; ends a rollout instead, if there is one.
#   REASON='odd scores since noon' .github/mlops/rollback.sh MODEL [STAGE]
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"
stage=${2:-production}
assert_stage "$stage"
reason=${REASON:-}
[[ -n $reason ]] || fail "REASON is empty: why is $MODEL rolled back?"

answer=$(mktemp)
code=0
mlops rollback "$MODEL" --stage "$stage" --reason "$reason" --yes --json > "$answer" || code=$?
if [[ $code != 0 ]]; then
  cat "$answer" >&2
  exit "$code"
fi
mlops model show "$MODEL@$stage" --json > "$answer"
version=$(member data.version < "$answer")
assert_version "$version"
printf '**%s** is now `%s@%s`.\n' "$stage" "$MODEL" "$version" | summary
output version "$version"
