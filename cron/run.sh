#!/bin/sh
# One slot, started by cron: computes the slot, lets no two runs overlap, keeps the log and the exit code, and tells
# Slack when the run ended in a way that Luigi itself cannot tell.
#
#   cron/run.sh                   the present half hour, in the awake hours (0-6 and 14-23 UTC) only
#   cron/run.sh 2026-11-22T1430   that slot, at any hour
#
# Settings come from the environment and from .env; here count ACCOUNT (default: every account in luigi.cfg), DATA_DIR
# (default data), LOG_DIR (default DATA_DIR/logs) and PIPELINE_BIN (default .venv/bin).
set -u
cd "$(dirname "$0")/.." || exit 1

# The value of a setting: of the environment, else of .env, else the default.
setting() {
    value=$(printenv "$1" || sed -n "s/^\(export \)\{0,1\}$1=//p" .env 2>/dev/null | tail -n 1 |
        sed -e 's/\r$//' -e 's/^"\(.*\)".*$/\1/' -e "s/^'\(.*\)'.*$/\1/" -e 's/ #.*$//')
    printf '%s\n' "${value:-$2}"
}

account=$(setting ACCOUNT "")
who=${account:-all accounts}
bin=$(setting PIPELINE_BIN .venv/bin)
log_dir=$(setting LOG_DIR "$(setting DATA_DIR data)/logs")
mkdir -p "$log_dir" || exit 1
log_dir=$(cd "$log_dir" && pwd)

now=$(date -u +%Y-%m-%dT%H%M)
slot=${1:-}
if [ -z "$slot" ]; then
    case $now in
        *T07?? | *T08?? | *T09?? | *T10?? | *T11?? | *T12?? | *T13??) exit 0 ;;
        *[012]?) slot=${now%??}00 ;;
        *) slot=${now%??}30 ;;
    esac
fi
log=$log_dir/cron-$(date -u +%Y-%m).log

say() { echo "$(date -u +%FT%TZ) $who, slot $slot $1" >>"$log"; }

run() { "$bin/luigi" --module pipeline "$1" --run-at "$slot" ${account:+--account "$account"} >>"$log" 2>&1; }

# cron mails what is printed here. Slack is told by the pipeline or, where that cannot even be imported, by curl.
tell() {
    echo "$who, slot $slot ended with exit code $1; the log is $log" >&2
    "$bin/python" -m pipeline alert --slot "$slot" --exit-code "$1" --log "$log" >>"$log" 2>&1 && return
    webhook=$(setting SLACK_WEBHOOK_URL "")
    # The address is a secret: not into argv.
    [ -z "$webhook" ] || printf 'url = "%s"\n' "$webhook" | curl --silent --fail --max-time 10 --config - \
        --header 'Content-Type: application/json' --output /dev/null \
        --data "{\"text\": \"*Slot $slot did not run* (exit code $1) on $(hostname): the pipeline could not be started\"}"
}

if ! command -v flock >/dev/null; then
    say "ended: the program flock is missing (Debian: util-linux; macOS: brew install flock)"
    tell 127
    exit 127
fi
# The lock is on an open file, which the run inherits: it is free again when both have ended, however they end.
exec 9>"$log_dir/cron${account:+-$account}.lock"
if ! flock -n 9; then
    # Spotify forgets, the database does not: the poll is made all the same, and the run that hangs is told of.
    say "polls only: the slot before it is still running"
    run PollAccounts
    tell 10
    exit 10
fi

say "begins"
run RunPipeline
code=$?
say "ended with exit code $code"
# 25: Spotify was not to be asked. That was told when it began, and is nothing to be mailed every half hour.
[ "$code" -eq 0 ] || [ "$code" -eq 25 ] || tell "$code"
exit "$code"
