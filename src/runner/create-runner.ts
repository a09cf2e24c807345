import { symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Confinement, formatPlatform, LarderError, type RunResult } from "../contract/for-hosts.ts";
import { describeDiskErrors, type HostStore } from "../host/index.ts";
import type { Cell } from "./cell.ts";
import { type CellSupply, createCellSupply } from "./cell-supply.ts";
import { confinementOf } from "./confinement.ts";
import { findBun } from "./find-bun.ts";
import { findNode } from "./find-node.ts";
import { judgeRun } from "./judge-run.ts";
import type { Holding } from "./launch.ts";
import { diagnosticsName, type Executables, prepareStart } from "./prepare-start.ts";
import { forgetHolding, probeHolding } from "./probe-holding.ts";
import { chooseProcessLimit, type Hold, type ProcessLimit } from "./process-limit.ts";
import { readReport } from "./read-report.ts";
import { writeBoundary } from "./resolution-boundary.ts";
import { openResolutionRoot, type ResolutionRoot } from "./resolution-root.ts";
import { retryable } from "./retryable.ts";
import { type ChildEnd, runInCell } from "./run-in-cell.ts";
import { createRunMark } from "./run-mark.ts";
import { type Order, type RunRequest, readOrder } from "./run-request.ts";
import { createUsageSampler, type UsageSampler } from "./usage-sampler.ts";

/** Disposing it ends what it keeps ready; runs under way go on. */
export interface Runner extends AsyncDisposable {
  /**
   * What the script does wrong is in the result's `error`. Throws when it could not be started: `E_INPUT`, `E_NOT_READY`, `E_NOT_FOUND` for a
   * generation that is not here, `E_CONFIG`, and the disk's errors.
   */
  run(request: RunRequest): Promise<RunResult>;
  /** How runs are held here, as each of their results says too. */
  confinement(): Promise<Confinement>;
}

export interface RunnerOptions {
  /** Default: see `findBun`. */
  bunPath?: string;
  /** Default: see `findNode`. */
  nodePath?: string;
  /** Default: the strongest that works here. */
  holding?: Holding;
  /** What of the kernel keeps the number of processes within bounds. Default: the strongest that works here. */
  processLimit?: ProcessLimit;
  /** Keeps a place ready for the next run, once there was one: for a process that stays and disposes of the runner. Default: false. */
  keepReady?: boolean;
}

export function createRunner(store: HostStore, options: RunnerOptions = {}): Runner {
  const sampler = createUsageSampler();
  const boundary = retryable(() => describeDiskErrors(store.directory, () => writeBoundary(store.directory)));
  const node = retryable(() => findNode(options.nodePath));
  const hold = retryable(async () => chooseProcessLimit(options.holding ?? (await probeHolding(store)), options.processLimit));
  const cells = createCellSupply(store, { keepReady: options.keepReady ?? false });
  return {
    async run(request) {
      const order = await readOrder(request);
      const bun = findBun(options.bunPath);
      const executables = { bun, node: order.runtime === "node" ? await node.value() : undefined };
      const [held] = await Promise.all([hold.value(), boundary.value()]);
      await using root = await openResolutionRoot(store, request.generation);
      try {
        return await runIn({ store, root, request, order, executables, held, cells, sampler });
      } catch (error) {
        if (!(error instanceof Unstarted)) throw error;
        hold.forget();
        await forgetHolding(store);
        throw error;
      }
    },
    confinement: async () => confinementOf(await hold.value()),
    [Symbol.asyncDispose]: () => cells[Symbol.asyncDispose](),
  };
}

/** What was to hold the run did not come up. */
class Unstarted extends LarderError {
  constructor({ stderr, exitCode, signal }: ChildEnd) {
    super(
      "E_CONFIG",
      `The run's process could not be started: ${stderr.trim().slice(0, 500) || signal || `exit code ${exitCode}`}`,
      {
        hint: "Try again: what this system allows to processes may have changed. Check that it has processes and memory left.",
        retryable: true,
      },
    );
  }
}

interface Prepared {
  store: HostStore;
  root: ResolutionRoot;
  request: RunRequest;
  order: Order;
  executables: Executables;
  held: Hold;
  cells: CellSupply;
  sampler: UsageSampler;
}

async function runIn(prepared: Prepared): Promise<RunResult> {
  const { store, root, request, order, executables, held, cells, sampler } = prepared;
  const { limits, runtime } = order;
  await using cell = await cells.take({
    hold: held,
    executables: [executables.bun.path, ...(executables.node ? [executables.node] : [])],
    processes: limits.processes,
  });
  const mark = held.holding === "marks" ? createRunMark() : undefined;
  await describeDiskErrors(cell.directory.path, async () =>
    furnish(prepared, cell, prepareStart({ store, cell, order, executables, mark })),
  );
  const end = await runInCell(cell, { mark, limits, sampler, signal: request.signal, onOutput: request.onOutput });
  const report = await readReport(cell.report);
  if (!report.started && end.stopped === undefined) throw new Unstarted(end);
  const { path } = cell.directory;
  const verdict = await judgeRun({
    end,
    report,
    limits,
    readDiagnostics: () => readFile(join(path, diagnosticsName), "utf8"),
    describe: async () => ({
      scriptName: order.source.name,
      scriptText: order.source.text,
      runDirectory: path,
      packagesDirectory: store.layout.packages,
      platform: formatPlatform(store.platform),
      ...(await root.describe()),
    }),
  });
  return {
    result: verdict.result,
    error: verdict.error?.toBody() ?? null,
    warnings: end.outputTruncated ? [outputCut(limits.outputBytes).toBody()] : [],
    stdout: end.stdout,
    stderr: end.stderr,
    outputTruncated: end.outputTruncated,
    exitCode: end.stopped !== undefined || (end.signal !== null && !report.exited) ? null : end.exitCode,
    durationMs: end.durationMs,
    generation: root.tree?.generation ?? 0,
    ...(root.tree === undefined ? {} : { lockfileHash: root.tree.lockfileHash }),
    runtime,
    confinement: confinementOf(held),
  };
}

/** A few small files, written at once: through the thread pool they take several times as long, and somebody waits. */
function furnish({ root }: Prepared, { directory }: Cell, files: [name: string, text: string][]): void {
  for (const [name, text] of files) writeFileSync(join(directory.path, name), text);
  if (root.tree) symlinkSync(join(root.tree.path, "node_modules"), join(directory.path, "node_modules"));
}

const outputCut = (limitBytes: number): LarderError =>
  new LarderError("E_RUN_OUTPUT", `The script printed more than ${limitBytes} bytes; the rest was dropped.`, {
    hint: "Print less, return data as the result, or allow more.",
  });
