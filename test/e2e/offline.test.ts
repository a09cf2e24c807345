import { afterAll, beforeAll, expect, test } from "bun:test";
import { openFixtureRegistry } from "../harness/fixture-registry.ts";
import { type FreeNetwork, openFreeNetwork, whyNoNetworkNamespaces } from "../harness/free-network.ts";
import { leftoversIn } from "../harness/leaks.ts";
import { runLarder } from "../harness/processes.ts";
import { spawnProcess } from "../harness/spawned.ts";
import { testUnless } from "../harness/test-unless.ts";
import { type LarderStack, openLarderStack } from "./larder-stack.ts";

const cannotIsolate = whyNoNetworkNamespaces();
const script = `import app from "app"; import utils from "@corp/utils"; export default [app, utils];`;
const expected = ["app with lib 1.0.0", { name: "@corp/utils", version: "2.0.0" }];

/** Disposed of also when the start fails half-way. */
const cleanup = new AsyncDisposableStack();
let larder: LarderStack;
let network: FreeNetwork | undefined;

beforeAll(async () => {
  if (cannotIsolate === undefined) network = cleanup.use(await openFreeNetwork());
  await using registry = await openFixtureRegistry([
    {
      name: "app",
      version: "1.0.0",
      dependencies: { lib: "^1.0.0" },
      files: { "index.js": "module.exports = 'app with lib ' + require('lib').version;" },
    },
    { name: "lib", version: "1.0.0" },
    { name: "@corp/utils", version: "2.0.0" },
  ]);
  // A control plane alone: its own machine has no host, so that every tree below was built from what it serves.
  larder = cleanup.use(await openLarderStack({ registry: registry.url, kind: "serve", listen: "0.0.0.0:0" }));
  await larder.add("app@1.0.0", "@corp/utils@2.0.0");
  await larder.install();
}, 120_000);

afterAll(() => cleanup.disposeAsync(), 60_000);

test("with the registry gone, a new and empty host reconciles and runs", async () => {
  const host = await larder.startSatellite("worker");
  expect(await host.ready(1)).toMatchObject({ generation: 1, phase: "ready" });
  expect(await host.run(script)).toMatchObject({ result: expected, generation: 1 });
  await host.agent.stop();
  expect(await leftoversIn(host.dataDir)).toEqual([]);
});

testUnless(cannotIsolate, "a host in a network that reaches the control plane and nothing else reconciles and runs", async () => {
  const { within, address, subnet } = network as FreeNetwork;
  await using routes = spawnProcess(within[0] as string, [...within.slice(1), "ip", "route", "show"]);
  await routes.exited;
  expect(routes.stdout().trim().split("\n").length).toBe(1);
  expect(routes.stdout()).toStartWith(`${subnet} dev `);

  const server = `http://${address}:${new URL(larder.server.url).port}`;
  const host = await larder.startSatellite("satellite", { within, server });
  expect(await host.ready(1)).toMatchObject({ generation: 1, phase: "ready" });
  const ran = await runLarder(["run", "-", "--data-dir", host.dataDir, "--json"], { within, input: script });
  expect(ran.json()).toMatchObject({ result: expected, generation: 1 });
  const verified = await runLarder(["verify", "--data-dir", host.dataDir, "--json"], { within });
  expect(verified.code).toBe(0);
});
