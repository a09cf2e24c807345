import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { ChildReport } from "./child-main.ts";

const maxReportBytes = 32 * 1024 * 1024;

const thrownSchema = z.object({
  name: z.string(),
  message: z.string(),
  stack: z.string().optional(),
  code: z.string().optional(),
  specifier: z.string().optional(),
  referrer: z.string().optional(),
  position: z.object({ file: z.string(), line: z.number(), column: z.number() }).optional().catch(undefined),
  fenced: z.string().optional(),
});

const lineSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("started") }),
  z.object({ kind: z.literal("uncompiled") }),
  z.object({ kind: z.literal("crowded") }),
  z.object({ kind: z.literal("exited"), code: z.number() }),
  z.object({ kind: z.literal("value"), json: z.string() }),
  z.object({ kind: z.literal("unsettled") }),
  z.object({ kind: z.literal("unserialisable"), message: z.string() }),
  z.object({ kind: z.literal("thrown"), thrown: thrownSchema }),
]);

export interface RunReport {
  /** The runtime was about to be started. */
  started: boolean;
  /** The script could not be compiled. */
  uncompiled: boolean;
  /** It ended itself with an exit code that looks like a signal's. */
  exited: boolean;
  /** It ended when its namespace had hardly any process number left. */
  crowded: boolean;
  /** The last word of the script; `undefined` when it had none. */
  outcome: ChildReport | { kind: "garbled"; tooLarge: boolean } | undefined;
}

/**
 * What the shell and the child left in the report file. The script can write there too: whatever it is, it is bounded and checked, and can only
 * make the run's own result wrong.
 */
export async function readReport(file: FileHandle): Promise<RunReport> {
  const report: RunReport = { started: false, uncompiled: false, exited: false, crowded: false, outcome: undefined };
  const { size } = await file.stat();
  if (size > maxReportBytes) return { ...report, started: true, outcome: { kind: "garbled", tooLarge: true } };
  const buffer = Buffer.alloc(size);
  const { bytesRead } = size === 0 ? { bytesRead: 0 } : await file.read(buffer, 0, size, 0);
  const lines = buffer.toString("utf8", 0, bytesRead).split("\n").filter(Boolean);
  for (const text of lines) {
    const line = parseLine(text);
    if (line === undefined) report.outcome = { kind: "garbled", tooLarge: false };
    else if (line.kind === "started") report.started = true;
    else if (line.kind === "uncompiled") report.uncompiled = true;
    else if (line.kind === "exited") report.exited = true;
    else if (line.kind === "crowded") report.crowded = true;
    else report.outcome = line as ChildReport;
  }
  return report;
}

function parseLine(text: string): z.infer<typeof lineSchema> | undefined {
  try {
    const line = lineSchema.parse(JSON.parse(text));
    if (line.kind === "value") JSON.parse(line.json);
    return line;
  } catch {
    // Cut by a kill while it was written, or written by the script.
    return undefined;
  }
}
