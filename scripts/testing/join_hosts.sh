# Sourced by prove_hosts.sh: hosts on a bridge in a network namespace, and a worker on one that uses the Redis of another.

address_of() {
    for number in "${!hosts[@]}"; do
        if [ "${hosts[$number]}" = "$1" ]; then echo "$network.$((11 + number))"; fi
    done
}
captchad() { inside /usr/local/bin/captchad "$@"; }
first_captchad() { inside "$seed/bin/captchad" "$@"; }
outside() { ip netns exec "$group" "$@"; }
python() { outside "$work/layer/upper/files$seed/bin/python" "$@"; }
refused() {
    # refused WORDS COMMAND…: it fails, with these words in its last line
    local words=$1
    shift
    if "$@" >"$work/refused.out" 2>&1; then fail "not refused: $*"; fi
    grep -q -- "$words" <(tail -n 1 "$work/refused.out") || { cat "$work/refused.out"; fail "refused with other words than: $words"; }
    echo "    $(tail -n 1 "$work/refused.out")"
}

changes_nothing() {
    captchad deploy >"$work/again.out" 2>&1 || { cat "$work/again.out"; fail "a second deploy"; }
    grep -q "nothing differs" "$work/again.out" || { cat "$work/again.out"; fail "a second deploy changes something"; }
    echo "ok  a second deploy changes nothing"
}

finish_hosts() {
    # Site and load.
    ip netns pids "$group" 2>/dev/null | xargs -r kill -KILL
    wait "${site_pid:-}" "${load_pid:-}" 2>/dev/null || true
    ip netns del "$group" 2>/dev/null || true
    finish
}
trap finish_hosts EXIT

install_into() {
    install_seed "$1"
    # The release that the hosts would each make of it, once.
    chroot "$1" "$seed/bin/python" -c '
from captchad.deployment.systemd.installation import install
from captchad.deployment.systemd.origins import describe_release
release = describe_release(None, {})
install(release.name, release.digest, None)'
}

make_layer() {
    # What all hosts have in common lies in memory once.
    local host root boot_pid leader
    use layer
    make_seed
    make_root
    for number in "${!hosts[@]}"; do echo "$network.$((11 + number)) ${hosts[$number]}"; done >>"$root/etc/hosts"
    # A name that no certificate is for.
    echo "$network.11 redis.example.com" >>"$root/etc/hosts"
    unmount_root
}

make_network() {
    ip netns add "$group"
    ip -n "$group" link set lo up
    ip -n "$group" link add bridge type bridge
    ip -n "$group" address add "$network.1/24" dev bridge
    ip -n "$group" link set bridge up
}

boot_host() {
    if [ ! -d "$work/$host" ]; then
        mount_root "$work/layer/upper/files:/"
        echo "$host" >"$root/etc/hostname"
        # A disk of its own that is soon full; it outlives the container.
        mount -t tmpfs -o size=32m tmpfs "$root/var/lib/redis"
        chown redis:redis "$root/var/lib/redis"
    fi
    start_container
    # Before the boot's end: roles that use the Redis of another host are ready only once they reach it.
    plug
    await_boot
}

plug() {
    # The end of one that was plugged in before goes a moment after its host.
    ip -n "$group" link delete "to-$host" 2>/dev/null || true
    ip link add "to-$host" netns "$group" type veth peer name eth0 netns "$leader"
    ip -n "$group" link set "to-$host" master bridge up
    inside ip address add "$(address_of "$host")/24" dev eth0
    inside ip link set eth0 up
}

serve_site() {
    python -m captchad.sample_site --host "$network.1" --port "$site_port" >"$work/site.log" 2>&1 &
    site_pid=$!
    expect 30 "the site answers" inside sh -c "curl -sf $site >/dev/null"
}

declare_target() {
    # declare_target [MORE]: as an operator does, on the current host
    mkdir -p "$root/etc/captchad"
    cat >"$root/etc/captchad/distributed.json" <<CONFIG
{
  "environment": "prod", ${1:-}
  "gateway": {"rate_limit": {"requests_per_minute": 0}},
  "security": {"api_key_required": true, "targets": [
    {"host": "$network.1", "ports": [$site_port], "allow_private_addresses": true, "max_per_minute": 100000, "max_concurrent": 64,
     "owner": "captchad", "reference": "prove-hosts", "expires": "$(date -d '+30 days' +%F)"}
  ]}
}
CONFIG
}

runs_workers_alone() {
    local others
    others=$(inside systemctl list-units --plain --no-legend --state=active 'captchad-*.service' | grep -v captchad-worker@ || true)
    [ -z "$others" ] || fail "more than workers: $others"
}

upgrade_joined_host() {
    inside "$seed/bin/python" /srv/captchad/scripts/testing/make_wheel.py 9.0.0 /srv/wheels >/dev/null
    inside env PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels /usr/local/bin/captchad upgrade --to 9.0.0 >"$work/upgrade.out" 2>&1 ||
        { cat "$work/upgrade.out"; fail "an upgrade of a host that has joined"; }
    [ "$(inside readlink /opt/captchad/current)" = /opt/captchad/9.0.0 ] || fail "the upgrade did not switch"
    runs_workers_alone
    echo "ok  an upgrade keeps to the roles of the host"
}

prove_joining() {
    local file=/root/join.json
    echo "--- one host's Redis listens, another host joins it"
    first_captchad deploy -e prod -n 1 >"$work/deploy.out" || { cat "$work/deploy.out"; fail "deploy"; }
    key=$(grep -oE '^ck_[0-9a-f_]+' "$work/deploy.out")
    captchad deploy --listen "$(address_of alpha)" >"$work/listen.out" || { cat "$work/listen.out"; fail "deploy --listen"; }
    tail -n 9 "$work/listen.out"
    declare_target
    captchad deploy >"$work/third.out" || fail "a deploy after a change of the configuration"
    ! grep -q "restart captchad-redis" "$work/third.out" || fail "a changed configuration restarts Redis"
    changes_nothing
    [ "$(stat -c %a "$root/etc/captchad/join.json" "$root"/etc/captchad/tls/*.key | sort -u)" = 600 ] || fail "others may read a key"
    figure=$(inside systemd-analyze security --no-pager captchad-redis.service | grep -oE 'level for [^:]*: [0-9.]+' | grep -oE '[0-9.]+$')
    awk "BEGIN {exit !($figure <= 2.2)}" || fail "a Redis that listens is exposed: $figure"
    echo "ok  exposure of a Redis that listens: $figure"

    use beta
    cp "$work/alpha/root/etc/captchad/join.json" "$root/root/join.json"
    local url="rediss://captchad@$(address_of alpha)"
    inside openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other -out /root/other.crt 2>/dev/null
    inside sh -c "sed 's/\"password\": \"[^\"]*\"/\"password\": \"wrong\"/' $file >/root/wrong.json"
    refused "does not answer" first_captchad deploy --join "rediss://captchad@$network.77" --credentials "$file"
    refused "refuses the login" first_captchad deploy --join "$url" --credentials /root/wrong.json
    refused "not by the authority" first_captchad deploy --join "$url" --credentials "$file" --ca /root/other.crt
    refused "for another name" first_captchad deploy --join rediss://captchad@redis.example.com --credentials "$file"
    declare_target '"redis": {"partitions": 2},'
    refused "must be the same on all" first_captchad deploy --join "$file"
    rm -r "$root/etc/captchad"
    refused "password in the URL" first_captchad deploy --join "rediss://captchad:secret@alpha" --credentials "$file"
    [ ! -e "$root/etc/captchad" ] && [ ! -e "$root/opt/captchad/current" ] || fail "a refused joining left something"

    first_captchad deploy --join "$file" -n 1 >"$work/join.out" || { cat "$work/join.out"; fail "deploy --join"; }
    tail -n 5 "$work/join.out"
    changes_nothing
    captchad scale worker 2 >/dev/null || fail "scale on a host that has joined"
    runs_workers_alone
    inside systemctl start captchad-backup.service || fail "a backup, by a host that has joined"
    [ -n "${SHORT:-}" ] || upgrade_joined_host
    on alpha captchad stop worker >/dev/null
    expect 60 "a page is read by the host that has joined" on alpha captchad submit "$site" --wait 60 --api-key "$key"
    on alpha captchad start worker >/dev/null
    expect 60 "all is well, seen from the first host" on alpha captchad health --api-key "$key"
    captchad health --api-key "$key" || fail "health on the host that has joined"
    for name in beta alpha; do on "$name" captchad undeploy --purge >/dev/null; done
    use alpha
    [ ! -e "$root/etc/captchad" ] || fail "undeploy left files"
}
