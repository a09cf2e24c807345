import type { ControlPlane } from "../agent/index.ts";
import { LarderError } from "../contract/bare.ts";
import { isLikeEnrolmentToken } from "../contract/for-hosts.ts";
import type { HostStore } from "../host/index.ts";
import type { CommandContext, Outcome } from "./command.ts";
import { findServer } from "./connection.ts";
import { openExistingStore } from "./local-store.ts";
import { openProgressLine } from "./render/progress.ts";
import { formatBytes, shortHash } from "./render/quantity.ts";

/** A restart overlaps a little with what it replaces, or with a `reconcile` that is about to end. */
export const lockWaitMs = 5000;

/** The control plane of the host whose store this is. */
export async function connectAsHost(
  { settings }: CommandContext,
  store: HostStore,
): Promise<{ controlPlane: ControlPlane; server: URL; token: string | undefined }> {
  const [{ createControlPlaneClient }, { readHostSelf, readIdentity }] = await Promise.all([
    import("../agent/index.ts"),
    import("../host/index.ts"),
  ]);
  const identity = await readIdentity(store);
  const server = (await findServer(settings))?.url ?? (identity && new URL(identity.server));
  if (!server) {
    throw new LarderError(
      "E_SERVER_UNREACHABLE",
      `No server runs on ${settings.dataDir}, none was named, and no host was enrolled there.`,
      {
        hint: "Start everything with `larder up`, or a host with `larder agent --server URL --token TOKEN`.",
      },
    );
  }
  const token = settings.token !== undefined && isLikeEnrolmentToken(settings.token) ? settings.token : undefined;
  if (token === undefined && !(await readHostSelf(store))) {
    throw new LarderError("E_UNAUTHENTICATED", `No host has joined with ${settings.dataDir}.`, {
      hint: "Join with a token that `larder hosts enrol` shows: larder agent --server URL --token TOKEN.",
    });
  }
  return { controlPlane: createControlPlaneClient({ server, store }), server, token };
}

/** One reconcile pass by this process, as the host whose store the data directory is. `E_LOCKED` while its agent runs. */
export async function reconcileHere(context: CommandContext): Promise<Outcome> {
  const { terminal, logger } = context;
  const [{ reconcileOnce }, { openStoreWriter }] = await Promise.all([import("../agent/index.ts"), import("../host/index.ts")]);
  await using store = await openExistingStore(context);
  const { controlPlane, server, token } = await connectAsHost(context, store);
  using line = openProgressLine(terminal);
  await using writer = await openStoreWriter(store, { purpose: "larder reconcile", waitMs: lockWaitMs, signal: terminal.signal });
  const result = await reconcileOnce({
    writer,
    controlPlane,
    token,
    server,
    logger,
    signal: terminal.signal,
    onProgress: line.update,
  });
  return {
    json: result,
    text({ style }) {
      if (!result.tree) return "There is nothing to serve yet: nothing was installed in this host's environment.";
      const tree = `${style.bold(`generation ${result.tree.generation}`)} (${shortHash(result.tree.lockfileHash)})`;
      if (result.kind !== "flipped") return `${style.green("✔")} Up to date with ${tree}.`;
      return `${style.green("✔")} Serves ${tree}, ${formatBytes(result.pulledBytes)} pulled.`;
    },
  };
}
