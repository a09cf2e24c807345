import { oc } from "@orpc/contract";
import { z } from "zod";
import { timestampSchema } from "./ids.ts";
import { pageOf, pageQueryOf } from "./page.ts";

/** One admin change. Written with the change itself, in one transaction, and never changed. Holds no secrets. */
export const auditRecordSchema = z.object({
  /** Grows; not without gaps. */
  id: z.number().int().positive(),
  at: timestampSchema,
  /** The subject of the token that was shown; `system` for the server itself. */
  actor: z.string(),
  /** `noun.verb`: `package.add`, `host.revoke`. */
  action: z.string(),
  /** `default/lodash`, a host's or token's id. */
  target: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

export const auditQuerySchema = z.object({
  actor: z.string().min(1).max(120).optional(),
  action: z.string().min(1).max(120).optional().describe("`package.add`, or `package` for all of `package.…`"),
  target: z.string().min(1).max(300).optional().describe("`default/lodash`, or `default` for all of `default/…`"),
  since: timestampSchema.optional().describe("Not before"),
  until: timestampSchema.optional().describe("Before"),
  ...pageQueryOf(z.coerce.number().int().positive(), { most: 1000, usual: 100 }).shape,
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

/** Newest first. */
export const auditPageSchema = pageOf(auditRecordSchema, z.number().int().positive());
export type AuditPage = z.infer<typeof auditPageSchema>;

export const auditContract = {
  list: oc
    .route({ method: "GET", path: "/audit", summary: "Who changed what, newest first" })
    .input(auditQuerySchema)
    .output(auditPageSchema),
};
