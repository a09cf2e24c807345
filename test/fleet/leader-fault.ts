import { expect } from "bun:test";
import type { Generation, Operation } from "../../src/contract/index.ts";
import type { GatedConnection } from "../harness/tcp-gate.ts";
import { until } from "../harness/until.ts";
import { type Fleet, isAsleep, type Replica } from "./fleet.ts";

/** Steps of an install that have a failpoint, in their order. */
export const installSteps = [
  "install:planned",
  "install:resolved",
  "install:before-put",
  "install:after-put",
  "install:fetched",
  "install:published",
  "install:before-commit",
] as const;

/** killed: `kill -9` · stopped: SIGSTOP, and SIGCONT when all is over · cut off: its network to the database goes silent, and comes back when all is over. */
export const faults = ["killed", "stopped", "cut off"] as const;
export type Fault = (typeof faults)[number];

export interface Recovery {
  what: string;
  /** From the fault to the generation's commit, seen at another replica. */
  committedMs: number;
  /** From the fault until the last host serves it. */
  convergedMs: number;
  attempt: number;
}

/** Of the two that stay. */
const others = (fleet: Fleet, victim: Replica): [Replica, Replica] => {
  const [first, second] = [...fleet.replicas.values()].filter(({ name }) => name !== victim.name);
  if (first === undefined || second === undefined) throw new Error("The fleet needs three replicas.");
  return [first, second];
};

/** Starts an install that `victim` runs: the others sleep until `reached` resolves. */
export async function installAt(fleet: Fleet, victim: Replica, reached: () => Promise<unknown>): Promise<void> {
  const [first, second] = others(fleet, victim);
  await fleet.change(first);
  for (const { signal } of [first, second]) signal("SIGSTOP");
  try {
    await fleet.install(victim);
    await reached();
  } finally {
    for (const { signal } of [first, second]) signal("SIGCONT");
  }
}

/** Waits for the one generation that must come of an install, and sees that it is the only one. */
export async function recovered(
  fleet: Fleet,
  { at, before, what }: { at: Replica; before: readonly Generation[]; what: string },
): Promise<Recovery> {
  const startedAt = performance.now();
  const expected = (before[0]?.number ?? 0) + 1;
  await until(
    `generation ${expected} is committed`,
    async () => {
      if ((await fleet.generations(at))[0]?.number === expected) return true;
      // What it waits for, for the reader of a failure.
      if (performance.now() - startedAt > 50_000)
        throw new Error(JSON.stringify(await fleet.api(at, "GET", "/operations?limit=3")));
      return false;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
  const committedMs = performance.now() - startedAt;
  await fleet.converged(at, expected);
  const convergedMs = performance.now() - startedAt;
  const latest = await until(
    "the install has succeeded",
    async () => {
      const { items } = await fleet.api<{ items: Operation[] }>(at, "GET", "/operations?limit=1");
      const [operation] = items;
      if (operation?.state === "succeeded") return operation;
      throw new Error(JSON.stringify(operation));
    },
    { timeoutMs: 30_000, everyMs: 50 },
  );
  await assertOneMore(fleet, at, before);
  return { what, committedMs, convergedMs, attempt: latest.attempt };
}

export async function assertOneMore(fleet: Fleet, at: Replica, before: readonly Generation[]): Promise<void> {
  const numbers = (await fleet.generations(at)).map(({ number }) => number);
  expect(numbers).toEqual([(before[0]?.number ?? 0) + 1, ...before.map(({ number }) => number)]);
}

/** The leader meets `fault` at `step` of an install; somebody else ends it, and a leader that comes back changes nothing and serves again. */
export async function failLeader(fleet: Fleet, { step, fault }: { step: string; fault: Fault }): Promise<Recovery> {
  const victim = await fleet.start("victim", { failpoint: `${step}:${fault === "killed" ? "kill" : "stop"}` });
  const [witness] = others(fleet, victim);
  const before = await fleet.generations(witness);
  await installAt(fleet, victim, async () => {
    if (fault === "killed") expect((await victim.exited).signal).toBe("SIGKILL");
    else await isAsleep(victim);
  });
  if (fault === "cut off") {
    victim.gate.set("silent");
    victim.signal("SIGCONT");
  }
  const recovery = await recovered(fleet, { at: witness, before, what: `${fault} at ${step}` });
  if (fault !== "killed") {
    victim.gate.set("open");
    victim.signal("SIGCONT");
    await until("it serves again", async () => (await fetch(`${victim.url}/readyz`)).ok, { timeoutMs: 30_000, everyMs: 50 });
    // What it still has in hand, it must not be able to finish.
    await Bun.sleep(700);
    await assertOneMore(fleet, witness, before);
    await assertOneMore(fleet, victim, before);
  }
  await fleet.forget(victim);
  return recovery;
}

/**
 * Runs an install at a leader that was started with `sleepBeforeCommit`, and calls `onCommit` when it has woken up and its COMMIT is on the way, before the server
 * hears of it. Prepared statements have no text, so that it is known by its place: it is the next that the connection says which made the generation.
 */
export async function installUntilCommit(
  fleet: Fleet,
  leader: Replica,
  onCommit: (connection: GatedConnection) => void,
): Promise<void> {
  let maker: GatedConnection | undefined;
  let awake = false;
  leader.gate.watch((connection) => {
    if (!awake && connection.said().includes('insert into "generations"')) maker = connection;
    if (!awake || connection !== maker) return;
    maker = undefined;
    onCommit(connection);
  });
  await installAt(fleet, leader, () => isAsleep(leader));
  expect(maker).toBeDefined();
  awake = true;
  leader.signal("SIGCONT");
}
export const sleepBeforeCommit = "install:before-commit:stop";
