import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseJunit, type TestOutcome } from "./junit.ts";
import type { Suite } from "./suites.ts";

export interface SuiteResult {
  suite: Suite;
  passed: number;
  failed: TestOutcome[];
  skipped: TestOutcome[];
  durationMs: number;
}

/** Runs one `bun test`, its output on this process's streams, and counts by its report. Kills all of it at the deadline or the signal. */
export async function runSuite(
  root: string,
  suite: Suite,
  options: { args: string[]; signal: AbortSignal; quiet?: boolean },
): Promise<SuiteResult> {
  const scratch = await mkdtemp(join(tmpdir(), "larder-test-report-"));
  try {
    const report = join(scratch, "junit.xml");
    const start = performance.now();
    const end = await runBun(root, suite, [`--reporter-outfile=${report}`, ...options.args], options);
    const durationMs = performance.now() - start;
    const text = await readFile(report, "utf8").catch(() => "");
    return { suite, durationMs, ...judge(root, suite, parseJunit(text), { end, filtered: options.args.length > 0 }) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The exit code, or why the process had none. */
async function runBun(
  root: string,
  suite: Suite,
  args: string[],
  { signal, quiet }: { signal: AbortSignal; quiet?: boolean },
): Promise<number | string> {
  const parallel = suite.parallel > 1 ? [`--parallel=${suite.parallel}`, "--no-isolate"] : [];
  const limits = [`--timeout=${suite.testTimeoutMs}`, ...parallel];
  const flags = ["test", "--only-failures", "--no-orphans", ...limits, "--reporter=junit", ...args];
  const files = suite.files.map((file) => `./${file}`);
  // Bun's own test output goes to standard error; standard output keeps the summary.
  const child = spawn(process.execPath, [...flags, ...files], {
    cwd: root,
    stdio: quiet ? "ignore" : ["ignore", 2, 2],
    detached: true,
    env: { ...process.env, LARDER_DATA_DIR: undefined, LARDER_SERVER: undefined, LARDER_TOKEN: undefined },
  });
  let reason: string | undefined;
  const kill = (why: string) => {
    reason = why;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  const deadline = setTimeout(() => kill(`stopped after ${(suite.deadlineMs / 60_000).toFixed(1)} minutes`), suite.deadlineMs);
  const onAbort = () => kill("interrupted");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, killedBy) => resolve(reason ?? code ?? `ended by ${killedBy}`));
    });
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Never better than the process said: a file without a result did not load, and a process that failed without a failed test counts as one
 * failure. With a filter (`-t`) files may rightly have no result.
 */
export function judge(
  root: string,
  suite: Suite,
  outcomes: TestOutcome[],
  { end, filtered }: { end: number | string; filtered: boolean },
): Pick<SuiteResult, "passed" | "failed" | "skipped"> {
  const failed = outcomes.filter(({ outcome }) => outcome === "failed");
  const reported = new Set(outcomes.map(({ file }) => relative(root, resolve(root, file))));
  const silent = suite.files.filter((file) => !reported.has(file));
  const why = typeof end === "string" ? `no result: the process was ${end}` : "no result: it did not load, or holds no test";
  if (end !== 0 && !filtered) failed.push(...silent.map((file) => ({ file, name: why, outcome: "failed" as const })));
  if (end !== 0 && failed.length === 0) {
    const how = typeof end === "string" ? `the process was ${end}` : `the process ended with ${end}, outside of any test`;
    failed.push({ file: suite.name, name: how, outcome: "failed" });
  }
  return {
    passed: outcomes.filter(({ outcome }) => outcome === "passed").length,
    failed,
    skipped: outcomes.filter(({ outcome }) => outcome === "skipped"),
  };
}
