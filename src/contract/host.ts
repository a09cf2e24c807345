import { z } from "zod";
import { errorBodySchema } from "./error-body.ts";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { platformSchema } from "./platform.ts";
import { progressSchema } from "./progress.ts";

/** What a host says of itself. pending: nothing to converge to yet, or never heard of · syncing · ready · error (keeps serving what it has). */
export const hostPhases = ["pending", "syncing", "ready", "error"] as const;
export type HostPhase = (typeof hostPhases)[number];

/**
 * What the control plane makes of it, the worst that holds. cloned: two machines use its key · ahead: it accepted a generation that this control plane does not
 * know, as after a restored backup · silent: not heard of for longer than reports are apart · failing · behind: serves an older generation · current.
 */
export const hostStates = ["cloned", "ahead", "silent", "failing", "behind", "current"] as const;
export type HostState = (typeof hostStates)[number];

/** A host that was not heard of for so long is silent. It reports at least once a minute. */
export const silentAfterMs = 150_000;

export const hostLabelsSchema = z
  .record(z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/, "not a label's name"), z.string().max(120))
  .refine((labels) => Object.keys(labels).length <= 20, "more than 20 labels");
export type HostLabels = z.infer<typeof hostLabelsSchema>;

const count = z.number().int().nonnegative();

/** One life of an agent: made anew at each start, so that two machines with one key are told apart. */
export const agentSessionSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Of this report within the session: 1, 2, … */
  sequence: z.number().int().positive(),
  /** The machine's boot, where the system has a name for it. */
  bootId: z.string().max(64).optional(),
  hostname: z.string().max(255).optional(),
});
export type AgentSession = z.infer<typeof agentSessionSchema>;

/** What a host says of itself after each change, and at least once a minute. `generation` is what its `current` link serves. */
export const hostReportSchema = z.object({
  phase: z.enum(hostPhases),
  generation: count,
  lockfileHash: z.string().optional(),
  /** The highest generation that it ever accepted; it takes no lower one. */
  accepted: count.max(Number.MAX_SAFE_INTEGER).optional(),
  platform: platformSchema,
  agentVersion: z.string().max(64),
  error: errorBodySchema.optional(),
  progress: progressSchema.optional(),
  runsInFlight: count,
  /** Of the file system that holds the store. */
  freeBytes: count.optional(),
  totalBytes: count.optional(),
  /** The key that it trusts to sign. */
  trustedKeyId: z.string().max(64).optional(),
  /** What that key has announced as the next one, as far as it has heard. */
  nextKeyId: z.string().max(64).optional(),
  session: agentSessionSchema.optional(),
});
export type HostReport = z.infer<typeof hostReportSchema>;

/** A life of an agent as the control plane has seen it. */
export const seenSessionSchema = agentSessionSchema.extend({
  firstSeenAt: timestampSchema,
  lastSeenAt: timestampSchema,
  /** Reports that came after another session had taken over. */
  returns: count,
});
export type SeenSession = z.infer<typeof seenSessionSchema>;

export const hostSchema = z.object({
  id: idSchema,
  environment: environmentNameSchema,
  labels: hostLabelsSchema,
  /** The enrolment that it joined with. */
  enrolment: idSchema.optional(),
  /** Of the key that it made and authenticates with. */
  keyId: z.string().optional(),
  createdAt: timestampSchema,
  lastSeenAt: timestampSchema.optional(),
  /** `generation` 0 means none yet. */
  generation: count,
  lockfileHash: z.string().optional(),
  accepted: count,
  phase: z.enum(hostPhases),
  state: z.enum(hostStates),
  /** Why it is not `current`, in words. */
  reason: z.string().optional(),
  /** What its environment wants. */
  wanted: count,
  /** How many generations it is behind; numbers, not time. */
  lag: count,
  /** Since when it is not what it should be: the next generation's publication, its last word, its first error, the alarm. */
  since: timestampSchema.optional(),
  error: errorBodySchema.optional(),
  progress: progressSchema.optional(),
  platform: platformSchema.optional(),
  agentVersion: z.string().optional(),
  runsInFlight: count,
  freeBytes: count.optional(),
  totalBytes: count.optional(),
  trustedKeyId: z.string().optional(),
  nextKeyId: z.string().optional(),
  /** Agents that used its key of late, newest first. */
  sessions: z.array(seenSessionSchema),
});
export type Host = z.infer<typeof hostSchema>;
