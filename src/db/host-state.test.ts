import { expect, test } from "bun:test";
import { silentAfterMs } from "../contract/index.ts";
import { cloneAlarmMs, type HostFacts, judgeHost } from "./host-state.ts";

const facts = (changes: Partial<HostFacts> = {}): HostFacts => ({
  generation: 3,
  accepted: 3,
  wanted: 3,
  phase: "ready",
  createdAt: "2026-01-01T00:00:00.000Z",
  lastSeenAt: "2026-01-02T00:00:00.000Z",
  phaseSince: "2026-01-03T00:00:00.000Z",
  silentMs: 1000,
  ...changes,
});
const error = { code: "E_NO_SPACE", message: "The disk is full." };
const failing = { phase: "error", error } as const;
const behind = { generation: 2, accepted: 2, nextGenerationAt: "2026-01-04T00:00:00.000Z" };

test("a host that serves what it should and was heard of is current, and there is nothing to say of it", () => {
  expect(judgeHost(facts())).toEqual({ state: "current", lag: 0 });
});

test("a host is silent from the moment that it was not heard of for so long, since its last word", () => {
  expect(judgeHost(facts({ silentMs: silentAfterMs - 1 })).state).toBe("current");
  expect(judgeHost(facts({ silentMs: silentAfterMs }))).toEqual({
    state: "silent",
    lag: 0,
    reason: "It does not report any more.",
    since: "2026-01-02T00:00:00.000Z",
  });
});

test("a host that has joined and never reported is silent since it joined", () => {
  const { lastSeenAt: _, ...never } = facts({ silentMs: silentAfterMs, phase: "pending", generation: 0, accepted: 0 });
  expect(judgeHost(never)).toEqual({
    state: "silent",
    lag: 3,
    reason: "It has never reported since it joined.",
    since: "2026-01-01T00:00:00.000Z",
  });
});

test("a failing host says which error, since the first failure", () => {
  expect(judgeHost(facts({ ...failing, ...behind }))).toEqual({
    state: "failing",
    lag: 1,
    reason: "E_NO_SPACE: The disk is full.",
    since: "2026-01-03T00:00:00.000Z",
  });
  // What it said when it failed last is not true any more.
  expect(judgeHost(facts({ error })).state).toBe("current");
});

test("a host behind says what it is at, since the generation that it lacks was published", () => {
  const reasons = [
    [facts({ ...behind, phase: "syncing" }), "It is fetching and building the new generation."],
    [facts(behind), "It has not begun with the new generation."],
    [facts({ ...behind, lastSeenAt: undefined }), "It has not reported yet."],
  ] as const;
  for (const [given, reason] of reasons) {
    expect(judgeHost(given)).toEqual({ state: "behind", lag: 1, reason, since: behind.nextGenerationAt });
  }
});

test.each([
  ["accepted more than there is", { accepted: 4 }],
  ["refuses to go back", { ...failing, error: { code: "E_ROLLBACK", message: "x" } }],
  ["refuses another content", { ...failing, error: { code: "E_EQUIVOCATION", message: "x" } }],
])("a host that %s is ahead, and the way out is named", (_, changes) => {
  expect(judgeHost(facts(changes))).toMatchObject({ state: "ahead", reason: expect.stringContaining("larder advance") });
});

test("a clone alarm stands for a while after what last confirmed it", () => {
  const alarm = { clonedMs: cloneAlarmMs - 1, clonedSince: "2026-01-05T00:00:00.000Z" };
  expect(judgeHost(facts(alarm))).toMatchObject({ state: "cloned", since: alarm.clonedSince });
  expect(judgeHost(facts({ ...alarm, clonedMs: cloneAlarmMs })).state).toBe("current");
});

test("of several states that hold, the worst is told", () => {
  const all = { ...behind, ...failing, silentMs: silentAfterMs, accepted: 4, clonedMs: 0 };
  const without = (...gone: (keyof HostFacts)[]) => {
    const given: HostFacts = facts(all);
    for (const name of gone) Object.assign(given, { [name]: facts()[name] });
    return judgeHost(given).state;
  };
  expect(without()).toBe("cloned");
  expect(without("clonedMs")).toBe("ahead");
  expect(without("clonedMs", "accepted")).toBe("silent");
  expect(without("clonedMs", "accepted", "silentMs")).toBe("failing");
  expect(without("clonedMs", "accepted", "silentMs", "error", "phase")).toBe("behind");
});
