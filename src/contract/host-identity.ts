import { z } from "zod";
import { environmentNameSchema, idSchema } from "./ids.ts";

/** What a host learns of itself when it joins, and may ask again. */
export const hostIdentitySchema = z.object({
  hostId: idSchema,
  environment: environmentNameSchema,
  storeId: z.string(),
  /** Raw Ed25519 public key, base64: what signs now. */
  publicKey: z.string(),
});
export type HostIdentity = z.infer<typeof hostIdentitySchema>;
