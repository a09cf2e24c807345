import { z } from "zod";
import { environmentNameSchema, generationNumberSchema, timestampSchema } from "./ids.ts";
import { integritySchema, lockfileHashSchema } from "./integrity.ts";

export const desiredStateFormat = 1;

/** What an environment's hosts must converge to. Small, signed, and all a host needs to trust the rest. */
export const desiredStateSchema = z.object({
  format: z.literal(desiredStateFormat),
  /** The control plane's store: a random id made at first start. A host belongs to one for ever. */
  storeId: z.string().min(8).max(64),
  environment: environmentNameSchema,
  /** Only grows, per environment; a rollback is a new number with an older manifest. */
  generation: generationNumberSchema,
  lockfileHash: lockfileHashSchema,
  /** SHA-512 of the manifest's bytes as served. */
  manifestDigest: integritySchema,
  issuedAt: timestampSchema,
  expiresAt: timestampSchema,
});
export type DesiredState = z.infer<typeof desiredStateSchema>;

export const signedDesiredStateSchema = z.object({
  desired: desiredStateSchema,
  /** See `keyIdOf`. */
  keyId: z.string(),
  /** Base64 of the 64-byte Ed25519 signature over `desiredStateBytes(desired)`. */
  signature: z.string().max(128),
});
export type SignedDesiredState = z.infer<typeof signedDesiredStateSchema>;
