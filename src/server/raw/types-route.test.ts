import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import { buildPackage } from "../../../test/harness/fixture-package.ts";
import { type EnvironmentName, rawRoutes, type TypesIndex, typesBundleSchema, typesIndexSchema } from "../../contract/index.ts";
import { commitTestGeneration, type TestGeneration } from "../testing/test-generation.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let author: string;
let typed: TestGeneration;

const tarballOf = (name: string, files: Record<string, string>) =>
  Buffer.from(buildPackage({ name, version: "1.0.0", files }).tarball);
const declared = {
  "index.d.ts": `export * from "./more"; export declare const é: 1;`,
  "more.d.ts": "export declare const more: 2;",
  "index.js": "",
};

beforeAll(async () => {
  server = await openTestServer();
  author = (await server.admin.tokens.create({ role: "author", subject: "author" })).text;
  // As an older Larder, which cut no declarations, would have left them.
  typed = await commitTestGeneration(server.context, { content: tarballOf("typed", declared), name: "typed" });
});
afterAll(() => server[Symbol.asyncDispose]());

const ask = (query: string, init: RequestInit = {}, environment = "default") =>
  server.fetch(`${rawRoutes.types(environment)}?${query}`, { token: author, ...init });
const indexOf = async (response: Response): Promise<TypesIndex> => typesIndexSchema.parse(await response.json());
const getBundle = (key: string, init: RequestInit = {}, environment = "default") =>
  server.fetch(rawRoutes.typesBundle(environment, key), { token: author, ...init });
const rows = async () =>
  (await server.context.db.query.execute(
    sql`select count(*)::int as n from package_types where outline is not null`,
  )) as unknown as { rows: { n: number }[] };

test("what was admitted before is cut when it is first asked for, and kept", async () => {
  const response = await ask("specifier=typed");
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "private, no-cache"]);
  const index = await indexOf(response);
  expect(index).toMatchObject({
    final: true,
    generation: typed.generation.number,
    lockfileHash: typed.lockfileHash,
    specifiers: [{ specifier: "typed", status: "typed", package: "typed@1.0.0", entry: "node_modules/typed/index.d.ts" }],
    packages: [{ path: "node_modules/typed", package: "typed@1.0.0", files: ["index.d.ts", "more.d.ts", "package.json"] }],
    totals: { packages: 1, files: 3 },
  });
  expect((await rows()).rows[0]?.n).toBe(1);
  const again = await ask("specifier=typed", { headers: { "if-none-match": response.headers.get("etag") ?? "" } });
  expect([again.status, (await again.bytes()).length]).toEqual([304, 0]);
});

test("a bundle hashes to its key, may be kept for ever, and comes packed to those who take it so", async () => {
  const [{ bundle } = { bundle: "" }] = (await indexOf(await ask("specifier=typed"))).packages;
  const plain = await getBundle(bundle, { headers: { "accept-encoding": "identity" } });
  expect(Object.fromEntries(plain.headers)).toMatchObject({
    "cache-control": "private, max-age=31536000, immutable",
    etag: `W/"${bundle}"`,
    vary: "accept-encoding",
  });
  expect(plain.headers.get("content-encoding")).toBeNull();
  const json = await plain.bytes();
  expect(createHash("sha512").update(json).digest("hex")).toBe(bundle);
  const { files, texts } = typesBundleSchema.parse(JSON.parse(Buffer.from(json).toString()));
  expect(texts[files["index.d.ts"] as number]).toBe(declared["index.d.ts"]);
  const packed = await getBundle(bundle, { headers: { "accept-encoding": "br, gzip" } });
  expect([packed.headers.get("content-encoding"), Buffer.compare(await packed.bytes(), json)]).toEqual(["gzip", 0]);
  expect((await getBundle(bundle, { headers: { "if-none-match": `W/"${bundle}"` } })).status).toBe(304);
});

test("what is not final is kept by nobody, and says why", async () => {
  await server.admin.packages.remove({ environment: "default", name: "typed" }).catch(() => undefined);
  const response = await ask("specifier=other&specifier=./x&specifier=typed");
  expect([response.headers.get("cache-control"), response.headers.get("etag")]).toEqual(["no-store", null]);
  const index = await indexOf(response);
  expect([index.final, index.specifiers.map(({ status }) => status)]).toEqual([
    false,
    ["notAllowlisted", "notAPackage", "typed"],
  ]);
});

test("another environment's types are reached by nobody who asks here, by name or by key", async () => {
  const other = (await server.admin.environments.create({ name: "other" })).name as EnvironmentName;
  await commitTestGeneration(server.context, {
    content: tarballOf("secret", { "index.d.ts": "export {}" }),
    name: "secret",
    environment: other,
  });
  const found = await indexOf(await ask("specifier=secret", {}, "other"));
  const key = found.packages[0]?.bundle ?? "";
  expect((await getBundle(key, {}, "other")).status).toBe(200);
  const answers = await Promise.all(
    [key, "0".repeat(128), "nonsense", "..%2f..%2fadmin-token"].map(async (each) => {
      const response = await getBundle(each);
      return [response.status, await response.text()];
    }),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.[0]).toBe(404);
  expect((await indexOf(await ask("specifier=secret"))).specifiers[0]?.status).toBe("notAllowlisted");
});

test("a package that did not change has the same bundle in the next generation", async () => {
  const before = await indexOf(await ask("specifier=typed"));
  await commitTestGeneration(server.context, { content: tarballOf("typed", declared), name: "typed" });
  const after = await indexOf(await ask("specifier=typed"));
  expect(after.generation).toBe(before.generation + 1);
  expect(after.packages).toEqual(before.packages);
  expect((await indexOf(await ask(`specifier=typed&generation=${before.generation}`))).generation).toBe(before.generation);
});

test("declarations that were lost or damaged are cut again from the blob", async () => {
  const [{ bundle } = { bundle: "" }] = (await indexOf(await ask("specifier=typed"))).packages;
  await server.context.db.query.execute(sql`update package_types set content = '\\x00'::bytea where bundle_key = ${bundle}`);
  const mended = await getBundle(bundle, { headers: { "accept-encoding": "identity" } });
  expect(
    createHash("sha512")
      .update(await mended.bytes())
      .digest("hex"),
  ).toBe(bundle);
  await server.context.db.query.execute(sql`delete from package_types where blob_key = ${typed.key}`);
  await using fresh = await reopened();
  expect((await indexOf(await fresh("specifier=typed"))).packages[0]?.bundle).toBe(bundle as never);
});

/** Asks a library that remembers nothing. */
async function reopened() {
  const { createTypesLibrary } = await import("../declarations/types-library.ts");
  const { createTypesAnswers } = await import("../declarations/answer-types.ts");
  const { getTypes } = await import("./types-route.ts");
  const { db, blobs } = server.context;
  const { silentLogger } = await import("../../lib/index.ts");
  const library = createTypesLibrary({ db, blobs, bunPath: process.execPath, logger: silentLogger });
  const answers = createTypesAnswers({ db, library });
  const fetchIndex = async (query: string) => {
    const url = new URL(`http://x.test${rawRoutes.types("default")}?${query}`);
    return await getTypes({ request: new Request(url), url, params: { environment: "default" } } as never, { db, answers });
  };
  return Object.assign(fetchIndex, { [Symbol.asyncDispose]: () => library[Symbol.asyncDispose]() });
}

test("declarations go with their blob's row", async () => {
  const count = async () =>
    (
      (await server.context.db.query.execute(
        sql`select count(*)::int as n from package_types where blob_key = ${typed.key}`,
      )) as unknown as { rows: { n: number }[] }
    ).rows[0]?.n;
  await indexOf(await ask("specifier=typed"));
  expect(await count()).toBe(1);
  await server.context.db.query.execute(sql`delete from blobs where key = ${typed.key}`);
  expect(await count()).toBe(0);
});

test.each([
  "",
  "specifier=",
  `specifier=${"a".repeat(2000)}`,
  "generation=0&specifier=x",
  "generation=x&specifier=x",
  Array.from({ length: 51 }, (_, i) => `specifier=a${i}`).join("&"),
])("the question %p is answered or refused, never a failure of ours", async (query) => {
  const response = await ask(query);
  expect([200, 400]).toContain(response.status);
  expect(response.headers.get("cache-control")).not.toContain("immutable");
});

test("a generation and an environment that there are not are 404", async () => {
  expect((await ask("specifier=x&generation=99")).status).toBe(404);
  expect((await ask("specifier=x", {}, "nowhere")).status).toBe(404);
  expect((await ask("specifier=x", {}, "No%20Name")).status).toBe(400);
});

test("nothing installed is an answer too", async () => {
  await server.admin.environments.create({ name: "empty" });
  const response = await ask("specifier=x", {}, "empty");
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  expect(await indexOf(response)).toMatchObject({ generation: 0, final: false, specifiers: [{ status: "notAllowlisted" }] });
});
