import { oc } from "@orpc/contract";
import { z } from "zod";
import { timestampSchema } from "./ids.ts";

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
  before: z.coerce.number().int().positive().optional().describe("`next` of the page before"),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const auditPageSchema = z.object({
  /** Newest first. */
  records: z.array(auditRecordSchema),
  /** There are more: what to ask for `before`. */
  next: z.number().int().positive().optional(),
});

export const auditContract = {
  list: oc
    .route({ method: "GET", path: "/audit", summary: "Who changed what, newest first" })
    .input(auditQuerySchema)
    .output(auditPageSchema),
};
