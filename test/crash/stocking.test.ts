import { expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { Host, Operation } from "../../src/contract/index.ts";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { startAgent, startServer } from "../harness/processes.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

setDefaultTimeout(300_000);

const startMs = 90_000;

const builds = ["one", "two", "three"];

test.each(["stock:planned", "install:before-put", "install:after-put", "stock:fetched"])(
  "a control plane that is killed at %s of a stocking goes on with it when it is back, and the host gets what it lacked (I11, I12)",
  async (step) => {
    await using registry = await openFixtureRegistry([
      { name: "native", version: "1.0.0", optionalDependencies: Object.fromEntries(builds.map((name) => [name, "1.0.0"])) },
      ...builds.map((name) => ({ name, version: "1.0.0", os: ["darwin"], cpu: ["arm64"] })),
    ]);
    await using directory = await openTempDir("stocking");
    const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
    const start = (listen?: string, failpoint?: string) =>
      startServer("serve", {
        dataDir: directory.join("control-plane"),
        timeoutMs: startMs,
        args: ["--registry", registry.url, "--collect-every", "off"],
        env: { LARDER_ADMIN_TOKEN: adminToken, ...(failpoint && { LARDER_FAILPOINT: `${failpoint}:kill` }) },
        ...(listen && { listen }),
      });
    let server = await start();
    const listen = new URL(server.url).host;
    const api = async <T>(method: string, path: string, body?: unknown) => {
      const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
      const answer = await fetch(`http://${listen}/api${path}`, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    };
    await api("POST", "/environments/default/packages", { packages: [{ name: "native", version: "1.0.0" }] });
    await api("POST", "/environments/default/installs", {});
    await until(
      "it is installed",
      async () => (await api<{ items: Operation[] }>("GET", "/operations")).items[0]?.state === "succeeded",
      {
        timeoutMs: 60_000,
      },
    );
    const { token } = await api<{ token: string }>("POST", "/enrolments", { id: "mac", environment: "default" });
    await server.stop();

    await using killed = await start(listen, step);
    await using _agent = await startAgent({
      dataDir: directory.join("host"),
      timeoutMs: startMs,
      server: `http://${listen}`,
      token,
      args: ["--poll-interval", "300ms", "--platform", "darwin-arm64"],
    });
    expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
    server = await start(listen);
    const host = await until(
      "the host serves it",
      async () => {
        const mac = await api<Host>("GET", "/hosts/mac");
        return mac.phase === "ready" && mac.generation === 1 && mac;
      },
      { timeoutMs: 60_000 },
    );
    expect(host).toMatchObject({ state: "current" });
    const stocks = (await api<{ items: Operation[] }>("GET", "/operations")).items.filter(({ kind }) => kind === "stock");
    expect(stocks.map(({ state, attempt }) => [state, attempt])).toEqual([
      ["succeeded", 2],
      ["interrupted", 1],
    ]);
    await server.stop();
  },
);
