import { expect, setDefaultTimeout, test } from "bun:test";
import { rawRoutes } from "../../contract/index.ts";
import { openTestServer, refusalOf } from "../testing/test-server.ts";
import { createAdmission } from "./admission.ts";

setDefaultTimeout(60_000);

const limits = {
  checkIn: { perSecond: 100, burst: 10 },
  blobs: { perSecond: 1, burst: 1 },
  joining: { perSecond: 1, burst: 1 },
};

test("a herd is let in up to its limit, and the rest is told to come back one behind the other", async () => {
  let now = 0;
  const { admit } = createAdmission(limits, () => now);
  const waits: number[] = [];
  for (let i = 0; i < 1010; i++) {
    const refused = await refusalOf((async () => admit("desired"))()).catch(() => undefined);
    if (refused) waits.push(Number(refused.details?.retryAfterSeconds));
  }
  expect(waits).toHaveLength(1000);
  for (let second = 1; second <= 10; second++) expect(waits.filter((wait) => wait === second)).toHaveLength(100);
  // Other traffic has room of its own, and people are never asked to wait.
  admit("blob");
  admit("join");
  for (let i = 0; i < 10_000; i++) admit("status.get");
  // Those that come back when they were told to find room.
  for (now = 1000; now <= 10_000; now += 10) admit("desired");
});

test("a burst grows with its rate, and what has no limit of its own keeps the usual one", () => {
  const { admit } = createAdmission({ blobs: { perSecond: 3 } }, () => 0);
  for (let i = 0; i < 6; i++) admit("blob");
  expect(() => admit("blob")).toThrow("Too many hosts");
  for (let i = 0; i < 4000; i++) admit("desired");
  expect(() => admit("desired")).toThrow("Too many hosts");
});

test("over HTTP it is 503 with Retry-After, and the admin API goes on", async () => {
  await using server = await openTestServer({ limits });
  const host = await server.join("herd");
  const answers = await Promise.all(Array.from({ length: 300 }, () => server.fetch(rawRoutes.self, { token: host })));
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(100);
  expect(await refused[0]?.json()).toMatchObject({ code: "E_OVERLOADED" });
  for (const { headers } of refused) expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect((await server.admin.hosts.list({})).items.map(({ id }) => id)).toEqual(["herd"]);
});
