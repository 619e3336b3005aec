#!/bin/sh
# Tries the backup of docs/operations.md: dumps a database, restores it into a new one, and compares every run with "runs push", which reads both.
#
#   PGHOST=… PGUSER=… scripts/fleet-backup-check.sh edgeflex edgeflex_restored
#
# The second database must not exist; it is left for a look.
set -eu
from=$1 to=$2
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
step() { start=$(date +%s.%N); "$@"; printf '%s: %.1f s\n' "$1" "$(echo "$(date +%s.%N) - $start" | bc)"; }
step pg_dump --format=custom --schema=edgeflex --schema=edgeflex_queue --schema=edgeflex_boss --file="$dump" "$from"
printf 'dump: %s bytes of a database of %s bytes\n' "$(wc -c < "$dump")" "$(psql -XAtc 'select pg_database_size(current_database())' "$from")"
createdb "$to"
step pg_restore --exit-on-error --single-transaction --dbname="$to" "$dump"
for table in edgeflex.runs edgeflex.cells edgeflex.rounds edgeflex.raw_samples edgeflex.raw_predictions edgeflex_queue.submission edgeflex_queue.job \
  edgeflex_queue.take edgeflex_queue.schedule edgeflex_queue.alert edgeflex_boss.job; do
  count="select count(*) || ' rows, ' || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from $table t"
  [ "$(psql -XAtc "$count" "$from")" = "$(psql -XAtc "$count" "$to")" ] || { echo "$table differs" >&2; exit 1; }
  printf '%s: %s\n' "$table" "$(psql -XAtc "$count" "$to")"
done
