// How the cost of one change grows with the tree: 100, 1,000 and 4,000 synthetic packages, the same leaf changed, the same hundred dependents re-keyed. A running
// agent by itself; whole processes of bun beside it, for scale. Asserts nothing. `npm run bench -- growth [--rounds N] [--json]`.
import { mkdir, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { openFixtureRegistry } from "../test/harness/fixture-registry.ts";
import { peersOf } from "./peers.ts";
import { createReport, fileSystemOf, openScratch, type Row, readOptions, say } from "./report.ts";
import { openBenchHost, openStage } from "./stage.ts";
import { changingLeaf, sharedDependency, syntheticPackages } from "./synthetic-packages.ts";

const { rounds, json } = readOptions(7);
const sizes = [100, 1000, 4000];
const report = createReport();
await using scratch = await openScratch("growth");
for (const nodes of sizes) await measureSize(nodes);

const rows = (what: string): Row[] =>
  sizes.map((nodes) => ({
    title: `${what}, ${nodes} nodes`,
    ours: `agent ${what} ${nodes}`,
    peers: what === "back" ? [] : [`bun ${what} ${nodes}`],
  }));
await report.write("growth", {
  json,
  heading: [
    `Synthetic packages of eight files, ${rounds} rounds, median (minimum–maximum); ${cpus().length} cores, ${await fileSystemOf(scratch.path)}.`,
    "Larder: inside a running agent, from its question to the flip. bun: a whole process, `install --frozen-lockfile` into the project that has the tree before, from its own cache.",
    `From 100 to 4,000 nodes, 40 times as many, the same change costs ${times("leaf")} × (leaf) and ${times("shared")} × (a hundred dependents).`,
  ],
  rows: [...rows("leaf"), ...rows("shared"), ...rows("back")],
});

function times(what: string): string {
  return (report.median(`agent ${what} 4000`) / report.median(`agent ${what} 100`)).toFixed(1);
}

async function measureSize(nodes: number): Promise<void> {
  const { packages, allowlist } = syntheticPackages(nodes);
  await using registry = await openFixtureRegistry(packages);
  const directory = scratch.join(`${nodes}`);
  await using stage = await openStage(join(directory, "control-plane"), registry.url);
  // Generations 1, 2 and 3: as it is, the leaf changed, the shared dependency changed.
  const states = [allowlist, { ...allowlist, [changingLeaf]: "1.0.1" }, { ...allowlist, [sharedDependency]: "1.0.1" }];
  const [bun] = peersOf(registry.url);
  if (!bun) throw new Error("bun is a peer");
  for (const [index, state] of states.entries()) {
    say(`${nodes} nodes: install ${index + 1} of ${states.length}`);
    await stage.allow(state);
    await stage.install();
    await bun.lock(join(directory, `lock-${index}`), state);
  }
  for (let round = 0; round < rounds; round++) {
    say(`${nodes} nodes: round ${round + 1} of ${rounds}`);
    const place = join(directory, `round-${round}`);
    await mkdir(place);
    await using host = await openBenchHost(place, {
      server: stage.server.url,
      token: await stage.enrol(`host-${nodes}-${round}`),
    });
    const to = async (index: number, row?: string) => {
      await stage.rollback(index + 1);
      const { flippedMs, timingsMs } = await host.reconcile();
      if (row) report.add(`agent ${row} ${nodes}`, flippedMs, { parts: timingsMs });
    };
    const bunTo = async (index: number, row?: string) => {
      const { ms, peakBytes } = await bun.install(join(place, "bun"), join(directory, `lock-${index}`));
      if (row) report.add(`bun ${row} ${nodes}`, ms, { peakBytes });
    };
    await to(0);
    await bunTo(0);
    await to(1, "leaf");
    await bunTo(1, "leaf");
    await to(0, "back");
    await bunTo(0);
    await to(2, "shared");
    await bunTo(2, "shared");
    await rm(place, { recursive: true, force: true });
  }
}
