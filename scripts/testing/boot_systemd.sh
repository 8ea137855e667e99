# Sourced: boots real systemds (systemd-nspawn on overlays of this machine), and takes them away at the end.
# Needs root, systemd-container and dbus. The caller sets `install_into ROOT`, which gets a root before its boot.
# One host, unless the caller names several: `use NAME` makes one the current one, `on NAME COMMAND…` does so for a command.
project=$PWD
work=$(mktemp -d /tmp/captchad-systemd-XXXXXX)
group=captchad-proof-$$
declare -A boot_pids leaders has_booted
BOOT_SECONDS=120
EXIT_NO_BOOT=77
nspawn_options=()

# Says why no systemd can be booted on this machine, and ends; that is no fault of what was to be proven.
no_boot() {
    echo "no systemd can be booted here: $*" >&2
    exit "$EXIT_NO_BOOT"
}

use() {
    host=$1
    root=$work/$host/root
    boot_pid=${boot_pids[$host]:-}
    leader=${leaders[$host]:-}
}
use captchad-proof

on() {
    local host root boot_pid leader
    use "$1"
    shift
    "$@"
}

end_container() {
    [ -z "${boot_pids[$host]:-}" ] && return
    kill -KILL "${leaders[$host]:-${boot_pids[$host]}}" "${boot_pids[$host]}" 2>/dev/null || true
    wait "${boot_pids[$host]}" 2>/dev/null || true
    unset "boot_pids[$host]" "leaders[$host]"
    boot_pid=
}

unmount_root() {
    for inner in dev proc sys; do umount -l "$root/$inner" 2>/dev/null || true; done
    umount -l "$root" 2>/dev/null || true
}

finish() {
    for name in "${!boot_pids[@]}"; do on "$name" end_container; done
    for folder in "$work"/*/; do
        on "$(basename "$folder")" unmount_root
        umount -l "$folder/upper" 2>/dev/null || true
    done
    # The last processes of a killed host take a moment to end.
    for _ in $(seq 20); do
        find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null && break
        sleep 0.2
    done
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*" >&2
    inside journalctl --no-pager -n 40 >&2 || true
    exit 1
}

inside() { nsenter -t "$leader" -m -u -i -n -p -C -r -w -- "$@"; }

expect() {
    # expect SECONDS WHAT COMMAND…: the command succeeds within the time
    local seconds=$1 what=$2
    shift 2
    local until=$((SECONDS + seconds))
    while [ "$SECONDS" -le "$until" ]; do
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

check_boot() {
    [ "$(id -u)" = 0 ] || no_boot "it takes root"
    type systemd-nspawn >/dev/null 2>&1 || no_boot "there is no systemd-nspawn: apt-get install systemd-container"
    type dbus-daemon >/dev/null 2>&1 || no_boot "there is no dbus-daemon: apt-get install dbus"
}

make_root() {
    check_boot
    mount_root /
    for inner in dev proc sys; do mount --rbind "/$inner" "$root/$inner" && mount --make-rslave "$root/$inner"; done
    install_into "$root"
    # What this machine runs beside captchad has no place here; Debian's Prometheus would take the monitor's port.
    systemctl -q --root="$root" mask prometheus.service prometheus-node-exporter.service prometheus-alertmanager.service \
        redis-sentinel.service
    for inner in dev proc sys; do umount -l "$root/$inner"; done
}

mount_root() {
    # mount_root LOWER: what is written there is in memory
    mkdir -p "$work/$host/upper" "$root"
    mount -t tmpfs tmpfs "$work/$host/upper" || no_boot "nothing may be mounted"
    mkdir "$work/$host/upper/files" "$work/$host/upper/work"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$work/$host/upper/files,workdir=$work/$host/upper/work" "$root" ||
        no_boot "no overlay may be mounted"
}

enter_group() {
    # A control group of its own for each host, or the systemds of two would take each other's processes for theirs.
    local controllers path tree
    while IFS=: read -r _ controllers path; do
        case $controllers in
            name=systemd) tree=/sys/fs/cgroup/systemd ;;
            "") tree=/sys/fs/cgroup/unified && [ -d "$tree" ] || tree=/sys/fs/cgroup ;;
            *) continue ;;
        esac
        mkdir -p "$tree$path/$group-$host"
        echo "$BASHPID" >"$tree$path/$group-$host/cgroup.procs"
    done </proc/self/cgroup
}

start_container() {
    # Returns once its systemd answers: from then on it can be given a network, which its services may wait for.
    (
        enter_group
        exec systemd-nspawn -q -b -D "$root" -M "$group-$host" --hostname="$host" --private-network --register=no --keep-unit \
            --capability=all --system-call-filter=bpf "${nspawn_options[@]}" >"$work/$host/boot.log" 2>&1 </dev/null
    ) &
    boot_pid=$!
    boot_pids[$host]=$boot_pid
    await_state 'initializing|starting|running|degraded'
    inside ip link set lo up
}

await_boot() {
    await_state 'running|degraded'
    has_booted[$host]=yes
}

boot() {
    start_container
    await_boot
}

await_state() {
    # await_state PATTERN: its systemd says so
    local until=$((SECONDS + BOOT_SECONDS))
    while [ "$SECONDS" -le "$until" ] && kill -0 "$boot_pid" 2>/dev/null; do
        leader=$(pgrep -P "$boot_pid" | head -n 1 || true)
        leaders[$host]=$leader
        if [ -n "$leader" ] && grep -qE "$1" <(inside systemctl is-system-running 2>/dev/null); then return; fi
        sleep 0.3
    done
    # Where a bare system does not boot, this machine can't; what has booted before is kept from it by what was put onto it.
    [ -z "${has_booted[$host]:-}" ] || fail "$host does not boot again"
    no_boot "$(tail -n 1 "$work/$host/boot.log" | tr -d '\r')"
}
