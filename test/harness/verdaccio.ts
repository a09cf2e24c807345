import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { buildPackage, type FixturePackage } from "./fixture-package.ts";
import { describeOutput, spawnProcess } from "./spawned.ts";
import { openTempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

const command = resolve(import.meta.dir, "../../node_modules/verdaccio/bin/verdaccio");

/** A real Verdaccio as a process of its own (on Bun, for it wants a newer Node than Larder does), without uplinks: packages of `@acme` for those who are signed in, all others for everybody. */
export interface Verdaccio extends AsyncDisposable {
  /** Ends with a slash. */
  url: string;
  pid: number;
  /** A new user's token. */
  signUp(name: string, password: string): Promise<string>;
  publish(token: string, ...packages: FixturePackage[]): Promise<void>;
}

export async function openVerdaccio({ prefix = "/" }: { prefix?: string } = {}): Promise<Verdaccio> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("verdaccio"));
  const port = await freePort();
  await writeFile(directory.join("config.yaml"), configOf(directory.path, prefix));
  const words = [command, "--config", directory.join("config.yaml"), "--listen", `127.0.0.1:${port}`];
  const child = stack.use(spawnProcess(process.execPath, words, { cwd: directory.path, env: { NODE_ENV: "test" } }));
  const url = `http://127.0.0.1:${port}${prefix}`;
  await until(
    "Verdaccio answers",
    async () => {
      const answer = await fetch(`${url}-/ping`).catch(() => undefined);
      if (answer?.ok !== true) throw new Error(describeOutput(child));
      return true;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
  const call = async (path: string, body: unknown, token?: string): Promise<Record<string, unknown>> => {
    const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${url}${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`Verdaccio: ${answer.status} ${await answer.text()}\n${describeOutput(child)}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const owned = stack.move();
  return {
    url,
    pid: child.pid,
    async signUp(name, password) {
      const { token } = await call(`-/user/org.couchdb.user:${name}`, {
        name,
        password,
        _id: `org.couchdb.user:${name}`,
        type: "user",
      });
      if (typeof token !== "string") throw new Error("Verdaccio gave no token.");
      return token;
    },
    async publish(token, ...packages) {
      for (const fixture of packages) {
        const { name, version, document, dist, tarball } = buildPackage(fixture);
        const file = `${name}-${version}.tgz`;
        await call(
          name.replace("/", "%2f"),
          {
            _id: name,
            name,
            "dist-tags": { latest: version },
            versions: {
              [version]: { ...document, _id: `${name}@${version}`, dist: { ...dist, tarball: `${url}${name}/-/${file}` } },
            },
            _attachments: {
              [file]: {
                content_type: "application/octet-stream",
                data: Buffer.from(tarball).toString("base64"),
                length: tarball.length,
              },
            },
          },
          token,
        );
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const configOf = (directory: string, prefix: string): string => `
storage: ${directory}/storage
url_prefix: ${prefix}
auth:
  htpasswd:
    file: ${directory}/htpasswd
    max_users: 100
packages:
  "@acme/*":
    access: $authenticated
    publish: $authenticated
  "**":
    access: $all
    publish: $authenticated
middlewares:
  audit:
    enabled: false
log: { type: stdout, format: json, level: warn }
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
