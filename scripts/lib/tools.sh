# Programs that the scripts need: those of the system, a browser, and the real Alembic. Sourced by the scripts beside
# this folder.

readonly ALEMBIC_VERSION=1.20.1
readonly TOOLS="$PWD/target/tools"

require_programs() {
    local packages=()
    find_postgres
    if [[ $sqlite_only == no ]]; then
        if [[ -z ${TEST_POSTGRES_URL:-} && -z $postgres_programs ]]; then
            packages+=(postgresql)
        elif ! command -v psql >/dev/null; then
            packages+=(postgresql-client)
        fi
        # Debian keeps it where only root looks; the tests look there, too.
        [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || packages+=(pgbouncer)
    fi
    # Debian splits venv off; without it `import ensurepip` fails.
    python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
    command -v sqlite3 >/dev/null || packages+=(sqlite3)
    # The requests on the page about the API are sent with curl.
    command -v curl >/dev/null || packages+=(curl)
    # `script` gives the tests a terminal to answer questions on.
    command -v script >/dev/null || packages+=(bsdutils)
    ((${#packages[@]} > 0)) || return 0

    install_packages "${packages[@]}"
    # The shell remembers where it found programs, a python3 without venv for instance.
    hash -r
    find_postgres
    if [[ $sqlite_only == no && -z ${TEST_POSTGRES_URL:-} && -z $postgres_programs ]]; then
        fail 'the package postgresql is installed, but no folder with initdb and postgres was found'
    fi
}

# Installs packages of the system, or says how to.
install_packages() {
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
        fail "programs are missing, install them with: sudo apt-get install --no-install-recommends $*"
    fi
    export DEBIAN_FRONTEND=noninteractive
    quietly 'reading the list of packages' apt-get update
    quietly "installing $*" apt-get install -y --no-install-recommends "$@"
}

# Debian keeps the server's programs out of PATH, one folder per version; the newest one wins.
find_postgres() {
    local folder
    postgres_programs=
    while IFS= read -r folder; do
        if [[ -x $folder/initdb && -x $folder/postgres && -x $folder/pg_ctl ]]; then
            postgres_programs=$folder
            PATH="$folder:$PATH"
            return
        fi
    done < <(
        pg_config --bindir 2>/dev/null || true
        printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
    )
}

# The pages are looked at in a real browser. A driver belongs to the browser of its own version: hosted runners name a
# matching pair, Debian installs one.
provide_browser() {
    local folder=${CHROMEWEBDRIVER:-}
    if [[ -n ${TEST_CHROMEDRIVER:-} ]]; then
        return
    elif [[ -x $folder/chromedriver ]]; then
        export TEST_CHROMEDRIVER="$folder/chromedriver"
        return
    elif ! command -v chromedriver >/dev/null; then
        install_packages chromium chromium-driver
        hash -r
    fi
    export TEST_CHROMEDRIVER=chromedriver
}

# Databases to take over are made by Alembic itself, not imitated.
provide_alembic() {
    local folder="$TOOLS/alembic"
    if ! "$folder/bin/python" -c '
import sys, alembic, psycopg
sys.exit(alembic.__version__ != sys.argv[1])
' "$ALEMBIC_VERSION" 2>/dev/null; then
        rm -rf -- "$folder"
        quietly 'creating the folder for Alembic' python3 -m venv "$folder"
        quietly "installing Alembic $ALEMBIC_VERSION" \
            "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
            "alembic==$ALEMBIC_VERSION" 'psycopg[binary]'
    fi
    export TEST_ALEMBIC="$folder/bin/alembic"
}
