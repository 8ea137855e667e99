#!/usr/bin/env bash
# Runs every command of docs/deployment-guide.zh.md, in the guide's order, on a booted systemd.
# Needs root, systemd-container, dbus, nginx and prometheus (promtool). Leaves nothing behind but the output, in
# build/guide.out. SEED: an environment of the system's Python with captchad's requirements, instead of installing them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/testing/install_seed.sh
source scripts/testing/boot_systemd.sh

mkdir -p build
python3 scripts/testing/guide_commands.py >build/guide.sh

check_boot
make_seed
echo "--- boot"
make_root
cp build/guide.sh "$root/srv/guide.sh"
boot
inside systemd-run -q --unit=site "$seed/bin/python" -m captchad.sample_site --port 8090
expect 30 "the sample site answers" inside sh -c 'curl -sf http://127.0.0.1:8090/login'

echo "--- the guide"
inside env SEED="$seed" bash /srv/guide.sh >build/guide.out 2>&1 || { tail -n 40 build/guide.out; fail "the guide"; }
tail -n 1 build/guide.out

echo "=== the guide is as promised"
