import { keyIdOf, LarderError, pinnedKeyIdOf } from "../contract/index.ts";
import { readIdentity, type StoredIdentity, type StoreWriter, writeIdentity } from "../host/index.ts";
import type { ControlPlane } from "./control-plane.ts";

/**
 * Who this host is: from its store, else from the control plane, then pinned for good. Its public key must be the one that the token names. Throws
 * `E_SIGNATURE` when it is not, `E_CONFIG` for a token that is no host's.
 */
export async function establishIdentity(
  writer: StoreWriter,
  controlPlane: ControlPlane,
  { token, server, signal }: { token: string; server: URL; signal: AbortSignal },
): Promise<StoredIdentity> {
  const pinned = pinnedKeyIdOf(token);
  if (pinned === undefined) {
    throw new LarderError("E_CONFIG", "The token is not a host's: it does not name its control plane's key.", {
      hint: "Use the whole text that larder hosts enrol printed.",
    });
  }
  const stored = await readIdentity(writer.store);
  if (stored) {
    if ((await keyIdOf(stored.publicKey)) !== pinned) {
      throw new LarderError("E_SIGNATURE", `${writer.store.directory} belongs to another control plane than the token.`, {
        hint: "Use the token of its own control plane, or an empty data directory.",
        details: { path: writer.store.directory },
      });
    }
    if (stored.server !== server.href) await writeIdentity(writer, { ...stored, server: server.href });
    return { ...stored, server: server.href };
  }
  const { hostId, environment, storeId, publicKey } = await controlPlane.identity(signal);
  const offered = await keyIdOf(publicKey);
  if (offered !== pinned) {
    throw new LarderError("E_SIGNATURE", `The control plane signs with key ${offered}; this host's token names ${pinned}.`, {
      hint: "Check the server's address: it is not the control plane that made the token.",
    });
  }
  const identity = { hostId, environment, storeId, publicKey, server: server.href };
  await writeIdentity(writer, identity);
  return identity;
}
