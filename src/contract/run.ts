import { z } from "zod";
import { errorBodySchema } from "./error-body.ts";
import { generationNumberSchema } from "./ids.ts";

export const runtimes = ["bun", "node"] as const;
export type Runtime = (typeof runtimes)[number];

/** Each is a bound on one whole run, with all processes that it starts. */
export const runLimitsSchema = z.object({
  /** Wall-clock time. */
  timeoutMs: z.number().int().min(1).max(86_400_000),
  /** Processor time. */
  cpuMs: z.number().int().min(1).max(864_000_000),
  /** Memory that is its own: not shared, not a file's. */
  memoryMb: z.number().int().min(16).max(1_048_576),
  /** The size of any one file that it writes. */
  fileMb: z.number().int().min(1).max(1_048_576),
  /** Files in its own directory. */
  files: z.number().int().min(1).max(1_000_000),
  /** Processes at one time. */
  processes: z.number().int().min(1).max(10_000),
  /** Kept of each output stream. */
  outputBytes: z.number().int().min(0).max(67_108_864),
});
export type RunLimits = z.infer<typeof runLimitsSchema>;

/** What held a run together and bounded it; less where the system offers less. */
export const confinementSchema = z.object({
  /** namespace: the kernel ends every descendant · marks: descendants are found by what they inherit · group: those that stay in the group. */
  processes: z.enum(["namespace", "marks", "group"]),
  /**
   * What kept it from starting processes without end. By the kernel: its namespace's numbers, a control group, or what its user may have.
   * sampled: looked at from outside, which a fork bomb can outrun · none: nothing.
   */
  processLimit: z.enum(["namespace", "cgroup", "user", "sampled", "none"]),
  /** Nobody in the run could write to the tree, whatever its user. */
  treeReadOnly: z.boolean(),
  /** Names of `RunLimits` that were enforced. */
  limits: z.array(z.string()),
});
export type Confinement = z.infer<typeof confinementSchema>;

export const runResultSchema = z.object({
  /** The script's default export, or what its promise gave, as JSON carries it; `null` without one. */
  result: z.unknown(),
  /** `null` when the script did what it was to do. */
  error: errorBodySchema.nullable().default(null),
  /** What did not stop it, but is worth knowing: output that was cut. */
  warnings: z.array(errorBodySchema),
  stdout: z.string(),
  stderr: z.string(),
  outputTruncated: z.boolean(),
  /** `null` when a signal ended it. */
  exitCode: z.number().int().nullable(),
  durationMs: z.number(),
  /** 0: no packages were installed yet. Give it as `generation` to repeat the run on the same tree. */
  generation: z.number().int().nonnegative(),
  lockfileHash: z.string().optional(),
  runtime: z.enum(runtimes),
  confinement: confinementSchema,
});
export type RunResult = z.infer<typeof runResultSchema>;

/** What a host says of a run that it was sent. `error`: it did not start, because of what is asked for or of this host's own trouble. */
export const runOutcomeSchema = z.union([z.object({ result: runResultSchema }), z.object({ error: errorBodySchema })]);
export type RunOutcome = z.infer<typeof runOutcomeSchema>;

/** What a caller over the network may ask for; the text of a script, never a path. Limits that are left out have the host's defaults. */
export const runRequestSchema = runLimitsSchema
  .extend({
    timeoutMs: runLimitsSchema.shape.timeoutMs.max(300_000),
    outputBytes: runLimitsSchema.shape.outputBytes.max(262_144),
  })
  .partial()
  .extend({
    script: z.string().max(524_288),
    /** The script's name in errors; its ending says the language. */
    name: z.string().max(200).optional(),
    /** Its global `context`. */
    context: z.unknown().optional(),
    env: z.record(z.string(), z.string()).optional(),
    runtime: z.enum(runtimes).optional(),
    generation: generationNumberSchema.optional(),
  });
export type RunRequestBody = z.infer<typeof runRequestSchema>;
