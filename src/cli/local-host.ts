import { hasCode, LarderError } from "../contract/index.ts";
import { writeFileAtomic } from "../lib/index.ts";
import type { CommandContext } from "./command.ts";
import { connect } from "./connection.ts";
import { agentTimes } from "./host-settings.ts";
import { localHostTokenPath, lockWaitMs, readLocalHostToken } from "./local-agent.ts";
import { openScriptRunner } from "./sent-scripts.ts";
import { version } from "./version.ts";

/** The host within `up`: enrolled at the first start, with the token kept beside the admin token. */
export async function startLocalHost(
  context: CommandContext,
  { hostId, url }: { hostId: string; url: URL },
): Promise<AsyncDisposable> {
  const { settings, terminal, logger } = context;
  const [{ createControlPlaneClient, startAgent }, { openHostStore }] = await Promise.all([
    import("../agent/index.ts"),
    import("../host/index.ts"),
  ]);
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openHostStore({ directory: settings.dataDir, logger }));
  let token = (await readLocalHostToken(settings.dataDir)) ?? (await enrol(context, hostId, url));
  try {
    await createControlPlaneClient({ server: url, token }).identity(terminal.signal);
  } catch (error) {
    // Revoked, or the control plane's state was replaced: it is this process's own host, so that it may enrol again.
    if (!hasCode(error, "E_UNAUTHENTICATED")) throw error;
    token = await enrol(context, hostId, url);
  }
  const scripts = stack.use(await openScriptRunner(store, settings.allowRuns ?? true));
  stack.use(
    await startAgent({
      store,
      ...scripts.options,
      server: url,
      token,
      agentVersion: version,
      ...agentTimes(settings),
      logger: logger.child({ part: "agent" }),
      waitMs: lockWaitMs,
    }),
  );
  return stack.move();
}

async function enrol(context: CommandContext, id: string, url: URL): Promise<string> {
  const { settings } = context;
  const { client } = await connect({ ...context, settings: { ...settings, server: url, token: settings.adminToken } });
  const request = { id, environment: settings.environment };
  const { token } = await client.hosts.enrol(request).catch(async (error: unknown) => {
    // With a state of its own in the data directory, the host can only be what an `up` enrolled that was killed before it had kept the token.
    // In a shared database it may be another machine's.
    if (!hasCode(error, "E_CONFLICT")) throw error;
    if (settings.databaseUrl !== undefined) {
      throw new LarderError("E_CONFLICT", `Another machine has enrolled a host ${id} already.`, {
        hint: "Name this one's with --host-id ID.",
      });
    }
    await client.hosts.revoke({ id });
    return client.hosts.enrol(request);
  });
  await writeFileAtomic(localHostTokenPath(settings.dataDir), `${token}\n`, 0o600);
  return token;
}
