import { oc } from "@orpc/contract";
import { z } from "zod";
import { timestampSchema } from "./ids.ts";

export const signingKeySchema = z.object({
  keyId: z.string(),
  /** Raw Ed25519, base64. */
  publicKey: z.string(),
  state: z.enum(["active", "announced", "retired"]),
  createdAt: timestampSchema,
  /** Hosts that trust it to sign; when it is announced, those that have heard of it. */
  hosts: z.number().int().nonnegative(),
});
export type SigningKeyFacts = z.infer<typeof signingKeySchema>;

/** The keys that sign desired states. Hosts follow from one to the next by `rawRoutes.signingChain`. */
export const signingKeysContract = {
  list: oc
    .route({ method: "GET", path: "/signing-keys", summary: "The signing keys, newest first; their public halves" })
    .output(z.array(signingKeySchema)),
  announce: oc
    .route({ method: "POST", path: "/signing-keys", successStatus: 201, summary: "Make the next signing key, and announce it" })
    .output(signingKeySchema),
  rotate: oc
    .route({ method: "POST", path: "/signing-keys/rotate", summary: "Make the announced key the one that signs" })
    .input(z.object({ now: z.boolean().default(false).describe("Also when none was announced: one is made") }))
    .output(signingKeySchema),
};
