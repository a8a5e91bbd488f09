#!/bin/sh
# One slot, started by cron: computes the slot, lets no two runs overlap, keeps the log and the exit code, and has Slack
# told of every run that did not end well, also when the pipeline cannot be started at all.
#
#   cron/run.sh                   the present half hour, if it begins in the polling hours: [slots] awake_hours and zone
#   cron/run.sh 2026-11-22T1430   that slot, at any hour
#   cron/run.sh --help            this text
#
# Settings come from the environment, from .env and, for [slots], from luigi.cfg; here count SLOTS_AWAKE_HOURS (default
# 0-6,14-23), SLOTS_ZONE (default UTC), ACCOUNT (default: every account in luigi.cfg), DATA_DIR
# (default data), LOG_DIR (default DATA_DIR/logs), LOG_MONTHS (default 12: each month has a log of its own, and older
# ones are deleted), LOG_FORMAT (default json) and PIPELINE_BIN (default .venv/bin). Relative folders count from the
# project. DATA_READABLE_BY=everyone shares the files with other users. The exit code is the run's (README, "exit code");
# 64: no slot; 127: something is missing; 130: stopped.
set -u
cd "$(dirname "$0")/.." || exit 1

case $#${1:-} in
    0 | 1[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9][0-5][0-9]) ;;
    1-h | 1--help) exec sed -n '/^set -u/q; 2,$s/^# \{0,1\}//p' cron/run.sh ;;
    *)
        echo "cron/run.sh: '$*' is no slot. Write one such as 2026-11-22T1430 (UTC), or nothing for the present one" >&2
        exit 64
        ;;
esac
# The value of a setting: of the environment, else of .env, else the default.
setting() {
    value=$(printenv "$1" || sed -n "s/^ *\(export  *\)\{0,1\}$1 *= *//p" .env 2>/dev/null | tail -n 1 |
        sed -e 's/\r$//' -e 's/^"\(.*\)".*$/\1/' -e "s/^'\(.*\)'.*$/\1/" -e 's/ #.*$//')
    printf '%s\n' "${value:-$2}"
}

# Whether the half hour that has begun is due. If a setting cannot be read here, it is due: the run names the setting.
# pipeline/slot.py decides the same. Cron asks every half hour, so few programs are started.
is_due() (
    hours='' zone=''
    while read -r name value; do
        case $name in awake_hours) hours=$value ;; zone) zone=$value ;; esac
    done <<SLOTS
$(sed -n -e '/^\[slots\]/,/^\[/s/^awake[-_]hours[[:space:]]*[=:]/awake_hours /p' \
    -e '/^\[slots\]/,/^\[/s/^zone[[:space:]]*[=:]/zone /p' luigi.cfg 2>/dev/null)
SLOTS
    if grep -qs SLOTS_ .env; then
        hours=$(setting SLOTS_AWAKE_HOURS "$hours")
        zone=$(setting SLOTS_ZONE "$zone")
    fi
    hours=${SLOTS_AWAKE_HOURS:-${hours:-0-6,14-23}}
    zone=${SLOTS_ZONE:-${zone:-UTC}}
    # date takes a zone without a file for UTC.
    [ "$zone" = UTC ] || [ -f "/usr/share/zoneinfo/$zone" ] || return 0
    # Local minutes at the begin of the half hour. The 1 before each number: with a leading 0 it would be octal.
    clock=$(TZ=$zone date +1%H1%M)
    minutes=$(((${clock%1??} - 100) * 60 + ${clock#1??} - 100 - 1${now#*T??} % 100 % 30 + 1440))
    hour=$((minutes / 60 % 24))
    due=1
    IFS=', '
    for range in $hours; do
        first=${range%%-*}
        last=${range#*-}
        for each in "$first" "$last"; do
            case $each in [0-9] | [01][0-9] | 2[0-3]) ;; *) return 0 ;; esac
        done
        if [ "$first" -le "$last" ]; then
            if [ "$hour" -ge "$first" ] && [ "$hour" -le "$last" ]; then due=0; fi
        elif [ "$hour" -ge "$first" ] || [ "$hour" -le "$last" ]; then
            due=0
        fi
    done
    return "$due"
)

# Only the owner can read the files, unless [storage] readable_by is everyone. pipeline/startup.py decides the same.
limit_modes() {
    umask 077
    readable_by=$(sed -n '/^\[storage\]/,/^\[/s/^readable[-_]by[[:space:]]*[=:][[:space:]]*\([a-z]*\).*/\1/p' \
        luigi.cfg 2>/dev/null)
    [ "$(setting DATA_READABLE_BY "$readable_by")" != everyone ] || umask 022
}

now=$(date -u +%Y-%m-%dT%H%M)
slot=${1:-}
if [ -z "$slot" ]; then
    is_due || exit 0
    case $now in
        *[012]?) slot=${now%??}00 ;;
        *) slot=${now%??}30 ;;
    esac
fi

limit_modes
account=$(setting ACCOUNT "")
who="${account:-all accounts}, slot $slot"
bin=$(setting PIPELINE_BIN .venv/bin)
log_dir=$(setting LOG_DIR "$(setting DATA_DIR data)/logs")
case $log_dir in /*) ;; *) log_dir=$PWD/$log_dir ;; esac
log=$log_dir/cron-${now%-*}.log
not_started=$log_dir/not-started
SLOT_LOG=$log
LOG_FORMAT=$(setting LOG_FORMAT json)
export SLOT_LOG LOG_FORMAT

# A line of the log, which is open as 3.
say() {
    line="$(date -u +%FT%TZ) $who $1"
    [ "$LOG_FORMAT" != json ] ||
        line="{\"time\": \"${line%% *}\", \"level\": \"INFO\", \"slot\": \"$slot\", \"message\": \"${line#* }\"}"
    printf '%s\n' "$line" >&3
} 2>/dev/null

note() { say "$1" || { log_to_stderr && say "$1"; }; }

# A log that cannot be written costs no slot: the run says on stderr, which cron mails, what the log should hold.
log_to_stderr() {
    echo "$who: $log cannot be written (is the disk full?). What it should hold:" >&2
    log="stderr, for $log cannot be written"
    SLOT_LOG=$log
    exec 3>&2
}

open_log() {
    is_new=
    [ -e "$log" ] || is_new=yes
    mkdir -p "$log_dir" 2>/dev/null && (: >>"$log") 2>/dev/null || return 1
    exec 3>>"$log"
    [ -z "$is_new" ] || rotate
}

# With the first run of a month the oldest month goes.
rotate() {
    months=$(setting LOG_MONTHS 12)
    case $months in
        *[!0-9]* | 0*) say "deletes no log: LOG_MONTHS is '$months', and no number of months" ;;
        *)
            for each in "$log_dir"/cron-????-??.log; do printf '%s\n' "$each"; done |
                sort -r | tail -n "+$((months + 1))" | while read -r each; do rm -f -- "$each"; done
            ;;
    esac
}

# Run a task of the slot. A SIGTERM is passed on to it, and waited for.
run() {
    child='' stopped=''
    trap 'stopped=yes; [ -z "$child" ] || kill -s TERM "$child"' TERM INT HUP
    "$bin/luigi" --module pipeline "$1" --run-at "$slot" ${account:+--account "$account"} >&3 2>&3 3>&- &
    child=$!
    [ -z "$stopped" ] || kill -s TERM "$child"
    until
        wait "$child"
        code=$?
        [ "$code" -le 128 ] || ! kill -s 0 "$child" 2>/dev/null
    do :; done
    trap - TERM INT HUP
    return "$code"
}

# End with an exit code. The pipeline decides what Slack is told of it; cron mails what is said on stderr.
end() {
    # 25: Spotify was not to be asked. That was told when it began, and is nothing to be mailed every half hour.
    [ "$1" -eq 0 ] || [ "$1" -eq 25 ] || echo "$who ended with exit code $1; the log is $log" >&2
    if [ "$1" -ne 0 ] || [ -e "$not_started" ]; then
        if "$bin/python" -m pipeline alert --slot "$slot" --exit-code "$1" --log "$log" >&3 2>&3 || [ "$1" -eq 0 ]; then
            rm -f -- "$not_started"
        else
            tell_not_started "$1"
        fi
    fi
    exit "$1"
}

# Where not even that can be started: by curl, when it begins and once a day. The file not-started says which slot was
# the first, its exit code, when Slack was notified last (seconds since 1970; 0: not yet), and when that slot failed.
tell_not_started() {
    first='' first_code='' told=0 began=''
    [ ! -f "$not_started" ] || [ ! -s "$not_started" ] || read -r first first_code told began <"$not_started"
    # A damaged file counts as none: its text must not stop the arithmetic below.
    case $first/${#first_code}/${#told}/$first_code$told in
        ????-??-??T????/[1-3]/[1-9]/*[!0-9]* | ????-??-??T????/[1-3]/10/*[!0-9]*) first='' ;;
        [0-9]???-??-??T????/[1-3]/[1-9]/* | [0-9]???-??-??T????/[1-3]/10/*) ;;
        *) first='' ;;
    esac
    case $told in 0?*) first='' ;; esac
    [ -n "$first" ] || { first_code='' told=0; }
    : "${first:=$slot}" "${first_code:=$1}" "${told:=0}"
    seconds=$(date -u +%s)
    # When the first of these runs failed; a file of an older version, or a damaged one, has none.
    case $began in ?????????? ) case $began in *[!0-9]* | 0*) began='' ;; esac ;; *) began='' ;; esac
    : "${began:=$seconds}"
    # A moment that is yet to come was written by a clock that was wrong.
    if [ "$told" -le "$seconds" ] && [ $((seconds - told)) -lt 86400 ]; then return; fi
    post "*Slot $first did not run* (exit code $first_code) on $(uname -n): the pipeline could not be started. The log is $log" &&
        told=$seconds
    (echo "$first $first_code $told $began" >"$not_started") 2>/dev/null
}

# Send a message. Addresses and tokens are secrets: not into argv.
post() {
    webhook=$(setting SLACK_WEBHOOK_URL "")
    token=$(setting SLACK_BOT_TOKEN "")
    body="\"text\": \"$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')\""
    if [ -n "$webhook" ]; then
        address=$webhook
        secrets="url = \"$webhook\""
    elif [ -n "$token" ]; then
        address=$(setting SLACK_API_URL https://slack.com/api/)
        secrets="url = \"${address}chat.postMessage\"
            header = \"Authorization: Bearer $token\""
        body="$body, \"channel\": \"$(setting SLACK_CHANNEL "")\""
    else
        return 1
    fi
    case $address in
        https://* | http://localhost[:/]* | http://127.0.0.1[:/]* | 'http://[::1]'[:/]*) ;;
        *)
            note "Slack was not notified: SLACK_WEBHOOK_URL or SLACK_API_URL does not begin with https://"
            return 1
            ;;
    esac
    # --disable: a ~/.curlrc could name a proxy, a netrc file, or follow redirects.
    printf '%s\n' "$secrets" |
        curl --disable --noproxy '*' --silent --fail --max-time 10 --config - --header 'Content-Type: application/json; charset=utf-8' \
            --data "{$body}" | grep -q -e '^ok' -e '"ok": *true'
}

[ ! -e .env ] || [ -r .env ] || echo "$who: $PWD/.env cannot be read by $(id -un)" >&2
open_log || log_to_stderr
if ! command -v flock >/dev/null; then
    note "ended: the program flock is missing (Debian: util-linux; macOS: brew install flock)"
    end 127
fi
# The lock is on an open file, which the run inherits: it is free again when both have ended, however they end.
lock=$log_dir/cron${account:+-$account}.lock
if (: >>"$lock") 2>/dev/null; then exec 9>>"$lock"; else exec 9<cron/run.sh; fi
if ! flock -n 9; then
    # Spotify forgets, the database does not: the poll is made all the same, and the run that hangs is told of.
    note "polls only: the slot before it is still running"
    run PollAccounts
    end 10
fi

note "begins"
run RunPipeline
code=$?
if [ "$code" -eq 120 ]; then
    # Python's own, in the place of the run's: what it had to say could not be written. Run again, it says how it ended.
    log_to_stderr
    run RunPipeline
    code=$?
fi
note "ended with exit code $code"
end "$code"
