#!/usr/bin/env bash
# Trains, registers, validates and stages one model: what the workflow of a policy does that `mlops retrain` dispatches.
#   .github/mlops/retrain.sh MODEL
# CORRELATION_ID names the retraining (the version is tagged with it), REASON says why. The training itself is in
# train-MODEL.sh, which is yours.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"
correlation=${CORRELATION_ID:-}
reason=${REASON:-retrained by hand}
if [[ ! $correlation =~ ^[A-Za-z0-9-]{0,64}$ ]]; then fail "CORRELATION_ID is none that mlops sends"; fi

"$here/train-$MODEL.sh"

words=(register "$MODEL" --run @last --carry-over --message "$reason" --tag retrain)
if [[ -n $correlation ]]; then words+=(--tag "retrain-$(printf %s "$correlation" | tr '[:upper:]' '[:lower:]')"); fi
answer=$(mktemp)
code=0
mlops "${words[@]}" --json > "$answer" || code=$?
if [[ $code != 0 ]]; then
  cat "$answer" >&2
  exit "$code"
fi
version=$(member data.version < "$answer")
assert_version "$version"
note "registered $MODEL@$version"
output version "$version"

# The table is on the page whatever it says; who dispatched this judges the same, and tells.
words=(gate check "$MODEL@$version" --to "$STAGE" --markdown)
if [[ -n $POLICY ]]; then words+=(--policy "$POLICY"); fi
table=$(mktemp)
mlops "${words[@]}" > "$table" || code=$?
summary < "$table"
case $code in
  0)
    mlops promote "$MODEL@$version" --to "$STAGE" --reason "$reason"
    output staged true
    ;;
  3 | 6) note "$MODEL@$version stays registered and is not staged; gate check ended with $code" ;;
  *) exit "$code" ;;
esac
