#!/usr/bin/env bash
# Says of a pull request whether what it proposes holds: the table of the gate, made now, by the code that promotes.
#   .github/mlops/check-promotion.sh [FILE]
# Without FILE: the one file that the newest commit (of a pull request: its merge) changes.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source-path=SCRIPTDIR source=promotion.sh
. "$here/promotion.sh"
read_promotion "${1:-}"
table=$(mktemp)
code=0
mlops gate confirm "$file" --markdown > "$table" || code=$?
summary < "$table"
exit "$code"
