import { rm } from "node:fs/promises";
import { join as joinPath } from "node:path";
import { hasCode, LarderError } from "../contract/bare.ts";
import { keyIdOf } from "../contract/for-hosts.ts";
import type { HostStore } from "../host/index.ts";
import type { CommandContext } from "./command.ts";
import { connect } from "./connection.ts";
import { agentTimes } from "./host-settings.ts";
import { lockWaitMs } from "./local-agent.ts";
import { openScriptRunner } from "./sent-scripts.ts";
import { version } from "./version.ts";

const minute = 60_000;

/** The host within `up`: it enrols itself, at the first start and whenever the control plane does not know it. */
export async function startLocalHost(
  context: CommandContext,
  { hostId, url }: { hostId: string; url: URL },
): Promise<AsyncDisposable> {
  const { settings, logger } = context;
  const [{ startAgent }, { openHostStore }] = await Promise.all([import("../agent/index.ts"), import("../host/index.ts")]);
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openHostStore({ directory: settings.dataDir, logger }));
  if (!(await isKnown(store, context, url))) await join(store, context, { id: hostId, url });
  const scripts = stack.use(await openScriptRunner(store, { allowed: settings.allowRuns ?? true, logger }));
  stack.use(
    await startAgent({
      store,
      ...scripts.options,
      server: url,
      agentVersion: version,
      ...agentTimes(settings),
      logger: logger.child({ part: "agent" }),
      waitMs: lockWaitMs,
    }),
  );
  return stack.move();
}

/** False also when it was revoked, or the control plane's state was replaced: it is this process's own host, so that it may enrol again. */
async function isKnown(store: HostStore, { terminal }: CommandContext, url: URL): Promise<boolean> {
  const [{ createControlPlaneClient }, { readHostSelf }] = await Promise.all([
    import("../agent/index.ts"),
    import("../host/index.ts"),
  ]);
  if (!(await readHostSelf(store))) return false;
  try {
    await createControlPlaneClient({ server: url, store }).identity(terminal.signal);
    return true;
  } catch (error) {
    if (!hasCode(error, "E_UNAUTHENTICATED")) throw error;
    return false;
  }
}

async function join(store: HostStore, context: CommandContext, { id, url }: { id: string; url: URL }): Promise<void> {
  const [{ createControlPlaneClient, joinControlPlane }, { openStoreWriter }] = await Promise.all([
    import("../agent/index.ts"),
    import("../host/index.ts"),
  ]);
  const { signal } = context.terminal;
  await using writer = await openStoreWriter(store, { purpose: "larder up", waitMs: lockWaitMs, signal });
  const token = await createToken(store, context, { id, url });
  const controlPlane = createControlPlaneClient({ server: url, store });
  await joinControlPlane(writer, controlPlane, { server: url, token, agentVersion: version, signal });
}

async function createToken(store: HostStore, context: CommandContext, { id, url }: { id: string; url: URL }): Promise<string> {
  const { settings } = context;
  const { client } = await connect({ ...context, settings: { ...settings, server: url, token: settings.adminToken } });
  const request = { environment: settings.environment, expiresInMs: 10 * minute };
  // Where its secret was kept before hosts had keys.
  await rm(joinPath(settings.dataDir, "control", "local-host-token"), { force: true });
  const taken = await client.hosts.get({ id }).catch((error: unknown) => {
    if (hasCode(error, "E_NOT_FOUND")) return undefined;
    throw error;
  });
  if (taken === undefined) return (await client.hosts.enrol({ ...request, id })).token;
  // It has joined, and was killed before it knew: the control plane will know its key, whatever the token is for.
  if (taken.keyId !== undefined && taken.keyId === (await ownKeyId(store))) return (await client.hosts.enrol(request)).token;
  // With a state of its own in the data directory, the host can only be what an earlier `up` enrolled. In a shared database it may be another machine's.
  if (settings.databaseUrl !== undefined) {
    throw new LarderError("E_CONFLICT", `Another machine has enrolled a host ${id} already.`, {
      hint: "Name this one's with --host-id ID.",
    });
  }
  await client.hosts.revoke({ id });
  return (await client.hosts.enrol({ ...request, id })).token;
}

async function ownKeyId(store: HostStore): Promise<string | undefined> {
  const { readHostKey } = await import("../host/index.ts");
  const key = await readHostKey(store);
  return key && (await keyIdOf(key.publicKey));
}
