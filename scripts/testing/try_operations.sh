#!/usr/bin/env bash
# The short variant of prove_operations.sh, for `make test`: from an empty host of systemd to a page, and back to an empty one.
# Ends with 77 and the reason where no systemd can be booted. SEED: as for prove_operations.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
site=http://127.0.0.1:8090/login
source scripts/testing/install_seed.sh
source scripts/testing/boot_systemd.sh

captchad() { inside /usr/local/bin/captchad "$@"; }
from_checkout() { inside env PYTHONPATH=/srv/captchad "$SEED/bin/python" "$@"; }
pass() { echo "ok  $1"; }
# says TEXT COMMAND…: the command succeeds, and prints the text
says() { "${@:2}" >"$work/said.out" 2>&1 && grep -q "$1" "$work/said.out"; }
# refused MESSAGE COMMAND…: the command fails with one line that has the message
refused() {
    local message=$1
    shift
    if "$@" >"$work/refused.out" 2>&1; then fail "$message is not refused"; fi
    [ "$(grep -vc ': warning: ' "$work/refused.out")" = 1 ] && grep -q "$message" "$work/refused.out" || { cat "$work/refused.out"; fail "$message is not said in one line"; }
    pass "$(tail -n 1 "$work/refused.out")"
}

install_into() {
    copy_checkout "$1/srv/captchad"
    systemctl -q --root="$1" disable redis-server.service || true
}

check_boot
type chromium-headless-shell >/dev/null 2>&1 || no_boot "the units would find no browser: apt-get install chromium-headless-shell"
echo "--- boot"
make_seed
# It is used where it is; a folder on another file system, or in /tmp, would not be seen there.
nspawn_options+=("--bind-ro=$SEED")
make_root
boot

echo "--- from nothing to a page"
inside sh -c 'mkdir /root/aside && for name in chromium-headless-shell chromium; do mv "$(command -v $name)" /root/aside/; done'
refused "browser: " from_checkout -m captchad deploy -e prod -n 1
[ ! -e "$root/opt/captchad" ] && [ ! -e "$root/etc/captchad" ] || fail "a refused deploy left something"
inside sh -c 'mv /root/aside/* /usr/bin/'
from_checkout -m captchad deploy -e prod -n 1 >"$work/deploy.out" 2>&1 || { cat "$work/deploy.out"; fail "deploy"; }
key=$(grep -oE '^ck_[0-9a-f_]+' "$work/deploy.out") || fail "the first key is printed"
cat >"$root/etc/captchad/distributed.json" <<CONFIG
{"environment": "prod", "security": {"api_key_required": true, "targets": [
  {"host": "127.0.0.1", "ports": [8090], "allow_private_addresses": true, "max_per_minute": 1000}]}}
CONFIG
captchad deploy >"$work/deploy.out" 2>&1 || { cat "$work/deploy.out"; fail "a deploy after a change"; }
grep -q "systemctl reload captchad-gateway.service" "$work/deploy.out" || fail "a target is not taken over by a reload"
! grep -q "systemctl restart" "$work/deploy.out" || fail "a target restarts something"
says "nothing differs" captchad deploy || fail "a deploy of what is there changes something"
inside systemd-run -q --unit=site --setenv=PYTHONPATH=/srv/captchad "$SEED/bin/python" -m captchad.sample_site --port 8090
expect 30 "a page is read" captchad submit "$site" --wait 60 --api-key "$key"

echo "--- what is killed, scaled and restarted"
for unit in captchad-worker@1 captchad-redis; do
    pid=$(main_pid "$unit")
    inside kill -KILL "$pid"
    expect 60 "$unit runs again after kill -9" restarted "$unit" "$pid"
done
captchad scale worker-node 2 >/dev/null || fail "scale worker-node 2"
captchad restart api-gateway >/dev/null || fail "restart api-gateway"
captchad scale chrome-node 1 >/dev/null || fail "scale chrome-node 1"
expect 60 "a page is read by a browser node" captchad submit "$site" --wait 60 --api-key "$key"
captchad scale worker-node 1 >/dev/null || fail "scale worker-node 1"
says "the task is completed" captchad logs worker-node-1 || fail "logs worker-node-1"

echo "--- a backup and back, by root and by nobody"
inside sh -c 'mkdir -p /var/lib/captchad/labels/a && echo label >/var/lib/captchad/labels/a/one.label'
echo "a passphrase of ours" >"$root/root/passphrase"
captchad backup --with-secrets --passphrase-file /root/passphrase /root/one.backup || fail "backup"
captchad backup 2>"$work/backup.err" || fail "backup into the state folder"
grep -q /etc/captchad/secrets.json "$work/backup.err" || fail "what a backup without secrets lacks is not said"
inside sh -c 'test "$(stat -c %u /var/lib/captchad/backups/*.backup)" = "$(stat -Lc %u /var/lib/captchad)"' || fail "the backup is root's"
nobody() { inside setpriv --reuid=65534 --clear-groups env HOME=/tmp /usr/local/bin/captchad "$@"; }
refused "run it again with sudo" nobody backup /tmp/none.backup
refused "roles are at work" captchad restore /root/one.backup --replace
captchad stop >/dev/null || fail "stop"
captchad start redis-master >/dev/null || fail "start redis-master"
inside sh -c 'rm -r /var/lib/captchad/labels && mv /etc/captchad/secrets.json /root/'
captchad restore /root/one.backup --replace --passphrase-file /root/passphrase --config /etc/captchad/distributed.json >"$work/restore.out" 2>&1 &&
    fail "Redis is reached without its password"
inside cp /root/secrets.json /etc/captchad/
captchad restore /root/one.backup --replace --passphrase-file /root/passphrase || fail "restore"
inside sh -c 'cmp /root/secrets.json /etc/captchad/secrets.json && test -s /var/lib/captchad/labels/a/one.label' || fail "restored files"
captchad start >/dev/null || fail "start"
expect 60 "the restored key is good, and all is well" captchad health

echo "--- an operator's mistakes"
cp "$root/etc/captchad/distributed.json" "$work/good.json"
head -c 60 "$work/good.json" >"$root/etc/captchad/distributed.json"
refused "/etc/captchad/distributed.json" captchad deploy
cp "$work/good.json" "$root/etc/captchad/distributed.json"
echo "CAPTCHAD_WORKER__TASK_TIMEOUT=soon" >"$root/etc/captchad/captchad.env"
refused "worker.task_timeout" captchad deploy
rm "$root/etc/captchad/captchad.env"
refused "only root may change units" nobody deploy
refused "there is no service" captchad logs no-such-service

captchad undeploy --purge | grep "backups" || fail "undeploy --purge"
inside sh -c 'ls /var/lib/captchad/backups/*.backup && ! ls -d /var/lib/captchad/labels /var/lib/private/captchad-redis' >/dev/null 2>&1 ||
    fail "a purge takes the backups, or leaves the rest"
[ ! -e "$root/opt/captchad" ] && [ ! -e "$root/etc/captchad" ] && [ ! -e "$root/usr/local/bin/captchad" ] || fail "undeploy left files"
inside sh -c '! systemctl list-unit-files | grep -q captchad && ! pgrep -f "[c]hromium-headless-shell"' || fail "undeploy left something running"
refused "there is nothing to remove" from_checkout -m captchad undeploy --purge
echo "=== operations are as promised, in short"
