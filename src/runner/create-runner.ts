import { constants } from "node:fs";
import { type FileHandle, open, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatPlatform, LarderError, type RunResult } from "../contract/index.ts";
import { describeDiskError, type HostStore, openRunDirectory, type RunDirectory } from "../host/index.ts";
import { childEnvironment } from "./child-environment.ts";
import { confinementOf } from "./confinement.ts";
import { findBun } from "./find-bun.ts";
import { findNode } from "./find-node.ts";
import { judgeRun } from "./judge-run.ts";
import type { Holding } from "./launch.ts";
import { diagnosticsName, type Executables, prepareLaunch } from "./prepare-launch.ts";
import { forgetHolding, probeHolding } from "./probe-holding.ts";
import { readReport } from "./read-report.ts";
import { writeBoundary } from "./resolution-boundary.ts";
import { openResolutionRoot, type ResolutionRoot } from "./resolution-root.ts";
import { type ChildEnd, runChild } from "./run-child.ts";
import { createRunMark } from "./run-mark.ts";
import { type Order, type RunRequest, readOrder } from "./run-request.ts";
import { createUsageSampler, type UsageSampler } from "./usage-sampler.ts";

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
  /** Default: see `findNode`. */
  nodePath?: string;
  /** Default: the strongest that works here. */
  holding?: Holding;
}

export function createRunner(store: HostStore, options: RunnerOptions = {}): Runner {
  const sampler = createUsageSampler();
  const boundary = onceUnlessFailed(() =>
    writeBoundary(store.directory).catch((error) => {
      throw describeDiskError(error, store.directory);
    }),
  );
  const node = onceUnlessFailed(() => findNode(options.nodePath));
  const holding = onceUnlessFailed(() => (options.holding ? Promise.resolve(options.holding) : probeHolding(store)));
  return {
    async run(request) {
      const order = await readOrder(request);
      const env = (directory: string) => childEnvironment(directory, request.env);
      env("/");
      const bun = findBun(options.bunPath);
      const executables = { bun, node: order.runtime === "node" ? await node.value() : undefined };
      const [held] = await Promise.all([holding.value(), boundary.value()]);
      await using root = await openResolutionRoot(store, request.generation);
      await using directory = await openRunDirectory(store, { purpose: "run" });
      try {
        return await runIn({ store, root, directory, request, order, executables, env: env(directory.path), held, sampler });
      } catch (error) {
        if (error instanceof Unstarted) await forgetHolding(store);
        holding.forget();
        throw error;
      }
    },
  };
}

/** Once, and again after it has failed or was forgotten. */
function onceUnlessFailed<T>(make: () => Promise<T>): { value(): Promise<T>; forget(): void } {
  let made: Promise<T> | undefined;
  const forget = () => {
    made = undefined;
  };
  return {
    forget,
    value() {
      made ??= make().catch((error: unknown) => {
        forget();
        throw error;
      });
      return made;
    },
  };
}

/** What was to hold the run did not come up. */
class Unstarted extends LarderError {
  constructor({ stderr, exitCode }: ChildEnd) {
    super("E_CONFIG", `The run's process could not be started: ${stderr.trim().slice(0, 500) || `exit code ${exitCode}`}`, {
      hint: "Try again: what this system allows to processes may have changed. Check that it has processes and memory left.",
      retryable: true,
    });
  }
}

interface Prepared {
  store: HostStore;
  root: ResolutionRoot;
  directory: RunDirectory;
  request: RunRequest;
  order: Order;
  executables: Executables;
  env: Record<string, string>;
  held: Holding;
  sampler: UsageSampler;
}

async function runIn(prepared: Prepared): Promise<RunResult> {
  const { store, root, request, order, executables, env, held, sampler } = prepared;
  const { path } = prepared.directory;
  const { limits, source, runtime } = order;
  const mark = held === "marks" ? createRunMark() : undefined;
  const report = await openReport(path);
  try {
    const { files, ...launching } = await prepareLaunch({ store, directory: path, order, executables, held, mark });
    await Promise.all([
      ...files.map(([name, text]) => writeFile(join(path, name), text)),
      root.tree && symlink(join(root.tree.path, "node_modules"), join(path, "node_modules")),
    ]);
    const end = await runChild({
      ...launching,
      holding: held,
      mark,
      directory: path,
      env: { ...env, ...(runtime === "bun" ? executables.bun.env : {}) },
      report: report.fd,
      limits,
      sampler,
      signal: request.signal,
      onOutput: request.onOutput,
    });
    const told = await readReport(report);
    if (!told.started && end.stopped === undefined) throw new Unstarted(end);
    const verdict = await judgeRun({
      end,
      report: told,
      limits,
      readDiagnostics: () => readFile(join(path, diagnosticsName), "utf8"),
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
      warnings: end.outputTruncated ? [outputCut(limits.outputBytes).toBody()] : [],
      stdout: end.stdout,
      stderr: end.stderr,
      outputTruncated: end.outputTruncated,
      exitCode: end.stopped !== undefined || (end.signal !== null && !told.exited) ? null : end.exitCode,
      durationMs: end.durationMs,
      generation: root.tree?.generation ?? 0,
      ...(root.tree === undefined ? {} : { lockfileHash: root.tree.lockfileHash }),
      runtime,
      confinement: confinementOf(held),
    };
  } finally {
    await report.close();
  }
}

const openReport = (directory: string): Promise<FileHandle> =>
  open(join(directory, ".larder.json"), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL, 0o600);

const outputCut = (limitBytes: number): LarderError =>
  new LarderError("E_RUN_OUTPUT", `The script printed more than ${limitBytes} bytes; the rest was dropped.`, {
    hint: "Print less, return data as the result, or allow more.",
  });
