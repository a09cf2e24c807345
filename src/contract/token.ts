import { z } from "zod";
import { idSchema, timestampSchema } from "./ids.ts";

/**
/**
 * admin: everything · operator: packages, installs, generations and operations, not who may do what, nor where things are kept · viewer: reads
 * everything, the audit log included · author: reads packages and types, and runs scripts · metrics: `/metrics` alone · host: its own environment's desired state, manifest and
 * blobs, and its report; hosts have keys of their own instead of tokens. A token's text is `ldr_<role>_<secret>`, 32 random bytes in base64url; servers keep a hash of it.
 */
export const roles = ["admin", "operator", "viewer", "author", "metrics", "host"] as const;
export type Role = (typeof roles)[number];

export const tokenSchema = z.object({
  id: idSchema,
  role: z.enum(roles),
  /** Who it is for, shown as "who" in histories. */
  subject: z.string().min(1).max(120),
  createdAt: timestampSchema,
  lastUsedAt: timestampSchema.optional(),
});
export type Token = z.infer<typeof tokenSchema>;
