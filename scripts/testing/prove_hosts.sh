#!/usr/bin/env bash
# Boots three hosts and joins them by a bridge: one whose Redis listens and one that joins it; then a fleet with Sentinels, in which
# under load a host is cut off, one is powered off, a disk is full, and the clock of one host's processes is three hours wrong.
# Needs root, systemd-container, dbus, redis-sentinel, openssl and libfaketime. All traffic stays in network namespaces, and nothing is left.
# SHORT=1: the joining alone; ONLY=fleet: the other half; TASKS: how many, 150 by default; LOAD_SECONDS: over how long they are
# submitted, 300; CUT_SECONDS: how long a host is cut off or powered off, 25; SEED: an environment of the system's Python with captchad's requirements.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
hosts=(alpha beta gamma)
network=10.99.0
site_port=8090
site=http://$network.1:$site_port/login
source scripts/testing/install_seed.sh
source scripts/testing/boot_systemd.sh
source scripts/testing/join_hosts.sh
source scripts/testing/prove_fleet.sh

echo "--- three hosts on one bridge"
make_layer
make_network
for name in "${hosts[@]}"; do on "$name" boot_host; done
use alpha
serve_site

[ "${ONLY:-}" = fleet ] || prove_joining
[ -n "${SHORT:-}" ] || prove_fleet
echo "=== several hosts are as promised"
