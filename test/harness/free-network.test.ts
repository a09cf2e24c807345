import { expect } from "bun:test";
import { openFixtureRegistry } from "./fixture-registry.ts";
import { openFreeNetwork, whyNoNetworkNamespaces, whyNoUnshare } from "./free-network.ts";
import { spawnProcess } from "./spawned.ts";
import { testUnless } from "./test-unless.ts";

testUnless(whyNoNetworkNamespaces(), "a free network reaches this side's address and nothing else", async () => {
  await using network = await openFreeNetwork();
  await using registry = await openFixtureRegistry([{ name: "a", version: "1.0.0" }], { host: network.address });
  const script = `
    const reach = async (url) => (await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined))?.status ?? "unreachable";
    console.log(await reach("${registry.url}a"), await reach("https://registry.npmjs.org/"));`;
  const [command, ...args] = network.within;
  await using spawned = spawnProcess(command as string, [...args, process.execPath, "-e", script]);
  await spawned.exited;
  expect(spawned.stdout()).toBe("200 unreachable\n");
});

testUnless(whyNoUnshare(), "a process under unshare reaches not even loopback", async () => {
  await using registry = await openFixtureRegistry();
  const script = `console.log((await fetch("${registry.url}a", { signal: AbortSignal.timeout(2000) }).catch(() => undefined))?.status ?? "unreachable")`;
  await using spawned = spawnProcess("unshare", ["--net", process.execPath, "-e", script]);
  await spawned.exited;
  expect(spawned.stdout()).toBe("unreachable\n");
});
