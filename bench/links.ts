// A cold host and one changed leaf over a link with delay: one request per blob beside many blobs in one answer. A proxy holds back every chunk by half a round trip.
// Asserts nothing. `npm run bench -- links [--rounds N] [--json]`.
import { mkdir, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { cpus } from "node:os";
import { realPackages } from "../test/e2e/real-packages.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";
import { openBenchHost, openStage } from "./stage.ts";

const { rounds, json } = readOptions(3);
const roundTrips = [0, 20, 100];
const report = createReport();
await using scratch = await openScratch("links");
await using mirror = await openRegistryMirror();
await using stage = await openStage(scratch.join("control-plane"), mirror.url);
await stage.allow(realPackages);
await stage.install();
await stage.allow({ ms: "2.1.2" });
await stage.install();

for (const roundTripMs of roundTrips) {
  for (let round = 0; round < rounds; round++) {
    for (const way of ["batched", "one by one"] as const) {
      say(`${roundTripMs} ms, ${way}, round ${round + 1} of ${rounds}`);
      await using proxy = await openDelay(new URL(stage.server.url), roundTripMs / 2);
      const directory = scratch.join(`${roundTripMs}-${round}-${way}`);
      await mkdir(directory);
      await stage.rollback(1);
      const token = await stage.enrol(`host-${roundTripMs}-${round}-${way.replaceAll(" ", "-")}`);
      await using host = await openBenchHost(
        directory,
        { server: proxy.url, token },
        way === "batched" ? {} : { blobs: undefined },
      );
      const cold = await host.reconcile();
      report.add(`${way} cold ${roundTripMs}`, cold.flippedMs, { parts: cold.timingsMs });
      await stage.rollback(2);
      const leaf = await host.reconcile();
      report.add(`${way} leaf ${roundTripMs}`, leaf.flippedMs, { parts: leaf.timingsMs });
      await rm(directory, { recursive: true, force: true });
    }
  }
}
await report.write("links", {
  json,
  heading: [
    `${Object.keys(realPackages).length} packages, ${rounds} rounds, median (minimum–maximum); ${cpus().length} cores, ${await fileSystemOf(scratch.path)}. The delay is a proxy's, without a limit on bytes.`,
  ],
  rows: roundTrips.flatMap((ms) =>
    ["cold", "leaf"].map((what) => ({
      title: `${what}, ${ms} ms round trip`,
      ours: `batched ${what} ${ms}`,
      peers: [`one by one ${what} ${ms}`],
    })),
  ),
});

/** Passes bytes on in both directions, each chunk `delayMs` late and none out of order. */
async function openDelay(to: URL, delayMs: number): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("data", (chunk) => void setTimeout(() => into.writable && into.write(chunk), delayMs));
      from.on("end", () => void setTimeout(() => into.end(), delayMs));
      from.on("error", () => into.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
