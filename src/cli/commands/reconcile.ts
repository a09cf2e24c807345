import { LarderError } from "../../contract/bare.ts";
import { isLikeEnrolmentToken } from "../../contract/for-hosts.ts";
import type { Host } from "../../contract/index.ts";
import { sleep } from "../../lib/bare.ts";
import { type CommandContext, defineCommand, type Outcome } from "../command.ts";
import { connect, findServer } from "../connection.ts";
import type { LarderClient } from "../larder-client.ts";
import { reconcileHere } from "../local-agent.ts";
import { openExistingStore } from "../local-store.ts";
import { timeoutOption } from "../option-values.ts";
import { patiently } from "../patiently.ts";
import { openProgressLine } from "../render/progress.ts";
import { formatBytes, formatDuration, shortHash } from "../render/quantity.ts";

export const reconcile = defineCommand<[], { host?: string; timeout: number }>({
  description:
    "Wakes the agent of the host whose store is the data directory (or --host) and waits until it serves the desired generation. " +
    "Without a token of the server's the store is reconciled by this command itself, as the host that it belongs to.",
  examples: ["reconcile", "reconcile --host worker-1 --timeout 30s", "reconcile --data-dir /var/lib/larder --json"],
  settings: ["platform"],
  configure: (command) =>
    void command
      .option("--host <id>", "the host to wake, instead of this data directory's")
      .addOption(timeoutOption("how long to wait")),
  async run(context, _args, options) {
    const server = await findServer(context.settings);
    const asHost = server?.token === undefined || isLikeEnrolmentToken(server.token);
    if (options.host === undefined && asHost) return reconcileHere(context);
    const { client } = await connect(context);
    const id = options.host ?? (await hostOfStore(context));
    return wake(context, client, id, options.timeout);
  },
});

async function hostOfStore(context: CommandContext): Promise<string> {
  const { readIdentity } = await import("../../host/index.ts");
  await using store = await openExistingStore(context);
  const identity = await readIdentity(store);
  if (identity) return identity.hostId;
  throw new LarderError("E_NOT_FOUND", `No host was enrolled in ${store.directory}.`, {
    hint: "Name one with --host ID (see `larder hosts list`), or start one with `larder agent`.",
  });
}

/** An agent that was woken has met the same trouble again after this long. */
const sameErrorMs = 4000;

async function wake({ terminal }: CommandContext, client: LarderClient, id: string, timeoutMs: number): Promise<Outcome> {
  using line = openProgressLine(terminal);
  const watcher = { signal: terminal.signal, note: line.note };
  const startedAt = Date.now();
  const before = await client.hosts.reconcile({ id });
  for (;;) {
    const host = await patiently(() => client.hosts.get({ id }), watcher);
    const { generation } = await patiently(() => client.status.get({ environment: host.environment }), watcher);
    if (host.generation >= generation && host.phase === "ready") return converged(host, Date.now() - startedAt);
    if (generation === 0 && host.phase === "pending") return converged(host, Date.now() - startedAt);
    // An error from before the call says nothing of what the call brought about; the same error again may not be reported again.
    const isNews = host.lastSeenAt !== before.lastSeenAt || Date.now() - startedAt > sameErrorMs;
    if (isNews && host.phase === "error" && host.error) throw LarderError.fromBody(host.error);
    if (Date.now() - startedAt > timeoutMs) throw tooSlow(host, generation, timeoutMs);
    line.update(
      host.progress ?? { phase: host.phase, done: 0, subject: `${id}: generation ${host.generation}, wanted ${generation}` },
    );
    await sleep(150, terminal.signal);
  }
}

const converged = (host: Host, waitedMs: number): Outcome => ({
  json: host,
  text: ({ style }) =>
    host.generation === 0
      ? `${host.id} has nothing to serve yet: nothing was installed in ${host.environment}.`
      : `${style.green("✔")} ${host.id} serves ${style.bold(`generation ${host.generation}`)}${host.lockfileHash ? ` (${shortHash(host.lockfileHash)})` : ""} ${style.dim(`after ${formatDuration(waitedMs)}${host.freeBytes === undefined ? "" : ` · ${formatBytes(host.freeBytes)} free`}`)}`,
});

function tooSlow(host: Host, generation: number, timeoutMs: number): LarderError {
  return new LarderError(
    "E_TIMEOUT",
    `After ${timeoutMs / 1000} s host ${host.id} serves generation ${host.generation}, not ${generation}; it was last heard of ${host.lastSeenAt ?? "never"}.`,
    { hint: "Check that its agent runs, and what it logs." },
  );
}
