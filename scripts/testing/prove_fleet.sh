# Sourced by prove_hosts.sh: three hosts with a Redis, two replicas and three Sentinels, as docs/operations.md sets them up, under faults.
password=a-password-of-the-proof
sentinels=rediss+sentinel://captchad@alpha:26379,beta:26379,gamma:26379/mymaster
libfaketime=$(echo /usr/lib/*/faketime/libfaketimeMT.so.1)

tls_cli() { inside redis-cli --tls --cacert /etc/redis/tls/ca.crt --no-auth-warning -a "$password" "$@"; }
ask_sentinel() { tls_cli -p 26379 "$@"; }
find_master() {
    local address
    address=$(ask_sentinel sentinel get-master-addr-by-name mymaster | head -n 1)
    for name in "${hosts[@]}"; do
        if [ "$address" = "$name" ] || [ "$address" = "$(address_of "$name")" ]; then echo "$name"; fi
    done
}
has_replicas() { [ "$(tls_cli -p 6379 --user sentinel info replication | grep -c 'state=online')" = "$1" ]; }
has_other_master() { [ -n "$(find_master)" ] && [ "$(find_master)" != "$1" ]; }
follows() { tls_cli -p 6379 --user sentinel info replication | grep -q master_link_status:up; }

make_certificates() {
    mkdir "$work/tls"
    (
        cd "$work/tls"
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=redis-authority -keyout ca.key -out ca.crt 2>/dev/null
        for name in "${hosts[@]}"; do
            openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr" 2>/dev/null
            openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$name.crt" \
                -extfile <(echo "subjectAltName=DNS:$name,IP:$(address_of "$name")") 2>/dev/null
        done
    )
}

set_up_redis() {
    local folder=$root/etc/redis
    mkdir -p "$folder/tls"
    cp "$work/tls/ca.crt" "$folder/tls/ca.crt"
    cp "$work/tls/$host.crt" "$folder/tls/redis.crt"
    cp "$work/tls/$host.key" "$folder/tls/redis.key"
    inside sh -c "cd /etc/redis && '$seed/bin/captchad' config example redis >redis.conf &&
        '$seed/bin/captchad' config example redis-acl >>redis.conf && '$seed/bin/captchad' config example sentinel >sentinel.conf &&
        sed -i 's/change-this-password/$password/; s/redis-1.example.com/alpha/; s/this-host.example.com/$host/' redis.conf sentinel.conf &&
        chown -R redis:redis . && chmod 640 redis.conf sentinel.conf" || fail "the examples on $host"
    [ "$host" = alpha ] || sed -i 's/^# replicaof/replicaof/' "$folder/redis.conf"
    inside systemctl -q unmask redis-sentinel
    inside systemctl -q enable redis-server redis-sentinel 2>/dev/null
    inside systemctl restart redis-server redis-sentinel || fail "Redis and Sentinel on $host"
}

prepare_host() {
    # What an operator lays down before the deploy; the drop-ins are the proof's own.
    declare_target '"redis": {"min_replicas_acknowledged": 1},'
    cp "$work/tls/ca.crt" "$root/root/ca.crt"
    (umask 077 && echo "{\"password\": \"$password\", \"sentinel_password\": \"$password\", \"session_key\": \"$(printf 0123456789abcdef%.0s 1 2 3 4)\"}" \
        >"$root/root/credentials.json")
    add_drop_in captchad-gateway.socket '[Socket]' 'ListenStream=' 'ListenStream=0.0.0.0:8080'
    [ "$host" = beta ] || return 0
    for unit in captchad-gateway captchad-scheduler captchad-worker@; do
        add_drop_in "$unit.service" '[Service]' \
            "Environment=LD_PRELOAD=$libfaketime FAKETIME=+3h FAKETIME_DONT_FAKE_MONOTONIC=1"
    done
}

add_drop_in() {
    local folder=$root/etc/systemd/system/$1.d
    shift
    mkdir -p "$folder"
    printf '%s\n' "$@" >"$folder/20-proof.conf"
}

join_fleet() {
    local options=()
    for role in "$@"; do options+=(--role "$role"); done
    first_captchad deploy -e prod -n 2 --join "$sentinels" --credentials /root/credentials.json --ca /root/ca.crt "${options[@]}" \
        >"$work/join-$host.out" 2>&1 || { cat "$work/join-$host.out"; fail "$host joins"; }
    echo "ok  $host runs: $*"
}

clock_is_wrong() {
    local logged
    logged=$(inside journalctl -u captchad-scheduler -o cat -n 20 | grep -oE '"time":"[^"]*' | tail -n 1 | cut -d'"' -f4)
    [ $(($(date -d "$logged" +%s) - $(date +%s))) -gt 9000 ]
}

fill_disk() { inside sh -c 'cat /dev/zero >/var/lib/redis/filler 2>/dev/null || true'; }
refuses_writes() {
    captchad health --api-key "$key" >"$work/health.out" 2>&1 || true
    grep -q "can't write to its disk" "$work/health.out"
}

power_off() {
    # power_off NAME: kill -9 of all that runs there; another host becomes the current one
    on "$1" end_container
    for name in "${hosts[@]}"; do
        if [ "$name" != "$1" ]; then use "$name"; fi
    done
}

start_load() {
    python "$project/scripts/testing/hosts_load.py" "$key" --gateway "http://$(address_of alpha):8080" \
        --gateway "http://$(address_of beta):8080" --url "$site" --tasks "${TASKS:-150}" --seconds "${LOAD_SECONDS:-300}" >"$work/load.out" 2>&1 &
    load_pid=$!
}

prove_fleet() {
    local master
    echo "--- Redis with two replicas and three Sentinels, two gateways, two schedulers, four workers, a browser node"
    make_certificates
    for name in "${hosts[@]}"; do on "$name" set_up_redis; done
    expect 180 "both replicas follow" has_replicas 2
    for name in "${hosts[@]}"; do on "$name" prepare_host; done
    on alpha join_fleet gateway scheduler monitor
    on beta join_fleet gateway scheduler worker
    on gamma join_fleet worker
    key=$(grep -hoE '^ck_[0-9a-f_]+' "$work/join-alpha.out")
    on gamma captchad scale chrome-node 1 >/dev/null || fail "scale chrome-node"
    expect 180 "all is well" captchad health --api-key "$key"
    captchad health --api-key "$key"
    on beta expect 60 "the clock of beta's processes is three hours wrong" clock_is_wrong

    start_load
    echo "--- a host is cut off"
    sleep 15
    ip -n "$group" link set to-gamma down
    sleep "${CUT_SECONDS:-25}"
    ip -n "$group" link set to-gamma up
    expect 180 "it is back" on gamma captchad health --api-key "$key"

    echo "--- the master's host is powered off"
    master=$(find_master)
    power_off "$master"
    expect 180 "another host's Redis is the master" has_other_master "$master"
    on "$master" boot_host
    on "$master" expect 180 "$master follows it after its boot" follows

    echo "--- a host of workers is powered off"
    power_off gamma
    sleep "${CUT_SECONDS:-25}"
    on gamma boot_host
    on gamma expect 180 "all is well after its boot" captchad health --api-key "$key"

    echo "--- the master's disk is full"
    master=$(find_master)
    on "$master" fill_disk
    expect 180 "its Redis takes no writes, and health says so" refuses_writes
    sleep 10
    on "$master" inside rm /var/lib/redis/filler

    wait "$load_pid" || { cat "$work/load.out"; fail "something was lost, or ended twice"; }
    cat "$work/load.out"
    for name in "${hosts[@]}"; do on "$name" expect 180 "all is well, seen from $name" captchad health --api-key "$key"; done
    echo "ok  nothing was lost, and every task ended once"
}
