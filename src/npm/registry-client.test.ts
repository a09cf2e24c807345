import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { LarderError, type PackageName } from "../contract/index.ts";
import { latestVersion } from "./packument.ts";
import { createRegistryClient, defaultRegistry, type RegistryClientOptions } from "./registry-client.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function registry(handler: Handler): Promise<{ url: URL; count(): number }> {
  let count = 0;
  const server = createServer((request, response) => handler(request, response, ++count));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`), count: () => count };
}

const clientFor = (url: URL, options: RegistryClientOptions = {}) =>
  createRegistryClient({ registry: url, attempts: 3, backoffBaseMs: 1, idleMs: 2000, ...options });
const dayjs = "dayjs" as PackageName;
const document = (name: string) =>
  JSON.stringify({
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { dist: { tarball: "https://registry.npmjs.org/x.tgz" } } },
  });
const json = (response: ServerResponse, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(body);
const failure = async (promise: Promise<unknown>): Promise<LarderError> => {
  const thrown = await promise.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(LarderError);
  return thrown as LarderError;
};
async function drain(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

describe("packuments", () => {
  test("are asked for in abbreviated form, compressed, and scoped names in one segment", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await registry((request, response) => {
      seen.push(request.url, request.headers.accept, request.headers["accept-encoding"]);
      json(response, gzipSync(document("@corp/utils")), { "content-encoding": "gzip", etag: '"1"' });
    });
    const answer = await clientFor(url).packument("@corp/utils" as PackageName);
    expect(seen).toEqual(["/base/@corp%2futils", expect.stringContaining("application/vnd.npm.install-v1+json"), "gzip"]);
    expect(answer).toMatchObject({ kind: "ok", etag: '"1"', body: { name: "@corp/utils" } });
  });

  test("say when they are unchanged, and when there is none", async () => {
    const { url } = await registry((request, response) => {
      response.writeHead(request.headers["if-none-match"] === '"1"' ? 304 : 404).end();
    });
    expect(await clientFor(url).packument(dayjs, { etag: '"1"' })).toEqual({ kind: "notModified" });
    expect(await clientFor(url).packument(dayjs)).toEqual({ kind: "absent" });
  });

  test.each([500, 503, 429])("are asked for again after HTTP status %d", async (status) => {
    const { url } = await registry((_, response, count) =>
      count < 3 ? response.writeHead(status, { "retry-after": "0" }).end() : json(response, document("dayjs")),
    );
    expect((await clientFor(url).packument(dayjs)).kind).toBe("ok");
  });

  test("are asked for again when the connection breaks, also in the middle", async () => {
    const { url, count } = await registry((_, response, count) => {
      if (count === 1) response.destroy();
      else if (count === 2) {
        response.writeHead(200, { "content-length": "1000" }).write(document("dayjs").slice(0, 20));
        setTimeout(() => response.destroy(), 20);
      } else json(response, document("dayjs"));
    });
    expect((await clientFor(url).packument(dayjs)).kind).toBe("ok");
    expect(count()).toBe(3);
  });

  test("give up in the end, naming the package and the registry", async () => {
    const { url, count } = await registry((_, response) => response.writeHead(503).end());
    const error = await failure(clientFor(url).packument(dayjs));
    expect(error).toMatchObject({ code: "E_REGISTRY_UNREACHABLE", retryable: true });
    expect(error.message).toContain("dayjs");
    expect(error.message).toContain(url.host);
    expect(count()).toBe(3);
    const nobody = await failure(clientFor(new URL("http://127.0.0.1:1/")).packument(dayjs));
    expect(nobody.code).toBe("E_REGISTRY_UNREACHABLE");
    expect(nobody.message).toContain("dayjs");
  });

  test("give up on a registry that falls silent, before and within its answer", async () => {
    const { url } = await registry((request, response) => {
      if (request.url?.endsWith("/dayjs")) response.writeHead(200).write("{");
    });
    const client = clientFor(url, { attempts: 1, idleMs: 100 });
    expect((await failure(client.packument(dayjs))).message).toContain("silent");
    expect((await failure(client.packument("other" as PackageName))).message).toContain("no answer");
  });

  test("give up on a slow drip at the deadline", async () => {
    const { url } = await registry((_, response) => {
      response.writeHead(200).write("{");
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    });
    const error = await failure(clientFor(url, { attempts: 1, packumentDeadlineMs: 200 }).packument(dayjs));
    expect(error.code).toBe("E_REGISTRY_UNREACHABLE");
  });

  test.each([
    ["a page", (response: ServerResponse) => response.writeHead(200).end("<html>")],
    ["an unasked encoding", (response: ServerResponse) => json(response, "x", { "content-encoding": "br" })],
    ["broken gzip", (response: ServerResponse) => json(response, "not gzip at all, by far", { "content-encoding": "gzip" })],
    ["an odd status", (response: ServerResponse) => response.writeHead(418).end()],
  ])("E_REGISTRY_ANSWER for %s, at once", async (_, answer) => {
    const { url, count } = await registry((_request, response) => void answer(response));
    const error = await failure(clientFor(url).packument(dayjs));
    expect(error.code).toBe("E_REGISTRY_ANSWER");
    expect(error.message).toContain("dayjs");
    expect(count()).toBe(1);
  });

  test("a gzip bomb stops at the decompressed cap", async () => {
    const bomb = gzipSync(`{"name":"dayjs","readme":"${"a".repeat(64 << 20)}"`);
    expect(bomb.length).toBeLessThan(1 << 20);
    const { url } = await registry((_, response) => json(response, bomb, { "content-encoding": "gzip" }));
    const limits = { bytes: 8 << 20, versions: 10, versionBytes: 1 << 20 };
    expect((await failure(clientFor(url, { limits }).packument(dayjs))).code).toBe("E_TOO_LARGE");
  });

  test("stop with the caller's reason", async () => {
    const { url } = await registry(() => {});
    const abort = new AbortController();
    const answer = clientFor(url).packument(dayjs, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 30);
    expect(answer).rejects.toThrow("enough");
    await answer.catch(() => {});
  });
});

describe("redirects", () => {
  const redirecting = (location: (count: number) => string) =>
    registry((_, response, count) => response.writeHead(302, { location: location(count) }).end());

  test("are followed up to five times, relative ones too", async () => {
    const { url, count } = await registry((_, response, count) =>
      count <= 5 ? response.writeHead(302, { location: `/hop${count}` }).end() : json(response, document("dayjs")),
    );
    expect((await clientFor(url).packument(dayjs)).kind).toBe("ok");
    expect(count()).toBe(6);
  });

  test.each([
    ["a loop", (count: number) => `/hop${count}`],
    ["another protocol", () => "file:///etc/passwd"],
    ["credentials", () => "http://user:secret@127.0.0.1:1/"],
    ["no address", () => "http://"],
  ])("are refused: %s", async (_, location) => {
    const { url } = await redirecting(location);
    const error = await failure(clientFor(url).packument(dayjs));
    expect(error.code).toBe("E_REGISTRY_ANSWER");
    expect(error.message).not.toContain("secret");
  });
});

describe("tarballs", () => {
  test("come as they are stored, whatever encoding is claimed", async () => {
    const stored = gzipSync("tar");
    const { url } = await registry((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(stored));
    const body = await clientFor(url).tarball(`${url.origin}/x.tgz`, { name: dayjs, label: "dayjs@1.0.0" });
    expect(await drain(body)).toEqual(new Uint8Array(stored));
  });

  test("at registry.npmjs.org mean the configured registry", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await registry((request, response) => {
      seen.push(request.url);
      response.end("x");
    });
    await drain(
      await clientFor(url).tarball("https://registry.npmjs.org/dayjs/-/dayjs-1.0.0.tgz", { name: dayjs, label: "dayjs@1.0.0" }),
    );
    expect(seen).toEqual(["/base/dayjs/-/dayjs-1.0.0.tgz"]);
  });

  test("elsewhere are refused unless their origin is listed", async () => {
    const { url } = await registry((_, response) => void response.end("x"));
    const elsewhere = await registry((_, response) => void response.end("y"));
    const address = `${elsewhere.url.origin}/x.tgz`;
    const error = await failure(clientFor(url).tarball(address, { name: dayjs, label: "dayjs@1.0.0" }));
    expect(error.code).toBe("E_REGISTRY_ANSWER");
    expect(error.message).toContain("dayjs@1.0.0");
    expect((await failure(clientFor(url).tarball("file:///etc/passwd", { name: dayjs, label: "dayjs@1.0.0" }))).code).toBe(
      "E_REGISTRY_ANSWER",
    );
    const allowed = clientFor(url, { tarballOrigins: [elsewhere.url.origin] });
    expect(await drain(await allowed.tarball(address, { name: dayjs, label: "dayjs@1.0.0" }))).toHaveLength(1);
  });

  test("that break off, or are missing, fail by name", async () => {
    const { url } = await registry((request, response) => {
      if (request.url?.endsWith("none.tgz")) return void response.writeHead(404).end();
      response.writeHead(200, { "content-length": "1000000" }).write(new Uint8Array(1000));
      setTimeout(() => response.destroy(), 30);
    });
    const body = await clientFor(url).tarball(`${url.origin}/x.tgz`, { name: dayjs, label: "dayjs@1.0.0" });
    const error = await failure(drain(body));
    expect(error.code).toBe("E_REGISTRY_UNREACHABLE");
    expect(error.message).toContain("dayjs@1.0.0");
    const missing = await failure(clientFor(url).tarball(`${url.origin}/none.tgz`, { name: dayjs, label: "dayjs@1.0.0" }));
    expect(missing).toMatchObject({ code: "E_PACKAGE_NOT_FOUND" });
  });
});

const reachable = await fetch(defaultRegistry, { signal: AbortSignal.timeout(5000) }).then(
  () => true,
  () => false,
);
if (!reachable) console.info(`skipped: ${defaultRegistry} cannot be reached from here`);
test.skipIf(!reachable)("the real registry answers as expected", async () => {
  const client = createRegistryClient();
  const answer = await client.packument("@isaacs/cliui" as PackageName);
  if (answer.kind !== "ok") throw new Error(answer.kind);
  expect(latestVersion(answer.body)).toBeDefined();
  expect(answer.body.versions["8.0.2"]?.dependencies).toHaveProperty("string-width-cjs");
  expect(await client.packument("larder-surely-not-a-package-3141592" as PackageName)).toEqual({ kind: "absent" });
});
