# A throw-away PostgreSQL server. Sourced by the scripts beside this folder.

server_folder=
server_user=

start_server() {
    local password attempt
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    server_folder="$work_folder/server"
    mkdir -m 700 "$server_folder"
    (umask 077 && printf '%s\n' "$password" >"$server_folder/password")
    if ((EUID == 0)); then
        # PostgreSQL refuses to run as root.
        server_user=$(id -un postgres 2>/dev/null || id -un nobody)
        chown -R "$server_user" "$server_folder"
        as_server_user test -w "$server_folder" ||
            fail "the user $server_user cannot reach $server_folder: set TMPDIR to a folder that everybody may enter"
    fi

    quietly 'creating a PostgreSQL cluster' as_server_user "$postgres_programs/initdb" \
        --pgdata="$server_folder/data" --username=postgres --pwfile="$server_folder/password" \
        --auth=scram-sha-256 --encoding=UTF8 --no-locale

    # Between choosing a free port and taking it somebody else may come first.
    for attempt in 1 2 3 4 5; do
        if start_on_port "$(free_port)"; then
            export TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$server_port/postgres"
            return
        fi
        printf '==> the server did not start, attempt %d of 5\n' "$attempt"
    done
    cat "$server_folder/log" >&2
    fail 'the PostgreSQL server did not start'
}

# Everything but the number of connections is PostgreSQL's default: crash tests need its real durability.
start_on_port() {
    server_port=$1
    cat >>"$server_folder/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
port = $server_port
unix_socket_directories = ''
max_connections = 200
SETTINGS
    as_server_user "$postgres_programs/pg_ctl" start --silent --wait \
        --pgdata="$server_folder/data" --log="$server_folder/log" >"$work_folder/output" 2>&1 </dev/null
}

free_port() {
    python3 -c '
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1])
'
}

# pg_ctl sends its signals to the process id that the server wrote into its data folder.
stop_server() {
    [[ -n $server_folder && -f $server_folder/data/postmaster.pid ]] || return 0
    local mode
    for mode in fast immediate; do
        if as_server_user "$postgres_programs/pg_ctl" stop --silent --mode="$mode" --timeout=20 \
            --pgdata="$server_folder/data" >/dev/null 2>&1; then
            return 0
        fi
    done
    printf 'scripts/%s: the PostgreSQL server in %s did not stop\n' "$PROGRAM" "$server_folder" >&2
}

# Runs a command as the unprivileged user, from a folder that this user can enter.
as_server_user() (
    cd /
    if [[ -z $server_user ]]; then
        exec "$@"
    elif command -v setpriv >/dev/null; then
        exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups -- "$@"
    elif command -v runuser >/dev/null; then
        exec runuser -u "$server_user" -- "$@"
    else
        exec su -s /bin/bash "$server_user" -c "$(printf '%q ' "$@")"
    fi
)
