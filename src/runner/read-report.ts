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

const reportSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("value"), json: z.string() }),
  z.object({ kind: z.literal("unsettled") }),
  z.object({ kind: z.literal("unserialisable"), message: z.string() }),
  z.object({ kind: z.literal("thrown"), thrown: thrownSchema }),
]);

/**
 * What the child left in its report file; `undefined` when it left nothing. The script can write there too: whatever it is, it is bounded and
 * checked, and can only make the run's own result wrong.
 */
export async function readReport(file: FileHandle): Promise<ChildReport | { kind: "garbled"; tooLarge: boolean } | undefined> {
  const { size } = await file.stat();
  if (size === 0) return undefined;
  if (size > maxReportBytes) return { kind: "garbled", tooLarge: true };
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await file.read(buffer, 0, size, 0);
  try {
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    const report = reportSchema.parse(JSON.parse(lines.at(-1) ?? ""));
    if (report.kind === "value") JSON.parse(report.json);
    return report as ChildReport;
  } catch {
    // Cut by a kill while it was written, or written by the script.
    return { kind: "garbled", tooLarge: false };
  }
}
