#!/bin/sh
# Puts the line of cron/crontab into your crontab, or takes it out again, and changes nothing else there.
#
#   cron/install.sh               make install-cron
#   cron/install.sh --uninstall   make uninstall-cron
#
# The line stands between two comments that name this folder, so that checkouts do not clash. Run again, it is replaced;
# lines of a checkout that is no longer where it was are taken out.
set -u
cd "$(dirname "$0")/.." || exit 1
project=$(pwd -P)

fail() {
    echo "$1" >&2
    exit 1
}

case $#${1:-} in
    0 | 1--uninstall) ;;
    1-h | 1--help) exec sed -n '/^set -u/q; 2,$s/^# \{0,1\}//p' cron/install.sh ;;
    *)
        echo "cron/install.sh: '$*' is no option; see cron/install.sh --help" >&2
        exit 64
        ;;
esac
case $project in
    *[\\\"\$\`]* | *"
"*) fail "cron cannot start anything in $project: a folder without \\, \", \$, \` and line breaks is needed" ;;
esac
command -v crontab >/dev/null || fail "the program crontab is missing (Debian: apt install cron). Nothing was changed"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
if ! LC_ALL=C crontab -l >"$work/before" 2>"$work/error"; then
    grep -q -i -e 'no crontab' -e "can't open" -e 'no such file' "$work/error" ||
        fail "your crontab cannot be read: $(cat "$work/error"). Nothing was changed"
    : >"$work/before"
fi

# Copies a crontab with our line ($1; none if empty) between our comments, where they are or at the end, and without those
# of a checkout that is gone. A comment that has lost its partner holds nothing: what follows it is yours.
with_line() {
    LC_ALL=C LINE=$1 PROJECT=$project awk '
        function is_gone(folder) { return (getline line <(folder "/cron/run.sh")) < 0 }
        function give_back() { for (i = 1; i <= held; i++) print block[i]; held = 0; folder = "" }
        function put_line() {
            if (ENVIRON["LINE"] != "") print begin ENVIRON["PROJECT"] "\n" ENVIRON["LINE"] "\n" end ENVIRON["PROJECT"]
            ENVIRON["LINE"] = ""
        }
        BEGIN { begin = "# begin listening history "; end = "# end listening history " }
        index($0, begin) == 1 { give_back(); folder = substr($0, length(begin) + 1); next }
        folder != "" && $0 == end folder {
            if (folder == ENVIRON["PROJECT"]) { put_line(); held = 0 }
            else if (is_gone(folder)) held = 0
            else { print begin folder; give_back(); print }
            folder = ""; next
        }
        folder != "" { block[++held] = $0; next }
        { print }
        END { give_back(); put_line() }'
}

# The line of cron/crontab for a folder.
line_for() {
    FOLDER=$1 awk '
        /^[^#]/ { at = index($0, "PROJECT"); print substr($0, 1, at - 1) ENVIRON["FOLDER"] substr($0, at + 7) }' cron/crontab
}

# Some crons count lines from 0, others from 1: both are shown.
refused() {
    number=$(sed -n 's/^[^:]*:\([0-9][0-9]*\):.*/\1/p' "$work/error" | head -n 1)
    echo "cron refuses your crontab, and nothing was changed: $(sed -n '1s/^.*: *//p' "$work/error"). Look for it with crontab -e at" >&2
    fail "$(grep -n '' "$work/after" | sed -n "$((${number:=1} > 0 ? number : 1)),$((number + 1))p")"
}

line=
if [ $# -eq 0 ]; then
    # A % means a line break in a crontab, unless escaped.
    escaped=$(printf '%s' "$project" | sed 's/%/\\%/g')
    line=$(line_for "$escaped")
    # A line that was put in by hand would start every slot twice.
    with_line "" <"$work/before" | LC_ALL=C grep -F "$escaped/cron/run.sh" | grep -v '^[[:space:]]*#' >"$work/twice" &&
        fail "your crontab starts this already: $(cat "$work/twice")
Remove that line with crontab -e, and say this again"
fi
with_line "$line" <"$work/before" >"$work/after"

if cmp -s "$work/before" "$work/after"; then
    echo "Nothing to do: your crontab is as it should be."
elif [ -s "$work/after" ]; then
    crontab "$work/after" 2>"$work/error" || refused
else
    crontab -r || exit 1
fi
diff "$work/before" "$work/after" | sed -n -e 's/^</removed:/p' -e 's/^>/added:  /p'
