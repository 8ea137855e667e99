#!/usr/bin/env bash
# Deploys captchad on a booted systemd with one command, runs every command of the deployment guide there, and breaks things.
# Needs root, systemd-container and dbus. Leaves nothing behind. SHORT=1: without load and faults; WORKERS, NODES, TASKS: how much;
# ONLY=upgrade: the deployment and its upgrades alone;
# SEED: an environment of the system's Python with captchad's requirements, instead of installing them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
site_port=8090
nodes=${NODES:-6} workers=${WORKERS:-4}
source scripts/testing/install_seed.sh
source scripts/testing/boot_systemd.sh
source scripts/testing/prove_upgrade.sh

captchad() { inside /usr/local/bin/captchad "$@"; }
load() { inside "$seed/bin/python" /srv/captchad/scripts/testing/operations_load.py "$key" "$@"; }
guide() { inside env CAPTCHAD=/usr/local/bin/captchad CAPTCHAD_API_KEY="${key:-}" /srv/captchad/scripts/deploy-distributed.sh "$@"; }
say_time() { echo "    $1: $((($(date +%s%N) - $2) / 1000000)) ms"; }

check_boot
make_seed
echo "--- boot"
make_root
boot

echo "--- one command"
begun=$(date +%s%N)
inside env CAPTCHAD="$seed/bin/captchad" /srv/captchad/scripts/deploy-distributed.sh deploy -e prod -n $workers | tee "$work/deploy.out" || fail "deploy"
say_time "deploy -e prod -n $workers, to all ready" "$begun"
key=$(grep -oE '^ck_[0-9a-f_]+' "$work/deploy.out")
[ -n "$key" ] || fail "the first key is printed"
guide deploy -e prod -n $workers | tee "$work/again.out"
grep -q "nothing differs" "$work/again.out" || fail "a second deploy changes nothing"
echo "ok  a second deploy changes nothing"

echo "--- a target, declared as an operator does"
cat >"$root/etc/captchad/distributed.json" <<CONFIG
{
  // Kept as it is by every later deploy.
  "environment": "prod",
  "gateway": {"rate_limit": {"requests_per_minute": 0}},
  "security": {"api_key_required": true, "targets": [
    {"host": "127.0.0.1", "ports": [$site_port], "allow_private_addresses": true, "max_per_minute": 100000, "max_concurrent": 64}
  ]}
}
CONFIG
guide deploy >"$work/third.out" || fail "a deploy after a change of the configuration"
grep -q "systemctl reload captchad-gateway.service" "$work/third.out" || fail "the gateway does not take over a target"
! grep -q "systemctl restart" "$work/third.out" || fail "a target restarts something"
echo "ok  a target is taken over without a restart"
sed -i 's#"environment": "prod",#"environment": "prod", "worker": {"drain_seconds": 29},#' "$root/etc/captchad/distributed.json"
guide deploy >"$work/third.out" || fail "a deploy after another change of the configuration"
grep -q "systemctl restart captchad-gateway.service" "$work/third.out" || fail "a changed configuration restarts the gateway"
! grep -q "restart captchad-redis" "$work/third.out" || fail "a changed configuration restarts Redis"
echo "ok  a changed configuration restarts what it concerns"
inside systemd-run -q --unit=site "$seed/bin/python" -m captchad.sample_site --port "$site_port"
expect 30 "a page is read" captchad submit "http://127.0.0.1:$site_port/login" --wait 60 --api-key "$key"
if [ "${ONLY:-}" = upgrade ]; then
    prove_upgrade
    echo "=== upgrades are as promised"
    exit 0
fi
if inside sh -c "ps ax -o args | grep '[c]hromium-headless-shell' | grep -q -- --no-sandbox"; then fail "no sandbox"; fi
echo "ok  Chromium's sandbox is on"
expect 30 "STATUS= tells of slots and rate" inside sh -c "systemctl show -P StatusText captchad-worker@1 | grep -q 'slots busy'"
inside sh -c '! grep -rqa "$(python3 -c "import json; print(json.load(open(\"/etc/captchad/secrets.json\"))[\"security\"][\"session_key\"])")" /etc/systemd /proc/[0-9]*/environ /proc/[0-9]*/cmdline' 2>/dev/null || fail "a secret is in an environment"
echo "ok  no secret stands in a unit, an environment or a command line"
for unit in gateway scheduler monitor worker@1 redis; do
    figure=$(inside systemd-analyze security --no-pager "captchad-$unit.service" | grep -oE 'level for [^:]*: [0-9.]+' | grep -oE '[0-9.]+$')
    awk "BEGIN {exit !($figure <= 2.2)}" || fail "captchad-$unit is exposed: $figure"
    echo "ok  exposure of captchad-$unit: $figure"
done

echo "--- the guide's commands, in its order"
guide status | tee "$work/status.out"; grep -q "captchad-worker@$workers.service" "$work/status.out" || fail "status"
guide health || fail "health"
guide logs | tail -n 2
guide stop >/dev/null || fail "stop"
inside sh -c '! systemctl is-active --quiet "captchad-*"' || fail "stop left something"
inside sh -c "! pgrep -f '[c]hromium-headless-shell'" || fail "stop left a browser"
guide start >/dev/null || fail "start"
guide restart >/dev/null || fail "restart"
guide status >/dev/null || fail "status"
guide scale worker-node 4 >/dev/null || fail "scale worker-node 4"
begun=$(date +%s%N)
guide scale chrome-node "$nodes" >"$work/scale.out" || { cat "$work/scale.out"; fail "scale chrome-node"; }
say_time "scale chrome-node $nodes" "$begun"
[ "$(inside systemctl list-units --plain --no-legend 'captchad-browser@*' | grep -c active)" = "$nodes" ] || fail "the browser nodes run"
captchad submit "http://127.0.0.1:$site_port/login" --wait 60 --api-key "$key" >/dev/null || fail "a page, by a browser node"
guide scale chrome-node 0 >/dev/null || fail "scale chrome-node 0"
for service in api-gateway task-scheduler worker-node-1 monitoring; do
    guide logs "$service" | tail -n 1 | grep -q . || fail "logs $service"
done
guide monitor | grep -q http://127.0.0.1:9090 || fail "monitor"
inside curl -sf -H "X-API-Key: $key" http://localhost:8080/stats | grep -q active_workers || fail "/stats"
task=$(inside curl -sf -X POST http://localhost:8080/submit_task -H "X-API-Key: $key" -H "Content-Type: application/json" \
    -d "{\"url\": \"http://127.0.0.1:$site_port/login\", \"timeout\": 60, \"retry_count\": 3}" | grep -oE 'task_0[a-z0-9]+' | head -n 1)
expect 60 "the guide's task is completed" inside sh -c "curl -sf -H 'X-API-Key: $key' http://localhost:8080/task_status/$task | grep -q completed"
inside curl -sf -H "X-API-Key: $key" http://localhost:8080/workers >/dev/null || fail "/workers"
inside curl -sf -H "X-API-Key: $key" http://localhost:8080/queue_status >/dev/null || fail "/queue_status"
guide scale worker-node 6 >/dev/null || fail "scale worker-node 6"
guide restart redis-master >/dev/null || fail "restart redis-master"
expect 20 "Redis is well after its restart" guide health
guide logs redis-master | tail -n 1 | grep -q . || fail "logs redis-master"
inside sh -c "/usr/local/bin/captchad logs | grep -c ERROR" || true
guide logs --since=2024-01-01T10:00:00 | tail -n 1 | grep -q . || fail "logs --since"
guide logs --task "$task" | grep -q "$task" || fail "logs --task"
inside timeout 3 /usr/local/bin/captchad logs -f >/dev/null || [ $? = 124 ] || fail "logs -f"
inside curl -sf -H "X-API-Key: $key" http://localhost:9090/metrics | grep -q captcha_tasks_total || fail "the monitor's metrics"
guide version
echo "ok  every command of the guide"

if [ -z "${SHORT:-}" ]; then
    echo "--- scaling under load"
    load --tasks "${TASKS:-120}" --seconds 45 >"$work/load.out" 2>&1 &
    load_pid=$!
    guide scale worker 6 >/dev/null || fail "scale worker 6"
    guide scale worker 2 >/dev/null || fail "scale worker 2"
    guide restart api-gateway >/dev/null || fail "restart of the gateway under load"
    wait "$load_pid" || { cat "$work/load.out"; fail "something was lost while scaling"; }
    cat "$work/load.out"
    echo "ok  nothing was lost or refused: 6 workers, 2 workers, a restarted gateway"

    echo "--- faults"
    for unit in captchad-redis captchad-scheduler captchad-worker@1 captchad-monitor captchad-gateway; do
        pid=$(main_pid "$unit"); begun=$(date +%s%N)
        inside kill -KILL "$pid"
        expect 60 "$unit runs again after kill -9" restarted "$unit" "$pid"
        say_time "$unit healed" "$begun"
    done
    expect 30 "all is well again" guide health
    pid=$(main_pid captchad-scheduler); begun=$(date +%s%N)
    inside kill -STOP "$pid"
    expect 60 "the watchdog replaces a scheduler that is stopped" restarted captchad-scheduler "$pid"
    say_time "a stopped scheduler healed (watchdog 30 s)" "$begun"
    # A handler that runs in the loop's own thread and does not come back.
    wedge='import signal, time; signal.signal(signal.SIGUSR2, lambda *_, sleep=time.sleep: sleep(3600))\n'
    inside sh -c "printf '$wedge' >\$(echo /opt/captchad/current/lib/python3*/site-packages)/wedge.pth"
    guide restart api-gateway >/dev/null
    pid=$(main_pid captchad-gateway); begun=$(date +%s%N)
    inside kill -USR2 "$pid"
    expect 60 "the watchdog replaces a gateway whose loop is wedged" restarted captchad-gateway "$pid"
    say_time "a wedged gateway healed (watchdog 30 s)" "$begun"
    inside sh -c 'rm /opt/captchad/current/lib/python3*/site-packages/wedge.pth'
    inside systemctl reload captchad-gateway
    expect 10 "a reload is logged" inside sh -c "journalctl --no-pager -u captchad-gateway | grep -q 'configuration reloaded'"

    echo "--- a reboot"
    guide stop worker-node >/dev/null || fail "stop of the workers"
    task=$(captchad submit "http://127.0.0.1:$site_port/login" --api-key "$key" | grep -oE 'task_0[a-z0-9]+' | head -n 1)
    inside systemctl poweroff --no-wall >/dev/null 2>&1 || true
    wait "$boot_pid" || true
    boot
    inside systemd-run -q --unit=site "$seed/bin/python" -m captchad.sample_site --port "$site_port"
    expect 60 "a reboot comes back with everything" guide health
    expect 60 "and with its tasks" inside sh -c "/usr/local/bin/captchad status $task --api-key $key | grep -q completed"
fi

[ -n "${SHORT:-}" ] || prove_upgrade

echo "--- faults of an operator's"
line() { echo "    $(tail -n 1 "$work/fault.out")"; }
cp "$root/etc/captchad/distributed.json" "$work/good.json"
head -c 60 "$work/good.json" >"$root/etc/captchad/distributed.json"
if captchad deploy >"$work/fault.out" 2>&1; then fail "a half-written configuration is deployed"; fi; line
cp "$work/good.json" "$root/etc/captchad/distributed.json"
if inside setpriv --reuid=65534 --clear-groups /usr/local/bin/captchad deploy >"$work/fault.out" 2>&1; then fail "without rights"; fi; line
if captchad logs no-such-service >"$work/fault.out" 2>&1; then fail "an unknown service"; fi; line

echo "--- kill -9 in the middle of a deploy, after ever more of its steps"
guide undeploy --purge --backups >/dev/null || fail "undeploy --purge --backups"
[ ! -e "$root/opt/captchad" ] && [ ! -e "$root/etc/captchad" ] && [ ! -e "$root/usr/local/bin/captchad" ] || fail "undeploy left files"
inside sh -c '! ls -d /var/lib/captchad* /var/lib/private/captchad*' >/dev/null 2>&1 || fail "undeploy left data"
inside sh -c '! systemctl list-unit-files | grep -q captchad' || fail "undeploy left units"
echo "ok  undeploy --purge --backups leaves nothing"
inside "$seed/bin/python" /srv/captchad/scripts/testing/kill_deploys.py "$seed/bin/captchad" || fail "a broken deploy is not completed"
inside sh -c "'$seed/bin/captchad' undeploy --purge" >/dev/null || fail "undeploy"
inside systemd-run -q --unit=holder "$seed/bin/python" -m http.server 8080 --bind 127.0.0.1
expect 10 "somebody else holds port 8080" inside sh -c 'curl -s http://127.0.0.1:8080 >/dev/null'
if inside "$seed/bin/captchad" deploy >"$work/fault.out" 2>&1; then fail "a taken port"; fi; line
[ ! -e "$root/opt/captchad" ] && [ ! -e "$root/etc/captchad" ] || fail "a refused deploy left something"
echo "=== operations are as promised"
