#!/bin/sh
# What one image can do. `exec` makes Node the process that receives SIGTERM.
set -eu
cd /app
command=${1:-serve}
[ $# -eq 0 ] || shift
case "$command" in
  serve)     exec node "services/$SERVICE/src/main.ts" "$@" ;;
  migrate)   exec node "services/$SERVICE/src/migrate.ts" "$@" ;;
  provision) exec node libs/db/bin/provision.ts "$@" ;;
  secrets)   exec node deploy/secrets.ts "$@" ;;
  *)
    echo "unknown command '$command': use serve, migrate, provision or secrets" >&2
    exit 64
    ;;
esac
