#!/bin/sh
# In a container, where cron would need root: cron/run.sh at every half hour, until the container is told to stop.
# snooze (Debian) is the clock. What a slot logs goes to the container's output as well as to its file.
#
#   cron/container.sh             until SIGTERM, which is passed on to a slot that runs and waits for its end
#   cron/container.sh healthy     for the health check: has the last half hour begun?
#   cron/container.sh publish     the dashboard into Metabase, once: the key, an empty database's tables, the cards
set -u
umask 077
cd "$(dirname "$0")/.." || exit 1
bin=${PIPELINE_BIN:-.venv/bin}
logs=${LOG_DIR:-${DATA_DIR:-data}/logs}
begun=/tmp/half-hour

# Tables that no slot has made yet are made empty: a dashboard needs them to be there.
publish() {
    "$bin/python" -m pipeline metabase setup || exit
    "$bin/python" -c '
import sys
from pipeline.load.postgres import transaction
with transaction() as connection, connection.cursor() as cursor:
    cursor.execute("select to_regclass(%s) is null", ("reporting.rpt_totals",))
    sys.exit(cursor.fetchone()[0])' || "$bin/luigi" --module pipeline RebuildStaging || exit
    exec "$bin/luigi" --module pipeline PublishDashboard
}

# One slot, in the background, and its log as it grows.
start() {
    log=$logs/cron-$(date -u +%Y-%m).log
    seen=$(wc -c 2>/dev/null <"$log" || echo 0)
    cron/run.sh &
    running=$!
    slots="$slots $running"
    tail --bytes="+$((seen + 1))" --follow=name --retry --pid="$running" "$log" 2>/dev/null &
}

stop() {
    stopping=yes
    # shellcheck disable=SC2086  # several numbers, of which some may have ended
    kill -s TERM $clock $slots 2>/dev/null
}

case ${1:-} in
    healthy) exec test -n "$(find "$begun" -mmin -32)" ;;
    publish) publish ;;
    '') ;;
    *)
        sed -n '2,/^set -u/s/^# \{0,1\}//p' cron/container.sh >&2
        exit 64
        ;;
esac

stopping=
clock=
slots=
trap stop TERM INT
touch "$begun"
echo "cron/container.sh: a slot at every half hour of the polling hours ([slots] in luigi.cfg); it is $(date -u +%FT%TZ)"
while [ -z "$stopping" ]; do
    snooze -H '*' -M 0,30 &
    clock=$!
    # Told to stop a moment before there was this clock?
    [ -z "$stopping" ] || stop
    wait "$clock" || break
    touch "$begun"
    start
done
# Interrupted by SIGTERM, or the clock has failed. A slot that was told to end tidies up; its log is shown to the end.
while ! wait; do :; done
[ -n "$stopping" ]
