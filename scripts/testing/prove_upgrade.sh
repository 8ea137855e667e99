# Sourced by prove_operations.sh: upgrades of a deployed host under load, one that does not come up, and the way back.

release_of_all_units() { inside "$seed/bin/python" -c 'import sys; sys.path.insert(0, "/srv/captchad/scripts/testing"); import kill_upgrades; print(*kill_upgrades.find_running())'; }
make_wheel() { inside "$seed/bin/python" /srv/captchad/scripts/testing/make_wheel.py "$@"; }
upgrade() { inside env "${pip_from[@]}" /usr/local/bin/captchad upgrade "$@"; }

prove_upgrade() {
    local wheels=/srv/wheels first begun pip_from=(PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels)
    first=$(basename "$(inside readlink /opt/captchad/current)")
    make_wheel 9.0.0 "$wheels" >/dev/null
    make_wheel 9.1.0 "$wheels/broken" --fault worker >/dev/null
    make_wheel 9.2.0 "$wheels" >/dev/null
    make_wheel 9.3.0 "$wheels/broken" --fault doctor >/dev/null

    echo "--- an upgrade under load, with the workers' browsers in browser nodes"
    guide scale chrome-node 2 >/dev/null || fail "scale chrome-node 2"
    load --tasks "${UPGRADE_TASKS:-120}" --seconds "${UPGRADE_SECONDS:-90}" >"$work/load.out" 2>&1 &
    load_pid=$!
    begun=$(date +%s%N)
    upgrade --to 9.0.0 >"$work/upgrade.out" 2>&1 || { cat "$work/upgrade.out"; fail "an upgrade"; }
    say_time "upgrade --to 9.0.0" "$begun"
    [ "$(release_of_all_units)" = 9.0.0 ] || fail "not all units run the new release: $(release_of_all_units)"
    wait "$load_pid" || { cat "$work/load.out"; fail "something was lost or refused in the upgrade"; }
    cat "$work/load.out"
    inside sh -c 'ls /var/lib/captchad/backups/*.backup' >/dev/null || fail "the upgrade made no backup"
    expect 20 "all is well with the new release" guide health
    upgrade --to 9.0.0 | grep -q "nothing was changed" || fail "an upgrade to what runs"
    inside sh -c 'tr "\0" " " </proc/$(systemctl show -P MainPID captchad-browser@3000)/cmdline | grep -q /opt/captchad/9.0.0/' ||
        fail "the browser nodes run the old release"
    guide scale chrome-node 0 >/dev/null || fail "scale chrome-node 0"
    echo "ok  an upgrade, by version, without a lost task or a refused request"

    echo "--- a release whose worker ends at once, under load"
    load --tasks "${UPGRADE_TASKS:-120}" --seconds "${UPGRADE_SECONDS:-90}" >"$work/load.out" 2>&1 &
    load_pid=$!
    begun=$(date +%s%N)
    if upgrade --to "$wheels/broken/captchad-9.1.0-py3-none-any.whl" >"$work/upgrade.out" 2>&1; then fail "a broken release is kept"; fi
    say_time "upgrade to a broken release, and back" "$begun"
    tail -n 1 "$work/upgrade.out"
    tail -n 1 "$work/upgrade.out" | grep -q "9.0.0 runs again.*captchad-worker@1.service does not start.*this worker ends at once" || { cat "$work/upgrade.out"; fail "the reason is not said"; }
    [ "$(release_of_all_units)" = 9.0.0 ] || fail "not all units are back: $(release_of_all_units)"
    wait "$load_pid" || { cat "$work/load.out"; fail "something was lost or refused in a broken upgrade"; }
    cat "$work/load.out"
    [ ! -e "$root/opt/captchad/9.1.0" ] || fail "the broken release is kept"
    echo "ok  a broken release is undone alone, without a lost task or a refused request"

    echo "--- what is refused changes nothing"
    if upgrade --to "$wheels/broken/captchad-9.3.0-py3-none-any.whl" >"$work/upgrade.out" 2>&1; then fail "doctor is not heard"; fi
    tail -n 1 "$work/upgrade.out"
    tail -n 1 "$work/upgrade.out" | grep -q "nothing was changed: doctor: python: " || { cat "$work/upgrade.out"; fail "what doctor says is not said"; }
    cp "$root/etc/captchad/distributed.json" "$work/good.json"
    sed 's/"environment"/"enviroment"/' "$work/good.json" >"$root/etc/captchad/distributed.json"
    if upgrade --to 9.2.0 >"$work/upgrade.out" 2>&1; then fail "a wrong configuration is upgraded"; fi
    tail -n 1 "$work/upgrade.out"
    cp "$work/good.json" "$root/etc/captchad/distributed.json"
    [ "$(release_of_all_units)" = 9.0.0 ] || fail "a refused upgrade has changed something"
    if upgrade --to 9.7.0 >"$work/upgrade.out" 2>&1; then fail "a version that is not there"; fi
    tail -n 1 "$work/upgrade.out"

    echo "--- the way back"
    begun=$(date +%s%N)
    upgrade --rollback >"$work/upgrade.out" 2>&1 || { cat "$work/upgrade.out"; fail "upgrade --rollback"; }
    say_time "upgrade --rollback" "$begun"
    [ "$(release_of_all_units)" = "$first" ] || fail "not all units run the release before: $(release_of_all_units)"
    expect 20 "all is well with the release before" guide health

    echo "--- kill -9 in the middle of an upgrade, of its undoing and of a way back"
    inside "$seed/bin/python" /srv/captchad/scripts/testing/kill_upgrades.py "$wheels/captchad-9.2.0-py3-none-any.whl" \
        "$wheels/broken/captchad-9.1.0-py3-none-any.whl" || fail "a killed upgrade"
}
