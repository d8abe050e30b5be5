"""Measures whole processes side by side: the `many` example, the real Alembic, and psql or sqlite3 fed with the same SQL.

Called by scripts/bench, which provides everything that is named on the command line; needs nothing but Python. The table goes
to stdout, what is going on to stderr.

CPU seconds and peak memory are what the kernel tells about a child that ended (wait4): user and system time of the client
process, without the server. The kernel counts the memory of the moment between fork and exec too, so a small starter
stands between; less than its size, some 9 MiB, cannot be told apart.

A round trip is counted where an answer of the server follows something that the client sent. The client's connection goes
through a relay here that watches who speaks. Negotiation of encryption, start-up and password count too; the good-bye,
which nobody answers, does not.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import namedtuple
from urllib.parse import urlsplit

import schemas

Usage = namedtuple("Usage", "wall cpu peak")
Row = namedtuple("Row", "database scenario program usage reference")

FEW = 3
MANY = 1000
OURS = "seaworthy"
ALEMBIC = "Alembic"


# Runs what its arguments say and writes what that has used: status, wall and CPU seconds, peak KiB.
STARTER = """
import posix, sys, time
start = time.perf_counter()
child = posix.posix_spawnp(sys.argv[2], sys.argv[2:], posix.environ)
_, status, usage = posix.wait4(child, 0)
wall = time.perf_counter() - start
report = [posix.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
posix.write(int(sys.argv[1]), repr(report).encode())
"""


def main():
    options = read_options()
    folder = pathlib.Path(options.folder)
    databases = [Sqlite(folder)]
    if options.postgres:
        databases.append(Postgres(options.postgres))
    rows, trips = [], []
    for database in databases:
        bench = Bench(options, folder / database.name, database)
        if not options.check:
            rows += bench.measure_reads()
            rows += bench.measure_fresh()
            trips += bench.count_round_trips()
        rows += bench.measure_check()
        database.drop_all()
    print_table(rows, options.runs)
    if trips:
        print_round_trips(trips)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the `many` example, built for release")
    parser.add_argument("--alembic", required=True)
    parser.add_argument("--folder", required=True, help="an empty folder for everything that is made")
    parser.add_argument("--postgres", help="the address of a server on which databases may be created")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="only what compares schemas")
    return parser.parse_args()


class Bench:
    """The scenarios on one kind of database."""

    def __init__(self, options, folder, database):
        self.options, self.folder, self.database = options, folder, database
        folder.mkdir()
        self.projects = {count: AlembicProject(options.alembic, folder / f"alembic_{count}", count) for count in (FEW, MANY)}

    def measure_reads(self):
        for count in (FEW, MANY):
            for program in (OURS, ALEMBIC):
                self.database.create(f"{program}_{count}")
                run(self.command(program, count, "upgrade", "head"))
        rows = []
        for verb, count in ((("upgrade", "head"), FEW), (("upgrade", "head"), MANY), (("current",), MANY)):
            commands = {program: self.command(program, count, *verb) for program in (OURS, ALEMBIC)}
            nothing = "nothing to do, " if verb[0] == "upgrade" else ""
            rows += self.side_by_side(f"`{' '.join(verb)}`, {nothing}{count:,} revisions", commands)
        return rows

    def measure_fresh(self):
        client = self.database.client
        script = self.folder / "fresh.sql"
        self.database.create("script")
        with open(script, "wb") as file:
            run(Command([self.options.program, str(MANY), "upgrade", "base:head", "--sql"], self.url("script")), stdout=file)
        commands = {
            OURS: self.command(OURS, MANY, "upgrade", "head", name="fresh"),
            ALEMBIC: self.command(ALEMBIC, MANY, "upgrade", "head", name="fresh"),
            client: Command(self.database.client_arguments("fresh"), stdin=script),
        }
        return self.side_by_side(
            f"`upgrade head`, {MANY:,} fresh revisions", commands, lambda: self.database.create("fresh")
        )

    def measure_check(self):
        """Compares a database with what is declared, and finds nothing; ours alone where Alembic would take minutes."""
        rows = []
        for tables, programs in ((100, (OURS, ALEMBIC)), (500, (OURS,)), (2000, (OURS,))):
            name = f"schema_{tables}"
            made, snapshot = self.folder / f"{name}.sql", self.folder / f"{name}.json"
            made.write_text(schemas.ddl(tables))
            self.database.create(name)
            run(Command(self.database.client_arguments(name), stdin=made))
            with open(snapshot, "wb") as file:
                run(Command([self.options.program, "0", "snapshot"], self.url(name)), stdout=file)
            commands = {OURS: Command([self.options.program, "0", "diff", self.url(name), str(snapshot)], self.url(name))}
            if ALEMBIC in programs:
                project = AlembicProject(self.options.alembic, self.folder / f"alembic_{name}", 0, schemas.metadata(tables))
                url = self.database.sqlalchemy_url(name)
                commands[ALEMBIC] = Command([self.options.alembic, "-c", str(project.settings), "check"], url)
            rows += self.side_by_side(f"`check`, {tables:,} tables of 10 columns, no difference", commands)
        return rows

    def count_round_trips(self):
        """Counts on the databases that `measure_reads` has left behind."""
        if not isinstance(self.database, Postgres):
            return []
        trips = []
        for verb in (("upgrade", "head"), ("current",)):
            counts = {}
            for program in (OURS, ALEMBIC):
                with Relay(*self.database.place) as relay:
                    run(self.command(program, MANY, *verb, port=relay.port))
                counts[program] = relay.trips
            trips.append((" ".join(verb), counts))
        return trips

    def side_by_side(self, scenario, commands, prepare=lambda: None):
        """Runs the programs in turns, so that a busy moment of the machine hits them alike."""
        print(f"    {self.database.name}: {scenario}", file=sys.stderr)
        usages = {program: [] for program in commands}
        for _ in range(self.options.runs):
            for program, command in commands.items():
                prepare()
                usages[program].append(run(command))
        medians = {program: median(found) for program, found in usages.items()}
        return [
            Row(self.database.title, scenario, program, usage, medians[OURS]) for program, usage in medians.items()
        ]

    def command(self, program, count, *verb, name=None, port=None):
        name = name or f"{program}_{count}"
        if program == ALEMBIC:
            project = self.projects[count]
            url = self.database.sqlalchemy_url(name, port)
            return Command([self.options.alembic, "-c", str(project.settings), *verb], url)
        return Command([self.options.program, str(count), *verb], self.url(name, port))

    def url(self, name, port=None):
        return self.database.url(name, port)


class AlembicProject:
    """A project as `alembic init` makes it, with revisions that create the same tables as the example's."""

    def __init__(self, alembic, folder, count, metadata=None):
        folder.mkdir()
        subprocess.run([alembic, "init", "migrations"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        self.settings = folder / "alembic.ini"
        environment = folder / "migrations" / "env.py"
        text = environment.read_text()
        if metadata:
            (folder / "migrations" / "declared.py").write_text(metadata)
            text = text.replace(
                "target_metadata = None",
                f"import sys\n\nsys.path.insert(0, {str(folder / 'migrations')!r})\nfrom declared import metadata as target_metadata",
            )
        # The address comes from the environment, as in most projects.
        environment.write_text(
            text.replace(
                "config = context.config\n",
                'import os\n\nconfig = context.config\nconfig.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n',
            )
        )
        for number in range(1, count + 1):
            file = folder / "migrations" / "versions" / f"{revision_id(number)}_create_thing_{number}.py"
            file.write_text(revision_file(number))


def revision_id(number):
    return f"{number * 0x9e3779b97f4b & 0xffffffffffff:012x}"


def revision_file(number):
    parent = repr(revision_id(number - 1)) if number > 1 else None
    return f'''"""create thing {number}"""
from alembic import op
import sqlalchemy as sa

revision = {revision_id(number)!r}
down_revision = {parent}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "thing_{number}",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("thing_{number}")
'''


class Sqlite:
    name = "sqlite"
    title = "SQLite"
    client = "sqlite3"

    def __init__(self, folder):
        self.folder = folder / "files"
        self.folder.mkdir()

    def create(self, name):
        for file in self.folder.glob(f"{name}.db*"):
            file.unlink()

    def drop_all(self):
        shutil.rmtree(self.folder)

    def url(self, name, _port=None):
        return f"sqlite://{self.folder}/{name}.db"

    def sqlalchemy_url(self, name, _port=None):
        return f"sqlite:///{self.folder}/{name}.db"

    def client_arguments(self, name):
        return ["sqlite3", "-bail", f"{self.folder}/{name}.db"]


class Postgres:
    name = "postgresql"
    title = "PostgreSQL"
    client = "psql"

    def __init__(self, address):
        self.address = urlsplit(address)
        self.place = (self.address.hostname, self.address.port or 5432)
        self.made = set()

    def create(self, name):
        self.drop(name)
        self.administrate(f'CREATE DATABASE "{self.full(name)}"')
        self.made.add(name)

    def drop(self, name):
        self.administrate(f'DROP DATABASE IF EXISTS "{self.full(name)}" WITH (FORCE)')

    def drop_all(self):
        for name in self.made:
            self.drop(name)

    def administrate(self, sql):
        subprocess.run(["psql", "-X", "-q", "-c", sql, self.address.geturl()], check=True, stderr=subprocess.DEVNULL)

    def full(self, name):
        return f"seaworthy_bench_{os.getpid()}_{name}"

    def url(self, name, port=None):
        user, _, place = self.address.netloc.rpartition("@")
        if port:
            place = f"127.0.0.1:{port}"
        netloc = f"{user}@{place}" if user else place
        return self.address._replace(scheme="postgres", netloc=netloc, path=f"/{self.full(name)}").geturl()

    def sqlalchemy_url(self, name, port=None):
        return self.url(name, port).replace("postgres://", "postgresql+psycopg://", 1)

    def client_arguments(self, name):
        return ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url(name)]


class Relay:
    """Passes connections on to a server and counts how often the server answers something new."""

    def __init__(self, host, port):
        self.server = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.trips = 0
        self.threads = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=5)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            asked = threading.Event()
            server = socket.create_connection(self.server)
            for ends in ((client, server, asked.set), (server, client, lambda: self.answered(asked))):
                thread = threading.Thread(target=self.pass_on, args=ends, daemon=True)
                self.threads.append(thread)
                thread.start()

    def answered(self, asked):
        if asked.is_set():
            asked.clear()
            self.trips += 1

    @staticmethod
    def pass_on(source, target, heard):
        try:
            while data := source.recv(65536):
                heard()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Command:
    """A process to run: its arguments, the database it is told, and what it reads."""

    def __init__(self, arguments, url=None, stdin=None):
        self.arguments, self.stdin = arguments, stdin
        self.environment = dict(os.environ, **({"DATABASE_URL": url} if url else {}))


def run(command, stdout=subprocess.DEVNULL):
    """Runs a process to its end and returns what it has used; its messages are shown when it fails."""
    report, channel = os.pipe()
    with open(command.stdin or os.devnull, "rb") as stdin, open("errors.txt", "w+b") as errors, open(report) as report:
        starter = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", STARTER, str(channel), *command.arguments],
            env=command.environment,
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
            pass_fds=[channel],
        )
        os.close(channel)
        starter.wait()
        status, wall, cpu, peak = json.loads(report.read() or "[null, 0, 0, 0]")
        if status != 0:
            errors.seek(0)
            sys.exit(f"{command.arguments[:4]} failed:\n{errors.read().decode(errors='replace')}")
    return Usage(wall, cpu, peak / 1024)


def median(usages):
    return Usage(*(statistics.median(column) for column in zip(*usages)))


def print_table(rows, runs):
    print(f"Medians of {runs} runs.\n")
    print("| Database | Scenario | Program | Wall s | CPU s | Peak MiB | Wall, times ours | CPU, times ours |")
    print("|---|---|---|--:|--:|--:|--:|--:|")
    for row in rows:
        ratios = "| |"
        if row.program != OURS:
            ratios = f"{row.usage.wall / row.reference.wall:.2f} | {row.usage.cpu / row.reference.cpu:.1f} |"
        print(
            f"| {row.database} | {row.scenario} | {row.program} "
            f"| {row.usage.wall:.3f} | {row.usage.cpu:.3f} | {row.usage.peak:.0f} | {ratios}"
        )


def print_round_trips(trips):
    print(f"\n| Round trips on PostgreSQL, {MANY:,} revisions, nothing to do | {OURS} | {ALEMBIC} |")
    print("|---|--:|--:|")
    for verb, counts in trips:
        print(f"| `{verb}` | {counts[OURS]} | {counts[ALEMBIC]} |")


if __name__ == "__main__":
    main()
