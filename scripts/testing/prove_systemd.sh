#!/usr/bin/env bash
# Boots the units in a real systemd (systemd-nspawn on an overlay of this machine) and holds them to what they promise.
# Needs root, systemd-container and dbus. Leaves nothing behind. SEED: as for prove_operations.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

site_port=8090
source scripts/testing/install_seed.sh
source scripts/testing/boot_systemd.sh

# As somebody would install it who does without `captchad deploy`.
install_into() {
    local root=$1
    mkdir -p "$root/opt/captchad" "$root/etc/captchad"
    seed=/opt/captchad/current
    install_seed "$root"
    cp systemd/captchad* "$root/etc/systemd/system/"
    cat >"$root/etc/captchad/distributed.json" <<CONFIG
{"redis": {"master": {"host": "127.0.0.1"}},
 "security": {"targets": [{"host": "127.0.0.1", "ports": [$site_port], "allow_private_addresses": true}]}}
CONFIG
    chmod 644 "$root/etc/captchad/distributed.json"
}

check_boot
make_seed
echo "--- boot"
make_root
boot
inside systemctl start redis-server
inside systemctl enable -q captchad-worker@1 captchad-gateway captchad-scheduler captchad-monitor captchad.target
inside systemctl start captchad.target

echo "--- what the units promise"
for unit in captchad-gateway captchad-scheduler captchad-monitor captchad-worker@1; do
    expect 60 "$unit is active, by its own notice" inside systemctl is-active --quiet "$unit"
done
inside systemd-run -q --unit=site /opt/captchad/current/bin/python -m captchad.sample_site --port "$site_port"
expect 20 "a page is read" inside /opt/captchad/current/bin/captchad submit "http://127.0.0.1:$site_port/login" --wait 60
if inside sh -c "ps ax -o args | grep '[c]hromium-headless-shell' | grep -q -- --no-sandbox"; then
    fail "Chromium runs without its sandbox"
fi
echo "ok  Chromium's sandbox is on"

inside systemctl start captchad-browser@3000
expect 60 "the browser node is active" inside systemctl is-active --quiet captchad-browser@3000
expect 60 "its browser serves, in its sandbox" inside systemd-run -q --wait --pipe -p DynamicUser=yes -p User=captchad \
    -p StateDirectory=captchad -E HOME=/var/lib/captchad -E ENVIRONMENT=prod \
    /opt/captchad/current/bin/captchad-browser --port=3000 --check
node_browser() { inside pgrep -f 'chromium-headless-shell.*[c]aptchad-node' | head -n 1; }
server_pid=$(node_browser)
inside kill -KILL "$server_pid"
replaced() { [ -n "$(node_browser)" ] && [ "$(node_browser)" != "$server_pid" ]; }
expect 30 "a killed browser of the node's is replaced" replaced
inside systemctl stop captchad-browser@3000
expect 30 "the node's stop leaves no browser" inside sh -c "! pgrep -f '[c]aptchad-node'"

pid=$(main_pid captchad-gateway)
inside kill -KILL "$pid"
expect 20 "a killed gateway runs again" restarted captchad-gateway "$pid"
pid=$(main_pid captchad-scheduler)
inside kill -STOP "$pid"
expect 60 "the watchdog replaces a scheduler that hangs" restarted captchad-scheduler "$pid"
inside systemctl reload captchad-gateway
expect 10 "a reload is logged" inside sh -c "journalctl --no-pager -u captchad-gateway | grep -q 'configuration reloaded'"
inside systemctl start captchad-worker@2 captchad-worker@3
for number in 2 3; do
    expect 60 "worker $number is active" inside systemctl is-active --quiet "captchad-worker@$number"
done
inside systemctl stop captchad.target
expect 90 "the target's stop ends every role" inside sh -c '! systemctl is-active --quiet "captchad-*"'
expect 5 "no browser is left" inside sh -c "! pgrep -f '[c]hromium-headless-shell'"
echo "=== the units keep their promises"
