import { expect, test } from "bun:test";
import { until } from "../../test/harness/until.ts";
import { LarderError, type RunOutcome, type RunRequestBody, type RunResult } from "../contract/index.ts";
import { silentLogger } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import { createSentRuns, type ScriptRunner } from "./sent-runs.ts";

interface Desk {
  controlPlane: ControlPlane;
  waiting: { id: string; request: RunRequestBody }[];
  finished: Map<string, RunOutcome>;
  claims: number[];
  failNext: number;
}

function createDesk(): Desk {
  const desk: Desk = { controlPlane: {} as ControlPlane, waiting: [], finished: new Map(), claims: [], failNext: 0 };
  Object.assign(desk.controlPlane, {
    claimRuns: async (max: number) => {
      desk.claims.push(max);
      return desk.waiting.splice(0, max);
    },
    finishRun: async (id: string, outcome: RunOutcome) => {
      if (desk.failNext-- > 0) throw new LarderError("E_SERVER_UNREACHABLE", "away", { retryable: true });
      desk.finished.set(id, outcome);
    },
  });
  return desk;
}

const started = (desk: Desk, runScript?: ScriptRunner) => {
  const stop = new AbortController();
  const runs = createSentRuns({ controlPlane: desk.controlPlane, runScript, logger: silentLogger, signal: stop.signal });
  return { runs, stop };
};
const done = (result: unknown) => ({ result }) as RunResult;
const script = (id: string) => ({ id, request: { script: id } });

test("a script is run once, and its outcome sent until it arrives", async () => {
  const desk = createDesk();
  const { runs } = started(desk, async (request) => done(request.script));
  desk.waiting.push(script("a"), script("b"));
  desk.failNext = 2;
  runs.look();
  runs.look();
  await until("both have ended", () => desk.finished.size === 2);
  expect(desk.finished.get("a")).toEqual({ result: done("a") });
  expect(desk.finished.get("b")).toEqual({ result: done("b") });
});

test("a host that does not allow it refuses each, by name", async () => {
  const desk = createDesk();
  const { runs } = started(desk);
  desk.waiting.push(script("a"));
  runs.look();
  await until("it has answered", () => desk.finished.size === 1);
  expect(desk.finished.get("a")).toMatchObject({
    error: { code: "E_RUNS_NOT_ALLOWED", hint: expect.stringContaining("--allow-runs") },
  });
});

test("what does not start, and what is too large to send, is an answer too", async () => {
  const desk = createDesk();
  const { runs } = started(desk, async ({ script: text }) => {
    if (text === "broken") throw new LarderError("E_INPUT", "no");
    return done("x".repeat(8 << 20));
  });
  desk.waiting.push(script("broken"), script("large"));
  runs.look();
  await until("both have ended", () => desk.finished.size === 2);
  expect(desk.finished.get("broken")).toMatchObject({ error: { code: "E_INPUT" } });
  expect(desk.finished.get("large")).toMatchObject({ error: { code: "E_RUN_LIMIT" } });
});

test("only so many at once, and the next when there is room", async () => {
  const desk = createDesk();
  let running = 0;
  let most = 0;
  const { runs } = started(desk, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return done(1);
  });
  for (let i = 0; i < 100; i++) desk.waiting.push(script(`r${i}`));
  runs.look();
  await until("all have ended", () => desk.finished.size === 100);
  expect(most).toBeLessThanOrEqual(Math.max(...desk.claims));
  expect(most).toBeGreaterThan(1);
});

test("those under way are cancelled when the agent stops, and it waits for them", async () => {
  const desk = createDesk();
  const { runs, stop } = started(desk, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return done("cut short");
  });
  desk.waiting.push(script("a"));
  runs.look();
  await until("it has begun", () => desk.waiting.length === 0);
  stop.abort();
  await runs.ended();
  expect(desk.finished.get("a")).toEqual({ result: done("cut short") });
});
