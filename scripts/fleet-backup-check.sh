#!/bin/sh
# Tries the backup of docs/operations.md: dumps a database, restores it into a new one, and compares every row of every table.
#
#   PGHOST=… PGUSER=… scripts/fleet-backup-check.sh edgeflex edgeflex_restored
#
# The second database must not exist; it is left for a look. Nobody may write to the first meanwhile, or the two differ.
set -eu
from=$1 to=$2
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
step() { start=$(date +%s%N); "$@"; printf '%s: %s ms\n' "$1" "$((($(date +%s%N) - start) / 1000000))"; }
ask() { psql -XAt -v ON_ERROR_STOP=1 -c "$2" "$1"; }
tables="select format('%I.%I', schemaname, tablename) from pg_tables
  where schemaname in ('edgeflex', 'edgeflex_queue', 'edgeflex_boss') order by 1"
step pg_dump --format=custom --schema=edgeflex --schema=edgeflex_queue --schema=edgeflex_boss --file="$dump" "$from"
printf 'dump: %s bytes of a database of %s bytes\n' "$(wc -c < "$dump")" "$(ask "$from" 'select pg_database_size(current_database())')"
createdb "$to"
step pg_restore --exit-on-error --single-transaction --dbname="$to" "$dump"
there=$(ask "$from" "$tables")
restored=$(ask "$to" "$tables")
[ -n "$there" ] && [ "$there" = "$restored" ] || { echo "not the same tables" >&2; exit 1; }
for table in $there; do
  count="select count(*) || ' rows, ' || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from $table t"
  # Apart from each other, so that one that fails ends the script.
  before=$(ask "$from" "$count")
  after=$(ask "$to" "$count")
  [ "$before" = "$after" ] || { echo "$table differs" >&2; exit 1; }
  printf '%s: %s\n' "$table" "$after"
done
