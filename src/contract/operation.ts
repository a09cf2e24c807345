import { z } from "zod";
import { errorBodySchema } from "./error-body.ts";
import { type EnvironmentName, environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { progressSchema } from "./progress.ts";
import {
  auditInputSchema,
  auditResultSchema,
  collectInputSchema,
  collectResultSchema,
  migrateInputSchema,
  migrateResultSchema,
} from "./storage-operations.ts";

export const operationKinds = ["install", "stock", "migrate", "collect", "audit"] as const;
/**
 * queued → running → succeeded | failed | cancelled | interrupted | fenced. `interrupted`: its replica died, a new attempt was queued;
 * `fenced`: its replica lost the election and wrote nothing more.
 */
export const operationStates = ["queued", "running", "succeeded", "failed", "cancelled", "interrupted", "fenced"] as const;
/** The phases of an install, in order. */
export const installPhases = ["plan", "resolve", "check", "fetch", "publish", "commit"] as const;
export type InstallPhase = (typeof installPhases)[number];

/** What a successful install says. Bytes are packed (as stored); times in milliseconds by phase. */
export const installResultSchema = z.object({
  generation: z.number().int().positive(),
  lockfileHash: z.string(),
  /** False when the allowlist resolved to the graph that is already current: no new generation was made. */
  changed: z.boolean(),
  nodes: z.number().int(),
  blobs: z.number().int(),
  bytes: z.number().int(),
  fetched: z.number().int(),
  fetchedBytes: z.number().int(),
  /** What policy let in and points out, and caps that are near. */
  warnings: z.array(z.string()).optional(),
  timingsMs: z.record(z.string(), z.number()),
});
export type InstallResult = z.infer<typeof installResultSchema>;

/** What a successful stocking says: what the current generation needs on these platforms is there. Bytes as installs count them. */
export const stockResultSchema = z.object({
  generation: z.number().int().positive(),
  lockfileHash: z.string(),
  platforms: z.array(z.string()),
  blobs: z.number().int(),
  bytes: z.number().int(),
  fetched: z.number().int(),
  fetchedBytes: z.number().int(),
  durationMs: z.number(),
  warnings: z.array(z.string()).optional(),
});
export type StockResult = z.infer<typeof stockResultSchema>;

const anyOperationSchema = z.object({
  id: idSchema,
  state: z.enum(operationStates),
  /** 1 for the first try; a restart after a crash queues the next. */
  attempt: z.number().int().positive(),
  requestedBy: z.string(),
  createdAt: timestampSchema,
  startedAt: timestampSchema.optional(),
  endedAt: timestampSchema.optional(),
  progress: progressSchema.optional(),
  error: errorBodySchema.optional(),
});

export const installOperationSchema = anyOperationSchema.extend({
  kind: z.literal("install"),
  environment: environmentNameSchema,
  result: installResultSchema.optional(),
});
/** Fetches what hosts of an environment lack of its current generation. */
export const stockOperationSchema = anyOperationSchema.extend({
  kind: z.literal("stock"),
  environment: environmentNameSchema,
  result: stockResultSchema.optional(),
});
export const migrateOperationSchema = anyOperationSchema.extend({
  kind: z.literal("migrate"),
  input: migrateInputSchema,
  result: migrateResultSchema.optional(),
});
export const collectOperationSchema = anyOperationSchema.extend({
  kind: z.literal("collect"),
  input: collectInputSchema,
  result: collectResultSchema.optional(),
});
export const auditOperationSchema = anyOperationSchema.extend({
  kind: z.literal("audit"),
  input: auditInputSchema,
  result: auditResultSchema.optional(),
});

/** Installs and stockings are of one environment; the others are of the whole blob store, and there is one of a kind at a time. */
export const operationSchema = z.discriminatedUnion("kind", [
  installOperationSchema,
  stockOperationSchema,
  migrateOperationSchema,
  collectOperationSchema,
  auditOperationSchema,
]);
export type Operation = z.infer<typeof operationSchema>;
export type OperationKind = Operation["kind"];
export type OperationState = Operation["state"];
export type OperationOf<Kind extends OperationKind> = Extract<Operation, { kind: Kind }>;
export type OperationResult<Kind extends OperationKind = OperationKind> = NonNullable<OperationOf<Kind>["result"]>;

/** Absent for what concerns the whole store. */
export const environmentOf = (operation: Operation): EnvironmentName | undefined =>
  operation.kind === "install" || operation.kind === "stock" ? operation.environment : undefined;

/** A long job was queued; `joined`: one of its kind was already, and this is it. */
export const startedSchema = <Schema extends z.ZodType>(operation: Schema) => z.object({ operation, joined: z.boolean() });
