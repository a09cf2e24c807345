// A host beside package managers: cold, one leaf changed, and back, on about 40 well-known packages. Whole processes are compared with whole processes, and a
// running agent is reported by itself. Asserts nothing. `npm run bench -- hosts [--rounds N] [--json]`.
import { spawnSync } from "node:child_process";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { realPackages } from "../test/e2e/real-packages.ts";
import { larderCommand } from "../test/harness/processes.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { type Measured, measured, type Peer, peersOf } from "./peers.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";
import { openBenchHost, openStage, type Stage } from "./stage.ts";

const { rounds, json } = readOptions(7);
const leaf = { ms: "2.1.2" };
const [before, after] = [realPackages, { ...realPackages, ...leaf }];
const report = createReport();

await using scratch = await openScratch("hosts");
await using mirror = await openRegistryMirror();
const peers = peersOf(mirror.url);
const lockOf = (peer: Peer, which: "before" | "after") => scratch.join("locks", `${peer.name}-${which}`);
for (const peer of peers) {
  say(`lockfiles of ${peer.name} ${peer.version}`);
  await peer.lock(lockOf(peer, "before"), before);
  await peer.lock(lockOf(peer, "after"), after);
}
await using stage = await openStage(scratch.join("control-plane"), mirror.url);
await stage.allow(before);
const first = await stage.install();
await stage.allow(leaf);
await stage.install();
await stage.rollback(1);

for (let round = 0; round < rounds; round++) {
  say(`round ${round + 1} of ${rounds}`);
  const directory = scratch.join(`round-${round}`);
  await mkdir(directory);
  await measureRound(directory, round);
  await rm(directory, { recursive: true, force: true });
}

await report.write("hosts", {
  json,
  heading: [
    `${Object.keys(before).length} packages, ${first.nodes} nodes on all platforms, ${first.blobs} tarballs of ${(first.bytes / 1e6).toFixed(1)} MB for this one.`,
    `${rounds} rounds, median (minimum–maximum); larder, ${peers.map(({ name, version }) => `${name} ${version}`).join(", ")}; ${cpus().length} cores, ${await fileSystemOf(scratch.path)}.`,
  ],
  rows: [
    { title: "cold, process", ours: "larder cold", peers: ["bun cold", "pnpm cold", "npm cold", "tar"] },
    { title: "cold, running agent", ours: "agent cold", peers: ["tar"] },
    { title: "one leaf changed, process", ours: "larder leaf", peers: ["bun leaf", "pnpm leaf", "npm leaf"] },
    { title: "one leaf changed, running agent", ours: "agent leaf", peers: [] },
    { title: "back, process, offline", ours: "larder back", peers: ["bun back", "pnpm back", "npm back"] },
    { title: "back, running agent", ours: "agent back", peers: ["rename"] },
    { title: "nothing to do, running agent", ours: "agent nothing", peers: [] },
  ],
});

async function measureRound(directory: string, round: number): Promise<void> {
  const host = { directory: join(directory, "larder"), token: await stage.enrol(`process-${round}`) };
  const agent = await openBenchHost(join(directory, "agent"), {
    server: stage.server.url,
    token: await stage.enrol(`agent-${round}`),
  });
  await mkdir(join(host.directory, "host"), { recursive: true });
  const larder = (what: string) => note(`larder ${what}`, reconcileProcess(stage, host));
  const passing = async (what: string) => {
    const { flippedMs, timingsMs } = await agent.reconcile();
    report.add(`agent ${what}`, flippedMs, { parts: timingsMs });
  };
  const peersDo = async (what: string, which: "before" | "after", offline: boolean) => {
    for (const peer of peers) {
      await note(`${peer.name} ${what}`, peer.install(join(directory, peer.name), lockOf(peer, which), { offline }));
    }
  };
  // Each in turn, so that all meet the machine in the same mood.
  await larder("cold");
  await peersDo("cold", "before", false);
  await passing("cold");
  await passing("nothing");
  await unpackFloor(agent.store.directory, directory);
  await stage.rollback(2);
  await passing("leaf");
  await larder("leaf");
  await peersDo("leaf", "after", false);
  await stage.rollback(1);
  await passing("back");
  await larder("back");
  await peersDo("back", "before", true);
  await agent[Symbol.asyncDispose]();
}

async function note(row: string, process: Promise<Measured>): Promise<void> {
  const { ms, peakBytes } = await process;
  report.add(row, ms, { peakBytes });
}

function reconcileProcess({ server }: Stage, { directory, token }: { directory: string; token: string }): Promise<Measured> {
  const args = ["reconcile", "--data-dir", join(directory, "host"), "--server", server.url, "--json"];
  return measured(larderCommand, args, directory, { LARDER_TOKEN: token });
}

/** The least that putting the same files in place can cost, and that changing which tree is served can. */
async function unpackFloor(store: string, directory: string): Promise<void> {
  const archive = join(directory, "floor.tar");
  spawnSync("tar", ["-cf", archive, "packages", "trees"], { cwd: store });
  const target = join(directory, "floor");
  await mkdir(target);
  report.add("tar", (await measured("tar", ["-xf", archive], target)).ms);
  await cp(join(store, "current"), join(directory, "link"), { verbatimSymlinks: true });
  const startedAt = performance.now();
  await rename(join(directory, "link"), join(directory, "link-2"));
  report.add("rename", performance.now() - startedAt);
}
