import { afterEach, beforeEach, expect, test } from "bun:test";
import type { LookupAddress } from "node:dns";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { PackageName } from "../contract/index.ts";
import { createOutboundGuard } from "./outbound/outbound-guard.ts";
import { createRegistryClient } from "./registry-client.ts";

const lodash = "lodash" as PackageName;
const document = JSON.stringify({ name: "lodash", "dist-tags": {}, versions: {} });
const proxyNames = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
let server: Server;
let port = 0;
let underWay = 0;
let most = 0;
let answer: () => Promise<void> = async () => {};

beforeEach(async () => {
  [underWay, most] = [0, 0];
  answer = async () => {};
  server = createServer(async (_request, response) => {
    most = Math.max(most, ++underWay);
    await answer();
    underWay -= 1;
    response.end(document);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise<void>((done) => server.close(() => done()));
});

function clientAt(...addresses: string[]) {
  const list: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const guard = createOutboundGuard({ resolve: async () => list });
  return createRegistryClient({ registry: new URL(`http://registry.test:${port}/`), guard, attempts: 1 });
}

// Nothing listens there on this port.
test.each(["127.0.0.2", "::1"])(
  "a registry is reached at another of its addresses when the first, %s, refuses",
  async (first) => {
    const client = clientAt(first, "127.0.0.1");
    expect((await client.packument(lodash)).kind).toBe("ok");
    expect((await client.packument(lodash)).kind).toBe("ok");
  },
);

test("a registry none of whose addresses answers is unreachable", async () => {
  await expect(clientAt("127.0.0.2", "127.0.0.3").packument(lodash)).rejects.toMatchObject({ code: "E_REGISTRY_UNREACHABLE" });
});

test("proxies that the environment names do not come between", async () => {
  const before = proxyNames.map((name) => [name, process.env[name]] as const);
  for (const name of proxyNames) process.env[name] = "http://127.0.0.1:1/";
  try {
    expect((await clientAt("127.0.0.1").packument(lodash)).kind).toBe("ok");
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

test("at most 48 requests are under way at a time, and the others wait their turn", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = async () => {
    if (underWay === 48) resolve();
    await promise;
  };
  const client = clientAt("127.0.0.1");
  const answers = await Promise.all(Array.from({ length: 120 }, () => client.packument(lodash)));
  expect(answers.length).toBe(120);
  expect(most).toBe(48);
});

test("who waits for a turn is not kept when it is cancelled", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = () => promise;
  const client = clientAt("127.0.0.1");
  const busy = Array.from({ length: 48 }, () => client.packument(lodash));
  const cancel = new AbortController();
  const waiting = client.packument(lodash, { signal: cancel.signal });
  cancel.abort(new Error("not wanted"));
  await expect(waiting).rejects.toThrow("not wanted");
  resolve();
  await Promise.all(busy);
});
