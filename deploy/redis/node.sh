#!/bin/sh
# A node of the gate's Redis: the first one, or a replica of the node that is named.
# Its settings lie with its data, because Sentinel writes into them whom it follows.
set -eu

settings=/data/redis.conf
if [ ! -e "$settings" ]; then
    umask 077
    {
        echo "dir /data"
        echo "save \"\""
        echo "appendonly yes"
        echo "appendfsync everysec"
        # A gate that forgets on its own would sell twice.
        echo "maxmemory ${REDIS_MAXMEMORY:-1gb}"
        echo "maxmemory-policy noeviction"
        # Cut off from its replicas it stops selling, before the Sentinels make another one primary.
        echo "min-replicas-to-write 1"
        echo "min-replicas-max-lag 3"
        # Nobody is shown the levels of a replica that has lost its primary.
        echo "replica-serve-stale-data no"
        echo "repl-diskless-sync-delay 0"
        echo "replica-announce-ip $HOSTNAME"
        echo "requirepass $REDIS_PASSWORD"
        echo "masterauth $REDIS_PASSWORD"
        if [ $# -gt 0 ]; then
            echo "replicaof $1 6379"
        fi
    } >"$settings.new"
    mv "$settings.new" "$settings"
fi
exec redis-server "$settings"
