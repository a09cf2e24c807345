import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  environmentNameSchema,
  idSchema,
  integritySchema,
  type KeyPair,
  LarderError,
  lockfileHashSchema,
  type Platform,
  platformSchema,
  publicHalfSchema,
  signedDesiredStateSchema,
  timestampSchema,
} from "../contract/for-hosts.ts";
import { undefinedOn, writeFileAtomic } from "../lib/index.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { HostStore } from "./host-store.ts";
import type { StoreLayout } from "./layout.ts";
import type { StoreWriter } from "./store-writer.ts";

const stateFormat = 1;

/** Who this host is, pinned at enrolment. */
export const storedIdentitySchema = z.object({
  hostId: idSchema,
  environment: environmentNameSchema,
  storeId: z.string(),
  /** Raw Ed25519 public key, base64: desired states must be signed by it. */
  publicKey: z.string(),
  /** Those that were pinned before it: what was accepted then was signed by them. Newest first. */
  formerKeys: z.array(z.string()).optional(),
  /** What `publicKey` has announced as the next key: nobody else comes after it. */
  nextKey: publicHalfSchema.optional(),
  /** The control plane's address. */
  server: z.string(),
});
export type StoredIdentity = z.infer<typeof storedIdentitySchema>;

/** Its own, see `ensureHostKey`: raw Ed25519 and PKCS #8, both base64. */
const hostKeySchema = z.object({ publicKey: z.string(), privateKey: z.string() });

/** The highest desired state that this host ever accepted. */
export const acceptedStateSchema = z.object({
  generation: z.number().int().positive(),
  lockfileHash: lockfileHashSchema,
  manifestDigest: integritySchema,
  issuedAt: timestampSchema,
  /** The document itself, and that of the tree which serves while this one is being built: `checkTrust` begins there. */
  signed: signedDesiredStateSchema.optional(),
  served: signedDesiredStateSchema.optional(),
});
export type AcceptedState = z.infer<typeof acceptedStateSchema>;

/** A flip of `current`, written before the link moves: it took effect if and only if `current` says so. */
const flipSchema = z.object({ generation: z.number().int().positive(), lockfileHash: lockfileHashSchema, at: timestampSchema });
export type Flip = z.infer<typeof flipSchema>;

export const readIdentity = (store: HostStore): Promise<StoredIdentity | undefined> =>
  readState(store.layout, "identity", storedIdentitySchema);
export const writeIdentity = (writer: StoreWriter, identity: StoredIdentity): Promise<void> =>
  writeState(writer.store.layout, "identity", storedIdentitySchema.parse(identity));

export const readHostKey = (store: HostStore): Promise<KeyPair | undefined> => readState(store.layout, "host-key", hostKeySchema);
/** For the agent's user only. */
export const writeHostKey = (writer: StoreWriter, key: KeyPair): Promise<void> =>
  writeState(writer.store.layout, "host-key", hostKeySchema.parse(key), 0o600);

export const readAccepted = (store: HostStore): Promise<AcceptedState | undefined> =>
  readState(store.layout, "accepted", acceptedStateSchema);
export const writeAccepted = (writer: StoreWriter, accepted: AcceptedState): Promise<void> =>
  writeState(writer.store.layout, "accepted", acceptedStateSchema.parse(accepted));

/** Oldest first. */
/** Made once: each run reads the flips, and building a schema takes longer than that. */
const flipsSchema = z.object({ flips: z.array(flipSchema) });
const formatSchema = z.object({ format: z.number() });
export const readFlips = async (store: HostStore): Promise<Flip[]> =>
  (await readState(store.layout, "flips", flipsSchema))?.flips ?? [];
export const writeFlips = (writer: StoreWriter, flips: Flip[]): Promise<void> =>
  writeState(writer.store.layout, "flips", { flips });

export const readPlatform = (layout: StoreLayout): Promise<Platform | undefined> => readState(layout, "platform", platformSchema);
export const writePlatform = (layout: StoreLayout, platform: Platform): Promise<void> =>
  writeState(layout, "platform", platformSchema.parse(platform));

const statePath = (layout: StoreLayout, name: string): string => join(layout.state, `${name}.json`);

async function readState<T>(layout: StoreLayout, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = statePath(layout, name);
  const text = await describeDiskErrors(path, () => undefinedOn(["ENOENT"], readFile(path, "utf8")));
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  const format = formatSchema.safeParse(parsed).data?.format;
  if (format !== undefined && format > stateFormat) {
    throw new LarderError("E_SCHEMA_NEWER", `${path} was written by a newer Larder (format ${format}).`, {
      hint: "Use that version, or a later one, with this data directory.",
      details: { path },
    });
  }
  const state = schema.safeParse(parsed);
  if (state.success && format === stateFormat) return state.data;
  throw new LarderError("E_STORE_UNAVAILABLE", `${path} is damaged.`, {
    hint: "Restore it from a backup, or enrol this host again with an empty data directory.",
    details: { path },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller, who knows the path.
    return undefined;
  }
}

async function writeState(layout: StoreLayout, name: string, value: object, mode?: number): Promise<void> {
  const path = statePath(layout, name);
  const text = `${JSON.stringify({ format: stateFormat, ...value }, null, 2)}\n`;
  await describeDiskErrors(path, () => writeFileAtomic(path, text, mode));
}
