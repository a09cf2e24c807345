import { followSigningChain, keyIdOf, LarderError, parseEnrolmentToken, signJoin } from "../contract/for-hosts.ts";
import {
  ensureHostKey,
  readHostKey,
  readIdentity,
  type StoredIdentity,
  type StoreWriter,
  withKey,
  writeIdentity,
} from "../host/index.ts";
import { failpoint } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface JoinOptions {
  server: URL;
  token: string;
  name?: string | undefined;
  agentVersion?: string | undefined;
  signal: AbortSignal;
}

/**
 * Who this host is: from its store, else by joining with the token. Throws `E_SIGNATURE` for a control plane that is not the one which the token or the store
 * names, `E_TOKEN_MISTYPED`, and `E_NOT_READY` for a host that has neither joined nor a token.
 */
export async function establishIdentity(
  writer: StoreWriter,
  controlPlane: ControlPlane,
  { token, ...options }: Omit<JoinOptions, "token"> & { token?: string | undefined },
): Promise<{ identity: StoredIdentity; joined: boolean }> {
  const { store } = writer;
  const stored = (await readHostKey(store)) && (await readIdentity(store));
  if (stored) {
    const { href } = options.server;
    if (stored.server !== href) await writeIdentity(writer, { ...stored, server: href });
    return { identity: { ...stored, server: href }, joined: false };
  }
  if (token === undefined) {
    throw new LarderError("E_NOT_READY", `No host has joined with ${store.directory}.`, {
      hint: "Give its agent a token that `larder hosts enrol` printed: larder agent --server URL --token TOKEN.",
    });
  }
  return { identity: await joinControlPlane(writer, controlPlane, { ...options, token }), joined: true };
}

/**
 * The token for an identity. The host's key is on disk before it is shown to anybody, and joining again with it gives the same identity: whatever is lost in
 * between, this may be called again. A store that belongs to a control plane and an environment stays theirs.
 */
export async function joinControlPlane(
  writer: StoreWriter,
  controlPlane: ControlPlane,
  { server, token, name, agentVersion, signal }: JoinOptions,
): Promise<StoredIdentity> {
  const { keyId: pinned } = parseEnrolmentToken(token);
  const before = await readIdentity(writer.store);
  await failpoint("join:before-key");
  const key = await ensureHostKey(writer);
  await failpoint("join:before-request");
  const { hostId, environment, storeId, publicKey } = await controlPlane.join(
    token,
    {
      publicKey: key.publicKey,
      signature: await signJoin(token, key),
      platform: writer.store.platform,
      ...(name === undefined ? {} : { name }),
      ...(agentVersion === undefined ? {} : { agentVersion }),
      ...(before === undefined ? {} : { member: { storeId: before.storeId, environment: before.environment } }),
    },
    signal,
  );
  await failpoint("join:before-identity");
  const offered = await keyIdOf(publicKey);
  // The keys may have been rotated since the token was made.
  if (offered !== pinned) {
    await followSigningChain(await controlPlane.signingChain(signal), { storeId, from: pinned, to: offered });
  }
  if (before && (before.storeId !== storeId || before.environment !== environment)) {
    throw new LarderError("E_WRONG_STORE", `${writer.store.directory} belongs to another control plane or environment.`, {
      hint: "Use a token of its own control plane and environment, or an empty data directory.",
      details: { path: writer.store.directory },
    });
  }
  const member = { hostId, environment, storeId, server: server.href };
  const identity = before ? { ...withKey(before, publicKey), ...member } : { ...member, publicKey };
  await writeIdentity(writer, identity);
  await failpoint("join:after-identity");
  return identity;
}
