import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { HostReport } from "../../contract/index.ts";
import { listHosts } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

setDefaultTimeout(60_000);

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const report: HostReport = {
  phase: "ready",
  generation: 1,
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  agentVersion: "test",
  runsInFlight: 0,
};

test("of reports that come at once each is kept, and one that cannot be written harms no other", async () => {
  const names = Array.from({ length: 40 }, (_, i) => `at-once-${i}`);
  const hosts = [];
  for (const name of names) hosts.push(await server.join(name));
  const answers = await Promise.allSettled(
    hosts.map((host, i) =>
      // No database can store NUL in a text.
      server.client(host).hosts.report({ ...report, agentVersion: i === 13 ? "bad\0" : `version ${i}` }),
    ),
  );
  expect(answers.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([13]);
  const seen = (await listHosts(server.context.db.query)).filter(({ id }) => id.startsWith("at-once-"));
  expect(seen.filter(({ phase }) => phase === "ready")).toHaveLength(39);
  expect(seen.find(({ id }) => id === "at-once-7")).toMatchObject({ agentVersion: "version 7" });
});

test("a report of a host that was revoked meanwhile is refused", async () => {
  const { reportDesk } = server.context;
  expect(await refusalOf(reportDesk.take("nobody", report))).toMatchObject({ code: "E_NOT_FOUND" });
});
