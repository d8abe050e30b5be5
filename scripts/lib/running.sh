# Running things, and leaving nothing behind. Sourced by the scripts beside this folder.

readonly PROGRAM="${0##*/}"

job=

# Makes the folder of this run, which goes again at the end together with everything that was started.
begin() {
    work_folder=$(mktemp -d "${TMPDIR:-/tmp}/scripts-$PROGRAM.XXXXXX")
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # The server's user has to pass through to its own folder.
    chmod 711 "$work_folder"
}

fail() {
    printf 'scripts/%s: %s\n' "$PROGRAM" "$1" >&2
    exit 1
}

# Runs a command in a process group of its own and waits for it. A signal to this script is then handled at once
# and can be passed on to everything the command started.
run() {
    local status=0
    set -m
    "$@" </dev/null &
    job=$!
    set +m
    wait "$job" || status=$?
    job=
    return "$status"
}

# Runs a step whose output matters only when it fails.
quietly() {
    local name=$1 started=$SECONDS
    shift
    printf '==> %s ... ' "$name"
    if ! run "$@" >"$work_folder/output" 2>&1; then
        printf 'FAILED after %d s\n' "$((SECONDS - started))"
        cat "$work_folder/output" >&2
        fail "$name failed"
    fi
    printf '%d s\n' "$((SECONDS - started))"
}

clean_up() {
    trap '' HUP INT TERM
    if [[ -n $job ]]; then
        kill -TERM -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    stop_server
    rm -rf -- "$work_folder"
}
