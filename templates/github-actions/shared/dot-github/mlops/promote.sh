#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2153
# Carries out a promotion that was merged: held against the store, then mlops promote with the name of who merged it.
#   .github/mlops/promote.sh PERSON [FILE]
# Without FILE: the one file that the newest commit changes.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source-path=SCRIPTDIR source=promotion.sh
. "$here/promotion.sh"
who=${1:?the name of the person who approves}
if [[ ! $who =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]]; then fail "$who is no person: only a person approves"; fi
read_promotion "${2:-}"

table=$(mktemp)
code=0
mlops gate confirm "$file" --markdown > "$table" || code=$?
summary < "$table"
if [[ $code != 0 ]]; then
  note "$model@$version is not promoted; propose it anew: .github/mlops/propose.sh $model $version $stage"
  exit "$code"
fi
# The file once more: what is decided between the look and the move is refused by the move itself.
mlops promote "$model@$version" --to "$stage" --proposal "$file" --approve "$who" --reason "${REASON:-merged by $who}"
printf '**%s** is now `%s@%s`, approved by %s.\n' "$stage" "$model" "$version" "$who" | summary
output model "$model"
output version "$version"
output stage "$stage"
