#!/bin/sh
# Finds a Python that captchad runs on and hands over to prepare.py; PYTHON names one to use instead.
set -eu
directory=$(dirname "$0")
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$candidate" "$directory/prepare.py" "$@"
    fi
done
echo "captchad needs Python 3.11 or newer, and ${PYTHON:-python3} is missing or older." >&2
echo "Install it (Debian 12, Ubuntu 24.04 and later: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
