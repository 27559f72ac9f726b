#!/usr/bin/env bash
# Lets the retraining policy answer the last check: dispatches the workflow when its trigger fires, or looks what became
# of the one that was dispatched before. Does not wait.
#   .github/mlops/answer.sh MODEL
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
use_model "${1:?the name of a model}"
if [[ -z $POLICY ]]; then fail "There is no retraining policy of $MODEL"; fi

code=0
answer=$(mktemp)
mlops retrain "$MODEL" --policy "$POLICY" --no-wait > "$answer" || code=$?
# shellcheck disable=SC2016
printf '```text\n%s\n```\n' "$(cat "$answer")" | summary
case $code in
  0) ;;
  # A gate said no, nothing may be done yet, another is at work, too little is known: answers, not failures.
  3 | 5 | 6) note "mlops retrain ended with $code; see above" ;;
  *) exit "$code" ;;
esac
