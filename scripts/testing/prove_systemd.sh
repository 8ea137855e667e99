#!/usr/bin/env bash
# Boots the units in a real systemd (systemd-nspawn on an overlay of this machine) and holds them to what they promise.
# Needs root, systemd-container and dbus. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

project=$PWD
work=$(mktemp -d /tmp/captchad-systemd-XXXXXX)
root=$work/root
machine=captchad-proof-$$
site_port=8090

finish() {
    machinectl terminate "$machine" >/dev/null 2>&1 || true
    [ -n "${boot_pid:-}" ] && { kill -KILL "$boot_pid" 2>/dev/null || true; wait "$boot_pid" 2>/dev/null || true; }
    for inner in dev proc sys; do umount -l "$root/$inner" 2>/dev/null || true; done
    umount -l "$root" 2>/dev/null || true
    umount -l "$work/upper" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*" >&2
    inside journalctl --no-pager -n 40 >&2 || true
    exit 1
}

inside() { nsenter -t "$leader" -m -u -i -n -p -- "$@"; }

expect() {
    # expect SECONDS WHAT COMMAND…: the command succeeds within the time
    local seconds=$1 what=$2
    shift 2
    for _ in $(seq $((seconds * 5))); do
        if "$@" >/dev/null 2>&1; then
            echo "ok  $what"
            return 0
        fi
        sleep 0.2
    done
    fail "$what"
}

main_pid() { inside systemctl show -P MainPID "$1"; }
restarted() { [ "$(main_pid "$1")" != "$2" ] && inside systemctl is-active --quiet "$1"; }

echo "--- a root of its own, with captchad installed as the units expect it"
mkdir -p "$work/upper" "$root"
mount -t tmpfs tmpfs "$work/upper"
mkdir "$work/upper/files" "$work/upper/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper/files,workdir=$work/upper/work" "$root"
for inner in dev proc sys; do mount --rbind "/$inner" "$root/$inner" && mount --make-rslave "$root/$inner"; done
mkdir -p "$root/opt/captchad/source" "$root/etc/captchad"
git -C "$project" archive HEAD | tar -x -C "$root/opt/captchad/source"
chroot "$root" /usr/bin/python3 -m venv /opt/captchad/venv
chroot "$root" /opt/captchad/venv/bin/pip install -q --disable-pip-version-check '/opt/captchad/source[demo]' 2>&1 | grep -v WARNING || true
cp "$project"/systemd/captchad* "$root/etc/systemd/system/"
cat >"$root/etc/captchad/distributed.json" <<CONFIG
{"redis": {"master": {"host": "127.0.0.1"}},
 "security": {"targets": [{"host": "127.0.0.1", "ports": [$site_port], "allow_private_addresses": true}]}}
CONFIG
chmod 644 "$root/etc/captchad/distributed.json"
# What this machine runs beside captchad has no place here; Debian's Prometheus would take the monitor's port.
systemctl -q --root="$root" mask prometheus.service prometheus-node-exporter.service redis-sentinel.service
for inner in dev proc sys; do umount -l "$root/$inner"; done

echo "--- boot"
systemd-nspawn -q -b -D "$root" -M "$machine" --private-network --register=no --keep-unit \
    --capability=all --system-call-filter=bpf >"$work/boot.log" 2>&1 </dev/null &
boot_pid=$!
for _ in $(seq 100); do
    leader=$(pgrep -P "$boot_pid" | head -n 1 || true)
    [ -n "$leader" ] && nsenter -t "$leader" -m -u -i -n -p -- systemctl is-system-running 2>/dev/null |
        grep -qE 'running|degraded' && break
    sleep 0.3
done
inside ip link set lo up
inside systemctl start redis-server
inside systemctl enable -q captchad-worker@1 captchad-gateway captchad-scheduler captchad-monitor captchad.target
inside systemctl start captchad.target

echo "--- what the units promise"
for unit in captchad-gateway captchad-scheduler captchad-monitor captchad-worker@1; do
    expect 60 "$unit is active, by its own notice" inside systemctl is-active --quiet "$unit"
done
inside systemd-run -q --unit=site /opt/captchad/venv/bin/python -m captchad.sample_site --port "$site_port"
expect 20 "a page is read" inside /opt/captchad/venv/bin/captchad submit "http://127.0.0.1:$site_port/login" --wait 60
if inside sh -c "ps ax -o args | grep '[c]hromium-headless-shell' | grep -q -- --no-sandbox"; then
    fail "Chromium runs without its sandbox"
fi
echo "ok  Chromium's sandbox is on"

inside systemctl start captchad-browser@3000
expect 60 "the browser node is active" inside systemctl is-active --quiet captchad-browser@3000
expect 60 "its browser serves, in its sandbox" inside systemd-run -q --wait --pipe -p DynamicUser=yes -p User=captchad \
    -p StateDirectory=captchad -E HOME=/var/lib/captchad -E ENVIRONMENT=prod \
    /opt/captchad/venv/bin/captchad-browser --port=3000 --check
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
expect 10 "a reload is logged" inside sh -c "journalctl --no-pager -u captchad-gateway | grep -q 'configuration read again'"
inside systemctl start captchad-worker@2 captchad-worker@3
for number in 2 3; do
    expect 60 "worker $number is active" inside systemctl is-active --quiet "captchad-worker@$number"
done
inside systemctl stop captchad.target
expect 90 "the target's stop ends every role" inside sh -c '! systemctl is-active --quiet "captchad-*"'
expect 5 "no browser is left" inside sh -c "! pgrep -f '[c]hromium-headless-shell'"
echo "=== the units keep their promises"
