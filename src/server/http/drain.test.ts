import { expect, test } from "bun:test";
import { connect } from "node:net";
import { until } from "../../../test/harness/until.ts";
import { rawRoutes } from "../../contract/index.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

interface RawConnection {
  write(text: string): void;
  received(): string;
  isClosed(): boolean;
}

async function openConnection({ url }: TestServer): Promise<RawConnection> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let received = "";
  let closed = false;
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  return { write: (text) => void socket.write(text), received: () => received, isClosed: () => closed };
}

test("a stopping server says first that it is not ready, and answers on, ending each connection", async () => {
  const server = await openTestServer({ drain: { delayMs: 600, timeoutMs: 5000 } });
  const kept = await openConnection(server);
  kept.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  await until("it answers", () => kept.received().includes("alive"));
  const stopped = server[Symbol.asyncDispose]();
  const ready = await server.fetch(rawRoutes.ready);
  expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ status: "notReady" })]);
  expect((await server.fetch("/api/tokens", { token: server.adminToken })).status).toBe(200);
  kept.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  await until("the connection ends with its answer", () => kept.isClosed());
  expect(kept.received().match(/alive/g)?.length).toBe(2);
  expect(kept.received().toLowerCase()).toContain("connection: close");
  await stopped;
  await expect(server.fetch(rawRoutes.health)).rejects.toThrow();
});

test("a request under way when the server stops is finished, and a stream is told when to come again", async () => {
  const server = await openTestServer({ drain: { delayMs: 0, timeoutMs: 5000 } });
  const slow = await openConnection(server);
  const body = JSON.stringify({ role: "author", subject: "slow" });
  const head = `POST /api/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.adminToken}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  slow.write(head + body.slice(0, 10));
  const events = await server.fetch(rawRoutes.events, { token: server.adminToken });
  await Bun.sleep(100);
  const stopped = server[Symbol.asyncDispose]();
  expect(await events.text()).toMatch(/retry: \d+\n\n$/);
  slow.write(body.slice(10));
  await until("it is answered", () => slow.received().startsWith("HTTP/1.1 201"));
  await stopped;
});

test("a request that never ends is cut when its time is over", async () => {
  const server = await openTestServer({ drain: { delayMs: 0, timeoutMs: 300 } });
  const stuck = await openConnection(server);
  stuck.write(
    `POST /api/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.adminToken}\r\ncontent-length: 100\r\n\r\n{`,
  );
  await Bun.sleep(100);
  const startedAt = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - startedAt).toBeLessThan(3000);
  await until("its connection ends", () => stuck.isClosed());
});
