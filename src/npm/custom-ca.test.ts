import { afterAll, beforeAll, expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { openTempDir } from "../../test/harness/temp-dir.ts";
import { testUnless } from "../../test/harness/test-unless.ts";
import { LarderError, type PackageName } from "../contract/index.ts";
import { createOutboundGuard } from "./outbound/outbound-guard.ts";
import { createRegistryClient } from "./registry-client.ts";

const noOpenssl = spawnSync("openssl", ["version"]).status === 0 ? undefined : "there is no openssl to make certificates with";
const lodash = "lodash" as PackageName;
const document = JSON.stringify({ name: "lodash", "dist-tags": {}, versions: {} });
let directory: Awaited<ReturnType<typeof openTempDir>>;
let server: Server | undefined;
let port = 0;
let ca = "";
const asked: { sni: unknown; host: string | undefined }[] = [];

beforeAll(async () => {
  directory = await openTempDir("tls");
  if (noOpenssl !== undefined) return;
  await makeCertificates();
  ca = await readFile(directory.join("ca.pem"), "utf8");
  const [key, cert] = [await readFile(directory.join("server.key")), await readFile(directory.join("server.pem"))];
  server = createServer({ key, cert }, (request, response) => {
    asked.push({ sni: (request.socket as TLSSocket).servername, host: request.headers.host });
    if (request.url === "/down/lodash") response.writeHead(302, { location: `http://npm.corp.test:${port}/lodash` }).end();
    else response.end(document);
  });
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
  await directory[Symbol.asyncDispose]();
});

async function makeCertificates(): Promise<void> {
  await writeFile(directory.join("names"), "subjectAltName=DNS:npm.corp.test");
  const lines = [
    "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=Test-CA -addext basicConstraints=critical,CA:TRUE",
    "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=npm.corp.test",
    "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
  ];
  for (const line of lines) {
    const { status, stderr } = spawnSync("openssl", line.split(" "), { cwd: directory.path, encoding: "utf8" });
    if (status !== 0) throw new Error(`openssl ${line}: ${stderr}`);
  }
}

function ask(host: string, given?: string, path = "") {
  const url = new URL(`https://${host}:${port}/${path}`);
  const config = { name: "corp", url, scopes: [], names: [], tarballOrigins: [], ca: given };
  const guard = createOutboundGuard({ resolve: async () => [{ address: "127.0.0.1", family: 4 }] });
  return createRegistryClient({ config, guard, attempts: 3, backoffBaseMs: 1 }).packument(lodash);
}

async function refusal(promise: Promise<unknown>): Promise<LarderError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LarderError) return error;
  throw error ?? new Error("It was not refused.");
}

testUnless(
  noOpenssl,
  "a certificate of an authority of one's own is trusted for the registry that was given it, and no other",
  async () => {
    expect((await ask("npm.corp.test", ca)).kind).toBe("ok");
    const error = await refusal(ask("npm.corp.test"));
    expect([error.code, error.message, error.hint]).toEqual([
      "E_REGISTRY_ANSWER",
      expect.stringContaining("certificate is not trusted"),
      expect.stringContaining("--ca"),
    ]);
  },
);

testUnless(noOpenssl, "a certificate for another name is refused, though the address and the authority are right", async () => {
  const error = await refusal(ask("other.corp.test", ca));
  expect(error.message).toContain("certificate is not trusted");
  expect(error.hint).toContain("for another name");
});

testUnless(noOpenssl, "the server is told the name, not the address that was checked", async () => {
  asked.length = 0;
  await ask("npm.corp.test", ca);
  expect(asked).toEqual([{ sni: "npm.corp.test", host: `npm.corp.test:${port}` }]);
});

testUnless(noOpenssl, "a connection that was proven for one name is not used for another at the same address", async () => {
  expect((await ask("npm.corp.test", ca)).kind).toBe("ok");
  asked.length = 0;
  const error = await refusal(ask("other.corp.test", ca));
  expect(error.message).toContain("certificate is not trusted");
  expect(error.hint).toContain("for another name");
  expect((await refusal(ask("npm.corp.test"))).message).toContain("certificate is not trusted");
  expect(asked).toEqual([]);
});

testUnless(noOpenssl, "a redirect from https to http is refused", async () => {
  expect((await refusal(ask("npm.corp.test", ca, "down/"))).message).toContain("from https to http");
});
