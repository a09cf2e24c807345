import { z } from "zod";

/** How far a long job is. */
export const progressSchema = z.object({
  phase: z.string(),
  /** Units done and to do within the phase; bytes likewise. `total` is absent while it is not known. */
  done: z.number().int().nonnegative(),
  total: z.number().int().nonnegative().optional(),
  doneBytes: z.number().int().nonnegative().optional(),
  totalBytes: z.number().int().nonnegative().optional(),
  /** Of late. */
  bytesPerSecond: z.number().int().nonnegative().optional(),
  /** What it is on, for a person: a package's `name@version`, say. */
  subject: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;
