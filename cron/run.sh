#!/bin/sh
# One slot, started by cron: computes the slot, lets no two runs overlap, keeps the log and the exit code, and tells
# Slack when the run ended in a way that Luigi itself cannot tell.
#
#   cron/run.sh              the present half hour, in the awake hours (0-6 and 14-23 UTC) only
#   cron/run.sh 2026-11-22T1430   that slot, at any hour
#
# Settings come from the environment and from .env. ACCOUNT (default me), LOG_DIR (default data/logs).
set -u
cd "$(dirname "$0")/.." || exit 1

slot=${1:-}
if [ -z "$slot" ]; then
    hour=$(date -u +%H)
    case $hour in
        07 | 08 | 09 | 10 | 11 | 12 | 13) exit 0 ;;
    esac
    minute=$(date -u +%M)
    if [ "${minute#0}" -lt 30 ]; then minute=00; else minute=30; fi
    slot=$(date -u +%Y-%m-%dT)$hour$minute
fi

bin=${PIPELINE_BIN:-.venv/bin}
mkdir -p "${LOG_DIR:=${DATA_DIR:-data}/logs}" || exit 1
log_dir=$(cd "$LOG_DIR" && pwd)
log=$log_dir/cron-$(date -u +%Y-%m).log

# The lock is on an open file, which the run inherits: it is free again when both have ended, however they end.
exec 9>"$log_dir/cron.lock"
if ! flock -n 9; then
    echo "$(date -u +%FT%TZ) slot $slot skipped: the slot before it is still running" >>"$log"
    exit 0
fi

echo "$(date -u +%FT%TZ) slot $slot" >>"$log"
"$bin/luigi" --module pipeline RunPipeline --run-at "$slot" --account "${ACCOUNT:-me}" >>"$log" 2>&1
code=$?
echo "$(date -u +%FT%TZ) slot $slot ended with exit code $code" >>"$log"
[ "$code" -eq 0 ] && exit 0

# cron mails what is printed here.
echo "slot $slot ended with exit code $code; the log is $log" >&2
if ! "$bin/python" -m pipeline alert --slot "$slot" --exit-code "$code" --log "$log" >>"$log" 2>&1; then
    # Python itself is broken, or the pipeline cannot be imported. The address is a secret: not into argv.
    webhook=${SLACK_WEBHOOK_URL:-$(sed -n 's/^SLACK_WEBHOOK_URL=//p' .env 2>/dev/null)}
    [ -n "$webhook" ] && printf 'url = "%s"\n' "$webhook" | curl --silent --fail --max-time 10 --config - \
        --header 'Content-Type: application/json' --output /dev/null \
        --data "{\"text\": \"*Slot $slot did not run* (exit code $code) on $(hostname): the pipeline could not be started\"}"
fi
exit "$code"
