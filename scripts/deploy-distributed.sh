#!/bin/sh
# The deployment guide's script: each of its commands is one of captchad's.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
for program in "${CAPTCHAD:-}" "$root/.venv/bin/captchad" /usr/local/bin/captchad; do
    if [ -n "$program" ] && [ -x "$program" ]; then
        exec "$program" "$@"
    fi
done
command -v captchad >/dev/null || {
    echo "captchad is not installed: see README.md, or name it in CAPTCHAD=/path/to/captchad" >&2
    exit 1
}
exec captchad "$@"
