#!/bin/sh
# What one image can do. `exec` makes Node the process that receives SIGTERM.
set -eu
cd /app
command=${1:-serve}
[ $# -eq 0 ] || shift
case "$command" in
  serve)     exec node --enable-source-maps "dist/services/$SERVICE/src/main.js" "$@" ;;
  migrate)   exec node --enable-source-maps "dist/services/$SERVICE/src/migrate.js" "$@" ;;
  # users keeps no log: what it has lost is handed over again by auth's.
  after-restore) exec node --enable-source-maps "dist/services/$SERVICE/src/after-restore.js" "$@" ;;
  admin)     exec node --enable-source-maps "dist/services/$SERVICE/src/admin.js" "$@" ;;
  reencrypt) exec node --enable-source-maps "dist/services/$SERVICE/src/reencrypt.js" "$@" ;;
  verify-audit) exec node --enable-source-maps dist/libs/audit/bin/verify-audit.js "$@" ;;
  provision) exec node --enable-source-maps dist/libs/db/bin/provision.js "$@" ;;
  secrets)   exec node dist/deploy/secrets.js "$@" ;;
  *)
    echo "unknown command '$command': use serve, migrate, after-restore, admin, reencrypt, verify-audit, provision or secrets" >&2
    exit 64
    ;;
esac
