#!/bin/sh
# A Sentinel that watches the node that is named, as primary `firstcome`. What it learns of the
# others, and who was made primary, it keeps in its settings.
set -eu

settings=/data/sentinel.conf
if [ ! -e "$settings" ]; then
    umask 077
    {
        echo "dir /data"
        # Containers have names that last, and addresses that do not.
        echo "sentinel resolve-hostnames yes"
        echo "sentinel announce-hostnames yes"
        echo "sentinel announce-ip $HOSTNAME"
        echo "sentinel monitor firstcome $1 6379 2"
        echo "sentinel auth-pass firstcome $REDIS_PASSWORD"
        # Longer than the lag at which a primary stops by itself.
        echo "sentinel down-after-milliseconds firstcome 4000"
        echo "sentinel failover-timeout firstcome 10000"
        echo "sentinel parallel-syncs firstcome 1"
    } >"$settings.new"
    mv "$settings.new" "$settings"
fi
exec redis-server "$settings" --sentinel
