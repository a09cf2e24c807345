import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { LarderError, type RunLimits, type Runtime, runLimitsSchema, runtimes } from "../contract/for-hosts.ts";
import { declaredEnvironment } from "./child-environment.ts";
import type { OutputListener } from "./run-in-cell.ts";

/** Limits that are left out have `defaultLimits`. */
export interface RunRequest extends Partial<RunLimits> {
  /** The script's text, TypeScript or JavaScript, … */
  script?: string;
  /** … or the path of one file; errors name it by its file name. */
  file?: string;
  /** What errors call `script`; its ending says the language. Default `script.ts`. */
  name?: string;
  /** Becomes the global `context`; anything that JSON can say. */
  context?: unknown;
  env?: Record<string, string>;
  /** Default: the current one. */
  generation?: number;
  /** Default `bun`. */
  runtime?: Runtime;
  signal?: AbortSignal;
  onOutput?: OutputListener;
}

/** A request that can be run. */
export interface Order {
  source: Source;
  /** JSON text. */
  context: string | undefined;
  limits: RunLimits;
  env: Record<string, string>;
  runtime: Runtime;
}

export interface Source {
  name: string;
  text: string;
}

/** Made once: building it takes half a millisecond. */
const givenLimitsSchema = runLimitsSchema.partial();
const maxScriptBytes = 8 * 1024 * 1024;

/** `cpuMs`, when left out, is twice the time limit: enough for what a runtime does beside the script. */
export const defaultLimits: Omit<RunLimits, "cpuMs"> = {
  timeoutMs: 30_000,
  memoryMb: 1024,
  fileMb: 1024,
  files: 10_000,
  processes: 256,
  outputBytes: 1024 * 1024,
};

/** Throws `E_INPUT`, `E_TOO_LARGE`. */
export async function readOrder(request: RunRequest): Promise<Order> {
  const { runtime = "bun", context } = request;
  if (!runtimes.includes(runtime)) {
    throw new LarderError("E_INPUT", `${JSON.stringify(runtime)} is not a runtime.`, { hint: `Use ${runtimes.join(" or ")}.` });
  }
  const order = {
    limits: limitsOf(request),
    env: declaredEnvironment(request.env),
    context: contextJson(context),
    source: await readSource(request),
    runtime,
  };
  if (Buffer.byteLength(order.source.text) <= maxScriptBytes) return order;
  throw new LarderError("E_TOO_LARGE", `The script has more than ${maxScriptBytes} bytes.`, {
    hint: "Pass data in the context or in files, and code in allowlisted packages.",
  });
}

function limitsOf(request: RunRequest): RunLimits {
  const parsed = givenLimitsSchema.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new LarderError("E_INPUT", `${issue?.path.join(".")} is not a limit that a run can have: ${issue?.message}.`);
  }
  const given = Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== undefined));
  const limits = { ...defaultLimits, ...given };
  return { cpuMs: 2 * limits.timeoutMs, ...limits };
}

async function readSource({ script, file, name }: RunRequest): Promise<Source> {
  if ((script === undefined) === (file === undefined)) {
    throw new LarderError("E_INPUT", "A run needs either a script or a file.", { hint: "Give one of the two." });
  }
  if (file === undefined) return { name: scriptName(name ?? "script.ts"), text: script ?? "" };
  const called = scriptName(basename(file));
  try {
    return { name: called, text: await readFile(file, "utf8") };
  } catch (cause) {
    throw new LarderError("E_INPUT", `The script ${file} cannot be read: ${(cause as Error).message}`, {
      hint: "Check its path.",
      cause,
    });
  }
}

function scriptName(name: string): string {
  const isFileName = /^[^.\p{Cc}/][^\p{Cc}/]*\.(?:[cm]?[jt]s|[jt]sx)$/u.test(name) && Buffer.byteLength(name) <= 200;
  if (isFileName && !name.startsWith("node_modules")) return name;
  throw new LarderError("E_INPUT", `${JSON.stringify(name.slice(0, 300))} is not a script's name.`, {
    hint: "A script ends in .ts, .tsx, .mts, .cts, .js, .jsx, .mjs or .cjs.",
  });
}

function contextJson(context: unknown): string | undefined {
  if (context === undefined) return undefined;
  try {
    const text = JSON.stringify(context);
    if (text !== undefined) return text;
  } catch {
    // Said below: cyclic, a bigint, or a toJSON that throws.
  }
  throw new LarderError("E_INPUT", "The context has no JSON form.", {
    hint: "Give plain data: objects, lists, strings, numbers.",
  });
}
