import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import type { Operation } from "../../src/contract/index.ts";
import { type S3Server, startS3 } from "../harness/s3.ts";
import { until } from "../harness/until.ts";
import { type Fleet, openFleet, type Replica } from "./fleet.ts";
import { assertOneMore, failLeader, recovered } from "./leader-fault.ts";

// The fleet's main cases once more, with blobs in a bucket: bytes and rows are then not of one transaction, nor of one machine.

let s3: S3Server;
let fleet: Fleet;
const replica = (name: string) => fleet.replicas.get(name) as Replica;

beforeAll(async () => {
  s3 = await startS3();
  fleet = await openFleet({ replicas: 3, hosts: 2, ownNetworks: false, s3 });
}, 120_000);
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await s3?.[Symbol.asyncDispose]();
}, 60_000);

test.each([
  ["", []],
  [", though the bucket loses its answers", [{ method: "PUT", times: 2, what: { kind: "loseAnswer" } }]],
] as const)(
  "installs raced from three replicas over one bucket are one operation, and every host follows%s",
  async (_, faults) => {
    const replicas = [...fleet.replicas.values()];
    const before = await fleet.generations(replica("r1"));
    await fleet.change(replica("r2"));
    await s3.fault(...faults);
    const asked = await Promise.all([...replicas, ...replicas].map((each) => fleet.install(each)));
    expect(new Set(asked.map(({ operation }) => operation.id)).size).toBe(1);
    await recovered(fleet, { at: replica("r3"), before, what: "raced" });
    for (const each of replicas) await assertOneMore(fleet, each, before);
    await s3.fault();
  },
  60_000,
);

describe("with a leader in the place of the third", () => {
  beforeAll(() => fleet.forget(replica("r3")));

  test.each([
    ["killed", "install:before-put"],
    ["killed", "install:after-put"],
    ["killed", "install:before-commit"],
    ["stopped", "install:before-put"],
  ] as const)(
    "a leader %s at %s: another ends the install, one generation, every host converges",
    async (fault, step) => {
      await failLeader(fleet, { step, fault });
    },
    120_000,
  );
});

test("after all that every blob is in the bucket as it should be, and no upload is left half done", async () => {
  const { operation } = await fleet.api<{ operation: Operation }>(replica("r1"), "POST", "/storage/verifications", {});
  const ended = await until(
    "all blobs were read",
    async () => {
      const now = await fleet.api<Operation>(replica("r2"), "GET", `/operations/${operation.id}`);
      return now.endedAt === undefined ? undefined : now;
    },
    { timeoutMs: 30_000, everyMs: 50 },
  );
  const nodes = (await fleet.generations(replica("r2")))[0]?.nodes;
  expect(ended).toMatchObject({ state: "succeeded", result: { checked: nodes, broken: 0, repaired: 0 } });
  expect(await readdir(s3.uploads).catch(() => [])).toEqual([]);
}, 60_000);
