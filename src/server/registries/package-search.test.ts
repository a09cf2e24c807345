import { afterAll, beforeAll, expect, test } from "bun:test";
import type { PackageName } from "../../contract/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";
import { createPackageSearch } from "./package-search.ts";

const found = (...names: string[]) => ({
  objects: names.map((name) => ({
    package: { name, version: "1.0.0", description: `About ${name}.`, date: "2026-01-31T12:00:00Z" },
  })),
});

/** Registries with a search, which remember what they were asked. */
const asked: string[] = [];
let slow = false;
const registry = (label: string, names: string[]) =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(`${label} ${decodeURIComponent(pathname)}${search}`);
      if (label === "corp" && slow) await Bun.sleep(3000);
      if (pathname === "/-/v1/search") return Response.json(found(...names));
      return new Response("{}", { status: 404 });
    },
  });
const main = registry("main", ["date-fns", "@acme/date", "dates"]);
const corp = registry("corp", ["@acme/date", "date-fns"]);
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer({ registry: main.url });
  await server.admin.registries.set({ name: "corp", url: corp.url.href, scopes: ["@acme"] });
}, 120_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Promise.all([main.stop(true), corp.stop(true)]);
});

test("each registry is heard about its own names only, and names that begin with the text come first", async () => {
  const { results, registries } = await server.admin.registries.search({ text: "date" });
  expect(results.map(({ name, registry }) => `${registry} ${name}`)).toEqual([
    "default date-fns",
    "default dates",
    "corp @acme/date",
  ]);
  expect(results[0]).toMatchObject({
    version: "1.0.0",
    description: "About date-fns.",
    publishedAt: "2026-01-31T12:00:00.000Z",
    exact: false,
  });
  expect(registries.map(({ name, state }) => [name, state])).toEqual([
    ["default", "ok"],
    ["corp", "ok"],
  ]);
});

test("what looks like a name of a claimed scope is asked for there only", async () => {
  for (const text of ["@ac", "@acme", "@acme/", "@acme/unreleased-thing"]) {
    asked.length = 0;
    await server.admin.registries.search({ text });
    expect({ text, elsewhere: asked.filter((each) => !each.startsWith("corp ")) }).toEqual({ text, elsewhere: [] });
    expect(asked.length).toBeGreaterThan(0);
  }
});

test("an answer is given again for a while, to the same user, and not after a change of registries", async () => {
  const { packageSearch } = server.context;
  const search = async (user: string) => {
    asked.length = 0;
    await packageSearch.search({ text: "again", limit: 5 }, { user, signal: new AbortController().signal });
    return asked.length;
  };
  const first = await search("alice");
  expect(first).toBeGreaterThan(0);
  expect(await search("alice")).toBe(0);
  expect(await search("bob")).toBe(first);
  await server.admin.registries.set({ name: "corp", names: ["corp-*"] });
  expect(await search("alice")).toBe(first);
});

test("a registry that is slow is given up after a while, and hides nothing of the others", async () => {
  const service = createPackageSearch({ registries: server.context.registry, searchMs: 300, versionsMs: 300 });
  const caller = { user: "alice", signal: new AbortController().signal };
  slow = true;
  const { results, registries } = await service.search({ text: "slow", limit: 5 }, caller);
  expect(registries.find(({ name }) => name === "corp")).toMatchObject({
    state: "failed",
    message: expect.stringContaining("in time"),
  });
  expect(results.map(({ registry }) => registry)).toEqual(["default", "default"]);
  const versions = service.versions({ name: "@acme/date" as PackageName, limit: 5 }, caller);
  expect(await refusalOf(versions)).toMatchObject({ code: "E_TIMEOUT", retryable: true });
  slow = false;
  // A failure is not given again.
  expect((await service.search({ text: "slow", limit: 5 }, caller)).registries.every(({ state }) => state === "ok")).toBe(true);
});
