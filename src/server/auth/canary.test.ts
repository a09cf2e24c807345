import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Id, parsePlatform, rawRoutes } from "../../contract/index.ts";
import { routeTable } from "../http/route-table.ts";
import { dumpDatabase } from "../testing/dump-database.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { type Caller, openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

async function allGetAnswers(server: TestServer, tokens: (Caller | undefined)[], hostId: Id): Promise<string> {
  const gets = routeTable.filter(({ method, name }) => method === "GET" && name !== "events");
  const texts: string[] = [];
  for (const { path } of gets) {
    const address = path
      .replace("{environment}", "default")
      .replace("{id}", hostId)
      .replace(/\{\w+\}/g, "1");
    for (const token of tokens) {
      const response = await server.fetch(address, { token });
      texts.push(JSON.stringify([...response.headers]), await response.text());
    }
  }
  return texts.join("\n");
}

/** What its cookie holds. */
async function signIn(server: TestServer, token: string): Promise<string> {
  const response = await server.fetch("/api/session", {
    method: "POST",
    body: JSON.stringify({ token }),
    headers: { "content-type": "application/json" },
  });
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await server.fetch("/api/session", { headers: { cookie } })).status).toBe(200);
  return cookie.split("=")[1] ?? "";
}

/** Credentials of both kinds, used, refused and given in wrong places. */
async function addRegistries(server: TestServer): Promise<Record<string, string>> {
  const [token, password] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
  const auth = { type: "bearer", token } as const;
  const { registries } = server.admin;
  // Nobody listens there: each request fails, and is logged.
  await registries.set({ name: "bearer", url: "http://127.0.0.1:9/", scopes: ["@bearer"], auth });
  await registries.set({ name: "basic", url: "http://127.0.0.1:9/b/", auth: { type: "basic", username: "u", password } });
  await registries.import({ npmrc: `@i:registry=http://127.0.0.1:9/i/\n//127.0.0.1:9/i/:_authToken=${token}\n` });
  await registries.test({ name: "bearer" });
  await registries.search({ text: "@bearer/x" });
  const wrong = [
    registries.set({ name: "bearer", url: `https://u:${password}@r.example/` }),
    registries.set({ name: "bearer", url: "https://r.example/" }),
    registries.set({ name: "bearer", auth: { type: "bearer", token: `${token} ${token}` } }),
    registries.set({ name: "bearer", auth: { type: "basic", username: `${token}:`, password } }),
    registries.set({ name: "bearer", ca: `-----BEGIN PRIVATE KEY-----${password}` }),
    registries.import({ npmrc: `//127.0.0.1:9/:_authToken=${token}\n@x:registry=${password}\n` }),
  ];
  for (const call of wrong) server.logs.push(JSON.stringify((await refusalOf(call)).toBody()));
  await server.fetch("/api/registries/bearer", {
    method: "PUT",
    token: server.adminToken,
    body: JSON.stringify({ name: "bearer", auth: { type: token, token: [password] }, [token]: password }),
    headers: { "content-type": "application/json" },
  });
  return { registryToken: token, registryPassword: password, basic: Buffer.from(`u:${password}`).toString("base64") };
}

test("no token and no key is in a log, an answer to a GET, a database row or a file but its own", async () => {
  await using server = await openTestServer();
  const author = (await server.admin.tokens.create({ role: "author", subject: "author" })).text;
  const { token: enrolment } = await server.admin.hosts.enrol({ id: "unused", environment: "default" });
  const host = await server.join("canary");
  await commitTestGeneration(server.context, { content: Buffer.from("content") });
  await server.client(host).hosts.report({
    phase: "error",
    generation: 1,
    platform: parsePlatform("linux-x64"),
    agentVersion: "1",
    runsInFlight: 0,
  });
  const registry = await addRegistries(server);
  // Mistakes that put a token where it does not belong.
  for (const token of [author, enrolment]) {
    await server.fetch(`/api/hosts/${token}`, { token: server.adminToken });
    await server.fetch(`/api/nothing/${token}?token=${token}`, { token: server.adminToken });
    await server.fetch("/api/hosts", { headers: { authorization: token } });
    await server.fetch("/api/environments", {
      method: "POST",
      token: server.adminToken,
      body: JSON.stringify({ name: token }),
      headers: { "content-type": "application/json" },
    });
  }
  await server.fetch(rawRoutes.self, { token: host });
  const session = await signIn(server, author);
  const answers = await allGetAnswers(server, [server.adminToken, author, enrolment, host, undefined], "canary");
  const database = JSON.stringify(await dumpDatabase(server.context));
  const logs = server.logs.join("\n");
  expect(logs).toContain("hosts.enrol");
  const secretKey = (await readFile(join(server.directory, "control", "secret-key"), "utf8")).trim();
  const secrets = { admin: server.adminToken, author, enrolment, secretKey, session, ...registry };
  const hexOfKey = Buffer.from(secretKey, "base64").toString("hex");
  const cores = Object.entries(secrets).map(
    ([name, text]) => [name, text.replace(/^ldr_[a-z]+_/, "").replace(/\..*$/, "")] as const,
  );
  for (const [name, core] of [...cores, ["secretKeyHex", hexOfKey] as const]) {
    for (const [where, text] of Object.entries({ answers, database, logs })) {
      expect({ name, where, found: text.includes(core) }).toEqual({ name, where, found: false });
    }
  }
  // The private half of the signing key is PKCS #8, whose first bytes are always these.
  expect(answers + database + logs).not.toContain("MC4CAQAwBQYDK2VwBCIEI");
  for (const entry of await readdir(join(server.directory, "control"))) {
    if (entry === "secret-key" || entry === "scratch") continue;
    const content = await readFile(join(server.directory, "control", entry), "utf8");
    for (const [name, core] of cores)
      expect({ entry, name, found: content.includes(core) }).toEqual({ entry, name, found: false });
  }
});
