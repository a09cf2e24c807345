import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { defaultEnvironment as environment } from "../../contract/index.ts";
import { openTestServer, refusalOf, type TestClient, type TestServer } from "../testing/test-server.ts";

let registry: FixtureRegistry;
let server: TestServer;
let author: TestClient;
beforeAll(async () => {
  registry = await openFixtureRegistry([{ name: "wanted", version: "1.0.0" }]);
  server = await openTestServer({ registry: new URL(registry.url) });
  author = server.client((await server.admin.tokens.create({ role: "author", subject: "ann" })).text);
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

test("an author asks, adding the package approves, and whoever asks again is told that it is there", async () => {
  const request = await author.requests.create({ environment, name: "wanted", reason: "for dates" });
  expect(request).toMatchObject({ name: "wanted", state: "open", requestedBy: "ann", reason: "for dates" });
  expect((await author.requests.create({ environment, name: "wanted" })).id).toBe(request.id);
  await server.admin.packages.add({ environment, packages: [{ name: "wanted", version: "1.0.0" }] });
  const [decided] = await author.requests.list({ environment });
  expect(decided).toMatchObject({ id: request.id, state: "approved", decidedBy: "admin" });
  expect((await refusalOf(author.requests.create({ environment, name: "wanted" }))).code).toBe("E_CONFLICT");
});

test("a request is declined once, with an answer; then the package may be asked for again", async () => {
  const { id } = await author.requests.create({ environment, name: "unwanted" });
  expect((await refusalOf(author.requests.decline({ environment, id }))).code).toBe("E_FORBIDDEN");
  expect(await server.admin.requests.decline({ environment, id, answer: "use wanted" })).toMatchObject({
    state: "declined",
    answer: "use wanted",
  });
  expect((await refusalOf(server.admin.requests.decline({ environment, id }))).code).toBe("E_NOT_FOUND");
  expect((await author.requests.create({ environment, name: "unwanted" })).id).not.toBe(id);
});
