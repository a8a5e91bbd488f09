#!/bin/sh
# Under cron in a container: cron gives its jobs no environment, so the container's is handed over in a file.
set -eu
umask 077
export -p >/run/pipeline.env
echo '*/30 * * * * . /run/pipeline.env; /app/cron/run.sh >/proc/1/fd/1 2>&1' | crontab -
exec cron -f
