import { type EnvironmentName, generateKeyPair, type Id, type KeyPair } from "../contract/for-hosts.ts";
import type { HostStore } from "./host-store.ts";
import { readHostKey, readIdentity, writeHostKey } from "./state.ts";
import type { StoreWriter } from "./store-writer.ts";

/** This host's own key, made here and kept here. It is on disk before anybody hears of it, so that a host is the same after any crash. */
export async function ensureHostKey(writer: StoreWriter): Promise<KeyPair> {
  const kept = await readHostKey(writer.store);
  if (kept) return kept;
  const made = await generateKeyPair();
  await writeHostKey(writer, made);
  return made;
}

/** Who this host is to its control plane, and whom it trusts. */
export interface HostSelf {
  hostId: Id;
  environment: EnvironmentName;
  storeId: string;
  /** What signs. */
  publicKey: string;
  /** Its own; secret. */
  privateKey: string;
}

/** `undefined` for a store that has not joined with a key of its own. */
export async function readHostSelf(store: HostStore): Promise<HostSelf | undefined> {
  const [identity, key] = await Promise.all([readIdentity(store), readHostKey(store)]);
  return identity && key && { ...identity, privateKey: key.privateKey };
}
