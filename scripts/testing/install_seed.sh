# Sourced: puts this checkout into the root of a system that is booted next, and an environment that has captchad installed.
# SEED: an environment of the system's Python with captchad's requirements; without it, one is made in build/seed, once.
seed=/usr/local/lib/captchad-seed

copy_checkout() {
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -C "$1"
}

make_seed() {
    local wanted sources
    [ -n "${SEED:-}" ] && return
    SEED=$PWD/build/seed
    wanted=$({ cat setup.cfg setup.py; /usr/bin/python3 -V; } | sha256sum)
    [ "$(cat "$SEED/made-of" 2>/dev/null)" = "$wanted" ] && return
    echo "--- an environment of the system's Python in build/seed"
    sources=$(mktemp -d)
    copy_checkout "$sources"
    /usr/bin/python3 -m venv --clear "$SEED"
    "$SEED/bin/pip" install -q --disable-pip-version-check "$sources[demo]" 2>&1 | { grep -v WARNING || true; }
    rm -r "$sources"
    echo "$wanted" >"$SEED/made-of"
}

install_seed() {
    local root=$1
    copy_checkout "$root/srv/captchad"
    cp -a "$SEED" "$root$seed"
    find "$root$seed/bin" -type f -exec sed -i "1s#$SEED#$seed#" {} +
    # Its packages, and this checkout's captchad in them.
    rm -rf "$root$seed"/lib/python3*/site-packages/captchad
    cp -rL captchad "$root$seed"/lib/python3*/site-packages/
    systemctl -q --root="$root" disable redis-server.service || true
}

install_into() { install_seed "$1"; }
