import { constants } from "node:fs";
import { open, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ErrorBody, formatPlatform, LarderError, type LockfileHash, type Manifest } from "../contract/index.ts";
import { describeDiskError, type HostStore, openRunDirectory } from "../host/index.ts";
import { childEnvironment } from "./child-environment.ts";
import { preloadSource } from "./child-main.ts";
import { type BunExecutable, findBun } from "./find-bun.ts";
import { judgeRun } from "./judge-run.ts";
import { readReport } from "./read-report.ts";
import { fencePattern, writeBoundary } from "./resolution-boundary.ts";
import { openResolutionRoot, type ResolutionRoot } from "./resolution-root.ts";
import { type OutputListener, runChild } from "./run-child.ts";

export interface RunRequest {
  /** The script's text, TypeScript or JavaScript, … */
  script?: string;
  /** … or the path of one file; errors name it by its file name. */
  file?: string;
  /** Becomes the global `context`; anything that JSON can say. */
  context?: unknown;
  env?: Record<string, string>;
  /** Default 30 s of wall-clock time. */
  timeoutMs?: number;
  /** Resident memory of the script's process; Linux only. */
  memoryMb?: number;
  /** Kept of each output stream. Default 1 MiB. */
  outputBytes?: number;
  /** Default: the current one. */
  generation?: number;
  runtime?: "bun";
  signal?: AbortSignal;
  onOutput?: OutputListener;
}

export interface RunResult {
  /** The script's default export, or what its promise gave, as JSON carries it; `null` without one. */
  result: unknown;
  error?: ErrorBody;
  stdout: string;
  stderr: string;
  outputTruncated: boolean;
  /** `null` when a signal ended it. */
  exitCode: number | null;
  durationMs: number;
  /** 0: no packages were installed yet. */
  generation: number;
  lockfileHash?: string;
}

export interface Runner {
  /**
   * What the script does wrong is in the result's `error`. Throws when it could not be started: `E_INPUT`, `E_NOT_READY`, `E_NOT_FOUND` for a
   * generation that is not here, `E_CONFIG`, and the disk's errors.
   */
  run(request: RunRequest): Promise<RunResult>;
}

export interface RunnerOptions {
  /** Default: see `findBun`. */
  bunPath?: string;
  /** Says more of a module that is missing: whether the platform, or only the allowlist, is why. Default: not known. */
  readManifest?(lockfileHash: LockfileHash): Promise<Manifest | undefined>;
}

export function createRunner(store: HostStore, options: RunnerOptions = {}): Runner {
  let boundary: Promise<void> | undefined;
  return {
    async run(request) {
      const source = await readSource(request);
      const context = contextJson(request.context);
      const bun = findBun(options.bunPath);
      boundary ??= writeBoundary(store.directory).catch((error) => {
        boundary = undefined;
        throw describeDiskError(error, store.directory);
      });
      await boundary;
      await using root = await openResolutionRoot(store, { generation: request.generation, readManifest: options.readManifest });
      return await runIn({ store, root, request, source, context, bun });
    },
  };
}

interface Source {
  name: string;
  text: string;
}

interface Prepared {
  store: HostStore;
  root: ResolutionRoot;
  request: RunRequest;
  source: Source;
  context: string | undefined;
  bun: BunExecutable;
}

async function runIn({ store, root, request, source, context, bun }: Prepared): Promise<RunResult> {
  await using directory = await openRunDirectory(store, { purpose: "run" });
  const { path } = directory;
  const env = childEnvironment(path, request.env);
  const script = join(path, source.name);
  const fence = await fencePattern(store.directory, path);
  const input = { script, ...(context === undefined ? {} : { context }), ...(fence === undefined ? {} : { fence }) };
  const report = await open(
    join(path, ".larder.json"),
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL,
    0o600,
  );
  try {
    await Promise.all([
      writeFile(join(path, ".larder.mjs"), preloadSource(input)),
      writeFile(script, source.text),
      root.tree && symlink(join(root.tree.path, "node_modules"), join(path, "node_modules")),
    ]);
    const end = await runChild({
      bun,
      directory: path,
      args: ["--no-install", "--no-env-file", "--no-orphans", "--preload", join(path, ".larder.mjs"), script],
      env,
      report: report.fd,
      limits: {
        timeoutMs: request.timeoutMs ?? 30_000,
        outputBytes: request.outputBytes ?? 1024 * 1024,
        memoryMb: request.memoryMb,
      },
      signal: request.signal,
      onOutput: request.onOutput,
    });
    const verdict = await judgeRun(end, await readReport(report), {
      request,
      describe: async () => ({
        scriptName: source.name,
        scriptText: source.text,
        runDirectory: path,
        packagesDirectory: store.layout.packages,
        platform: formatPlatform(store.platform),
        ...(await root.describe()),
      }),
    });
    return {
      result: verdict.result,
      ...(verdict.error === undefined ? {} : { error: verdict.error.toBody() }),
      stdout: end.stdout,
      stderr: end.stderr,
      outputTruncated: end.outputTruncated,
      exitCode: end.exitCode,
      durationMs: end.durationMs,
      generation: root.tree?.generation ?? 0,
      ...(root.tree === undefined ? {} : { lockfileHash: root.tree.lockfileHash }),
    };
  } finally {
    await report.close();
  }
}

async function readSource({ script, file, runtime = "bun" }: RunRequest): Promise<Source> {
  if (runtime !== "bun") throw new LarderError("E_INPUT", `${JSON.stringify(runtime)} is not a runtime.`, { hint: "Use bun." });
  if ((script === undefined) === (file === undefined)) {
    throw new LarderError("E_INPUT", "A run needs either a script or a file.", { hint: "Give one of the two." });
  }
  if (file === undefined) return { name: "script.ts", text: script ?? "" };
  const name = basename(file);
  if (!/^[^.\p{Cc}]\P{Cc}*\.(?:[cm]?[jt]s|[jt]sx)$/u.test(name)) {
    throw new LarderError("E_INPUT", `${JSON.stringify(name)} is not a script's name.`, {
      hint: "A script ends in .ts, .tsx, .mts, .cts, .js, .jsx, .mjs or .cjs.",
    });
  }
  try {
    return { name, text: await readFile(file, "utf8") };
  } catch (cause) {
    throw new LarderError("E_INPUT", `The script ${file} cannot be read: ${(cause as Error).message}`, {
      hint: "Check its path.",
      cause,
    });
  }
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
