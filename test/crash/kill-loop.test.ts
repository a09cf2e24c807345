import { expect, test } from "bun:test";
import { mkdir, readdir, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { HostCounts } from "../../src/contract/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { leftoversIn } from "../harness/leaks.ts";
import { type LarderServer, runLarder, startAgent, startServer } from "../harness/processes.ts";
import { type Random, withRandom } from "../harness/random.ts";
import type { Spawned } from "../harness/spawned.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

const kills = Number(process.env.LARDER_KILLS ?? 50);
const names = ["app", "lib", "leaf", "tool", "@corp/kit"];
const versions = ["1.0.0", "1.1.0", "2.0.0"];

/** `app` → `lib` → `leaf`, each of several hundred files, so that there is something to be killed in. */
function fixture(): FixturePackage[] {
  const files = (name: string, version: string) =>
    Object.fromEntries([
      ["index.js", `module.exports = ${JSON.stringify(`${name}@${version}`)};\n`],
      ...Array.from({ length: 150 }, (_, i) => [
        `data/${i}.json`,
        JSON.stringify({ name, version, i, filler: "x".repeat(i * 20) }),
      ]),
    ]);
  const dependencies: Record<string, Record<string, string>> = { app: { lib: "^1.0.0" }, lib: { leaf: "^1.0.0" } };
  return names.flatMap((name) =>
    versions.map((version) => ({ name, version, files: files(name, version), dependencies: dependencies[name] ?? {} })),
  );
}

interface Desired {
  generation: number;
  packages: { name: string; version: string; enabled: boolean }[];
}

test(
  `${kills} kills of control plane, agent or both at random moments: everything converges with no hand (I1, I2, I6, I10–I13)`,
  () =>
    withRandom(async (random) => {
      await using registry = await openFixtureRegistry(fixture());
      await using directory = await openTempDir("kill");
      const [controlDir, hostDir] = [directory.join("control-plane"), directory.join("host")];
      await Promise.all([mkdir(controlDir), mkdir(hostDir)]);
      const startControlPlane = (listen?: string) =>
        startServer("serve", { dataDir: controlDir, args: ["--registry", registry.url], ...(listen && { listen }) });

      let server = await startControlPlane();
      const listen = new URL(server.url).host;
      const token = await server.adminToken();
      const api = apiOf(server.url, token);
      const enrolled = await api<{ token: string }>("POST", "/enrolments", { id: "host", environment: "default" });
      const agentOptions = { dataDir: hostDir, server: server.url, token: enrolled.token, args: ["--poll-interval", "500ms"] };
      let agent = await startAgent(agentOptions);
      const tally: Record<string, number> = {};
      try {
        let highest = 0;
        let cycleMs = 1500;
        for (let round = 0; round <= kills; round++) {
          await changeAllowlist(api, random);
          const startedAt = performance.now();
          const accepted = api("POST", "/environments/default/installs", {}).then(
            () => true,
            () => false,
          );
          if (round > 0) {
            const victim = random.pick(["control plane", "agent", "both"]);
            await Bun.sleep(random.next() * 1.1 * cycleMs);
            tally[victim] = (tally[victim] ?? 0) + 1;
            if (victim !== "agent") await server.kill9();
            if (victim !== "control plane") await agent.kill9();
            await assertHostIsWhole(hostDir);
            if (victim !== "agent") server = await startControlPlane(listen);
            if (victim !== "control plane") agent = await startAgent(agentOptions);
          }
          // An install that was never accepted was never promised.
          if (!(await accepted)) await api("POST", "/environments/default/installs", {});
          const desired = await settled(api, hostDir);
          if (round === 0) cycleMs = performance.now() - startedAt;
          expect(desired.generation).toBeGreaterThanOrEqual(highest);
          highest = desired.generation;
          await assertServes(hostDir, desired);
        }
        expect(await leftoversIn(hostDir)).toEqual([]);
        expect(await readdir(join(controlDir, "control", "scratch")).catch(() => [])).toEqual([]);
        const verified = await runLarder(["verify", "--data-dir", hostDir, "--json"]);
        expect(verified.code).toBe(0);
        console.log(
          `survived ${kills} kills: ${Object.entries(tally)
            .map(([victim, count]) => `${victim} ${count}`)
            .join(", ")}; ${highest} generations`,
        );
      } finally {
        await stopAll(server, agent);
      }
    }),
  20 * 60_000,
);

type Api = <T>(method: string, path: string, body?: unknown) => Promise<T>;

function apiOf(url: string, token: string): Api {
  return async <T>(method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
}

async function changeAllowlist(api: Api, random: Random): Promise<void> {
  const packages = random.shuffle(names).slice(0, random.integer(1, names.length));
  await api("POST", "/environments/default/packages", {
    packages: packages.map((name) => ({ name, version: random.pick(versions) })),
  });
}

/** The install that was accepted has ended, and the host serves what it made. */
async function settled(api: Api, hostDir: string): Promise<Desired> {
  return await until(
    "the host serves the allowlist",
    async () => {
      const status = await api<{
        generation: number;
        installDue: boolean;
        operation?: object;
        fleet: HostCounts;
      }>("GET", "/environments/default/status");
      const [host] = status.fleet.groups;
      const current = await readlink(join(hostDir, "current")).catch(() => "");
      const converged = !status.installDue && host?.generation === status.generation && host.phase === "ready" && current !== "";
      if (!converged) throw new Error(JSON.stringify(status));
      const { packages } = await api<Omit<Desired, "generation">>("GET", "/environments/default/packages");
      return { generation: status.generation, packages };
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
}

/** I1, I2: `current` is one complete tree, whatever was killed. */
async function assertHostIsWhole(hostDir: string): Promise<void> {
  const tree = await realpath(join(hostDir, "current")).catch(() => undefined);
  if (tree === undefined) {
    expect(await readdir(hostDir)).not.toContain("current");
    return;
  }
  for (const entry of await readdir(join(tree, "node_modules"))) {
    const members = entry.startsWith("@")
      ? (await readdir(join(tree, "node_modules", entry))).map((name) => `${entry}/${name}`)
      : [entry];
    for (const name of members) {
      const packageDir = await realpath(join(tree, "node_modules", name));
      expect((await readdir(join(packageDir, "data"))).length).toBe(150);
    }
  }
}

async function assertServes(hostDir: string, { generation, packages }: Desired): Promise<void> {
  const imports = packages.filter(({ enabled }) => enabled);
  const script = `${imports.map(({ name }, i) => `import p${i} from ${JSON.stringify(name)};`).join("\n")}\nexport default [${imports.map((_, i) => `p${i}`).join(", ")}];`;
  const run = await runLarder(["run", "-", "--data-dir", hostDir, "--json"], { input: script });
  expect(run.json<object>()).toMatchObject({ generation, result: imports.map(({ name, version }) => `${name}@${version}`) });
}

async function stopAll(server: LarderServer, agent: Spawned): Promise<void> {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
}
