import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ExactVersion, LarderError, type PackageName } from "../../contract/index.ts";
import type { RunResult } from "../../runner/index.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { everyPage } from "../every-page.ts";
import { hostSettings } from "../host-settings.ts";
import { installAndFollow } from "../install-run.ts";
import type { LarderClient } from "../larder-client.ts";
import { startLocalHost } from "../local-host.ts";
import { openExistingStore } from "../local-store.ts";
import { count, formatBytes, formatDuration, shortHash } from "../render/quantity.ts";
import { styleFor } from "../render/style.ts";
import { serverConfigFrom, serverSettings } from "../server-config.ts";
import { settingDescriptions } from "../settings.ts";
import { untilStopped } from "../until-stopped.ts";
import { waitForHosts } from "../wait-hosts.ts";

const packages = [
  ["dayjs", "1.11.13"],
  ["esbuild", "0.25.0"],
  ["nanoid", "5.1.5"],
  ["zod", "4.1.12"],
].map(([name, version]) => ({ name: name as PackageName, version: version as ExactVersion }));

const script = resolve(import.meta.dirname, "../../../examples/health-check.ts");
const convergeMs = 60_000;
/** Left to whatever else runs here. */
const defaultPort = 7420;

/** The main job on real packages, from nothing, with the time that each step took. */
export const demo = defineCommand<[], { exit?: boolean }>({
  description:
    "Works in a temporary directory, which is removed at the end, and on a free port, so it can run beside anything; with --data-dir it keeps what it makes.",
  examples: ["demo", "demo --exit --json | jq .timingsMs", "demo --data-dir ./demo-data"],
  settings: [...serverSettings, ...hostSettings],
  configure: (command) => void command.option("--exit", "stop when it is done instead of staying up"),
  async run(given, _args, { exit }) {
    await using workplace = await openWorkplace(given);
    const { context } = workplace;
    const steps = createSteps(context);

    const { startServer } = await import("../../server/index.ts");
    await using stack = new AsyncDisposableStack();
    const server = await steps.take("start", "Started a control plane and a host", async () => {
      const started = stack.use(await startServer(serverConfigFrom(context)));
      stack.use(await startLocalHost(context, { hostId: "local", url: new URL(started.url) }));
      return started;
    });
    const { client } = await connect(context);
    const { environment } = context.settings;

    await steps.take("allowlist", `Allowlisted ${packages.map(({ name, version }) => `${name}@${version}`).join(", ")}`, () =>
      client.packages.add({ environment, packages }),
    );
    const installed = await steps.take(
      "install",
      ({ generation, nodes, bytes }) =>
        `Installed generation ${generation}: ${count(nodes, "package")} for all platforms, ${formatBytes(bytes)} fetched for this one`,
      () => installAndFollow(context, client),
    );
    await steps.take(
      "reconcile",
      ({ hosts }) => `Reconciled ${count(hosts, "host")}`,
      () =>
        waitForHosts(
          client,
          { environment, generation: installed.generation, timeoutMs: convergeMs },
          { signal: context.terminal.signal, onProgress() {}, note() {} },
        ),
    );
    const run = await steps.take("run", `Ran examples/health-check.ts`, () => runExample(context));
    if (run.error) throw LarderError.fromBody(run.error);
    steps.output(run);

    const summary = await describe(client, context, { installed, steps: steps.timingsMs, run });
    if (exit) return { json: summary };
    steps.say(`
Larder stays up at ${server.url}. In another terminal:
  bin/larder status --data-dir ${context.settings.dataDir}
  bin/larder run examples/health-check.ts --data-dir ${context.settings.dataDir}
Ctrl-C stops it${workplace.temporary ? " and removes what it made" : ""}.`);
    if (context.settings.json) context.terminal.out(`${JSON.stringify({ ...summary, address: server.url })}\n`);
    await untilStopped(context.terminal.signal);
    return { json: undefined };
  },
});

/** A directory of the demo's own, and settings that point at it, unless the user named a directory. */
async function openWorkplace(given: CommandContext): Promise<{ context: CommandContext; temporary: boolean } & AsyncDisposable> {
  const { settings } = given;
  const isDefault = (path: string) => path === resolve(given.terminal.cwd, settingDescriptions.dataDir.fallback ?? "");
  const listen = settings.listen.port === defaultPort ? { ...settings.listen, port: 0 } : settings.listen;
  if (!isDefault(settings.dataDir)) {
    return {
      context: { ...given, settings: { ...settings, listen } },
      temporary: false,
      async [Symbol.asyncDispose]() {},
    };
  }
  const dataDir = await mkdtemp(join(tmpdir(), "larder-demo-"));
  return {
    context: { ...given, settings: { ...settings, dataDir, listen } },
    temporary: true,
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }),
  };
}

async function runExample(context: CommandContext): Promise<RunResult> {
  const { createRunner } = await import("../../runner/index.ts");
  await using store = await openExistingStore(context);
  return await createRunner(store).run({ file: script, signal: context.terminal.signal });
}

interface Facts {
  installed: Awaited<ReturnType<typeof installAndFollow>>;
  steps: Record<string, number>;
  run: RunResult;
}

async function describe(client: LarderClient, { settings }: CommandContext, { installed, steps, run }: Facts) {
  const { environment } = settings;
  const hosts = await everyPage((page) => client.hosts.list({ environment, ...page }));
  return {
    generation: installed.generation,
    lockfileHash: installed.lockfileHash,
    nodes: installed.nodes,
    blobs: installed.blobs,
    bytes: installed.bytes,
    timingsMs: steps,
    runs: [{ file: "examples/health-check.ts", ...run }],
    hosts: hosts.map(({ id, generation, phase }) => ({ id, generation, phase })),
  };
}

/** Says each step as it ends, with its time; on standard error when `--json` keeps standard output for one value. */
function createSteps({ settings, terminal }: CommandContext) {
  const say = (text: string) => (settings.json ? terminal.err : terminal.out)(`${text}\n`);
  const { green, dim, bold } = styleFor(settings.json ? terminal.errIsTTY : terminal.outIsTTY, terminal.environment);
  const timingsMs: Record<string, number> = {};
  return {
    timingsMs,
    say,
    async take<T>(name: string, done: string | ((value: T) => string), step: () => Promise<T>): Promise<T> {
      const startedAt = performance.now();
      const value = await step();
      timingsMs[name] = Math.round((performance.now() - startedAt) * 10) / 10;
      say(`${green("✔")} ${typeof done === "string" ? done : done(value)} ${dim(formatDuration(timingsMs[name]))}`);
      return value;
    },
    output({ stdout, result, generation, lockfileHash }: RunResult) {
      for (const line of stdout.trimEnd().split("\n")) say(dim(`    ${line}`));
      say(
        `    ${bold("result")} ${JSON.stringify(result)} ${dim(`on generation ${generation}, ${shortHash(lockfileHash ?? "")}`)}`,
      );
    },
  };
}
