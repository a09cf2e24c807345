import { z } from "zod";
import { hostLabelsSchema } from "./host.ts";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { platformSchema } from "./platform.ts";

const day = 86_400_000;

/** The right to join, for so many hosts until some time. */
export const enrolmentSchema = z.object({
  id: idSchema,
  environment: environmentNameSchema,
  /** The id that the one host gets which joins with it. Absent: hosts choose their own. */
  hostId: idSchema.optional(),
  labels: hostLabelsSchema,
  uses: z.number().int().positive(),
  used: z.number().int().nonnegative(),
  createdAt: timestampSchema,
  createdBy: z.string(),
  expiresAt: timestampSchema,
  state: z.enum(["open", "used", "expired", "revoked"]),
});
export type Enrolment = z.infer<typeof enrolmentSchema>;

export const enrolInputSchema = z
  .object({
    environment: environmentNameSchema,
    id: idSchema.optional().describe("The host's id; then one host can join, and no other"),
    uses: z.number().int().min(1).max(100_000).default(1),
    expiresInMs: z
      .number()
      .int()
      .min(1000)
      .max(366 * day)
      .default(day),
    labels: hostLabelsSchema.default({}),
  })
  .refine(({ id, uses }) => id === undefined || uses === 1, { message: "one id is for one host", path: ["uses"] });

/** What a host sends with its enrolment token, once; again when the answer was lost. */
export const joinRequestSchema = z.object({
  /** Raw Ed25519, base64; the host made it and keeps the other half. */
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, "not a raw Ed25519 key in base64"),
  /** See `signJoin`. */
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, "not an Ed25519 signature in base64"),
  /** What it would like to be called; it may get another id when this one is taken. */
  name: z.string().max(255).optional(),
  platform: platformSchema.optional(),
  agentVersion: z.string().max(64).optional(),
  /** Whose its store is already: it can join nobody else's. */
  member: z.object({ storeId: z.string().max(64), environment: environmentNameSchema }).optional(),
});
export type JoinRequest = z.infer<typeof joinRequestSchema>;
