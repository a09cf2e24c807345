import { expect } from "bun:test";
import { type Random, withRandom } from "../harness/random.ts";
import { whyNoStrace } from "../harness/strace.ts";
import { testUnless } from "../harness/test-unless.ts";
import { type CrashPoint, enumeratePoints, type Injection, injectionsAt, runWithInjection } from "./crash-point.ts";
import { type Operation, operations } from "./host-driver.ts";
import { openAttempt, openStage, type Stage } from "./host-stage.ts";

/** `LARDER_FULL=1`: every point, with every fault. Otherwise a sample, spread over the operations. */
const isFull = process.env.LARDER_FULL === "1";
const sampledFaults = { reconcile: 36, flip: 14, sweep: 20, repair: 20 };
const lanes = 2;
const noStrace = whyNoStrace();

interface Tally {
  operation: Operation;
  points: number;
  kills: number;
  errors: number;
  violations: string[];
}

testUnless(
  noStrace,
  "killed at, or given an error by, any system call that touches the store, a host keeps what it serves and goes on (I1–I3, I6–I13)",
  () =>
    withRandom(async (random) => {
      using stage = await openStage();
      const tallies: Tally[] = [];
      for (const operation of operations) tallies.push(await sweepOperation(stage, operation, random));
      console.log(formatTable(tallies));
      expect(tallies.flatMap(({ violations }) => violations)).toEqual([]);
      for (const { points } of tallies) expect(points).toBeGreaterThan(5);
    }),
  60 * 60_000,
);

async function sweepOperation(stage: Stage, operation: Operation, random: Random): Promise<Tally> {
  const recorded = await openAttempt(stage, operation);
  const points = await enumeratePoints(stage, operation, recorded.directory);
  await recorded[Symbol.asyncDispose]();
  const faults = points.flatMap((point) => injectionsAt(point).map((injection) => ({ point, injection })));
  const chosen = isFull ? faults : random.shuffle(faults).slice(0, sampledFaults[operation]);
  const tally: Tally = { operation, points: points.length, kills: 0, errors: 0, violations: [] };
  const queue = [...chosen];
  const lane = async () => {
    for (let fault = queue.shift(); fault; fault = queue.shift()) {
      tally.violations.push(...(await tryFault(stage, operation, fault)));
      tally[fault.injection === "kill" ? "kills" : "errors"] += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return tally;
}

/** What does not hold after one fault, and after the next attempt. */
async function tryFault(
  stage: Stage,
  operation: Operation,
  { point, injection }: { point: CrashPoint; injection: Injection },
): Promise<string[]> {
  const at = `${operation}, ${injection} at ${point.thread} ${point.call} ${point.ordinal} ${point.text}:`;
  await using attempt = await openAttempt(stage, operation);
  const ran = await runWithInjection(stage, operation, { directory: attempt.directory, point, injection });
  if (!ran) return [`${at} it never came there`];
  const found = attempt.violations();
  if (injection !== "kill" && ran.outcome !== "done" && !ran.outcome.includes('"known":true'))
    found.push(`ended with ${ran.outcome}`);
  const recovered = await attempt.recover().catch((error: Error) => [`I11 ${error.stack}`]);
  return [...found, ...recovered].map((violation) => `${at} ${violation}`);
}

function formatTable(tallies: Tally[]): string {
  const rows = tallies.map(({ operation, points, kills, errors, violations }) =>
    [operation, points, kills, errors, violations.length].map((cell) => String(cell).padStart(10)).join(" |"),
  );
  return ["", ["operation", "points", "kills", "errors", "violations"].map((cell) => cell.padStart(10)).join(" |"), ...rows].join(
    "\n",
  );
}
