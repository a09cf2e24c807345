// Run as a process of its own by `kill.test.ts`, to be killed: builds a tree and flips to it.
// Arguments: store directory, version number, generation.
import { flipCurrent } from "./flip.ts";
import { openHostStore } from "./host-store.ts";
import { buildPlan, fixture, linux } from "./store-fixture.test-support.ts";
import { openStoreWriter } from "./store-writer.ts";
import { sweepStore } from "./sweep.ts";

/** Some packages change with `version`, some do not; all are large enough to be killed in. */
export function killFixture(version: number) {
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
  const id = (name: string, index: number) => `${name}@${index % 3 === 0 ? version : 1}.0.0`;
  const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`lib/f${index}.js`, "x".repeat(300 * index)]));
  const packages = names.map((name, index) => {
    const next = names[index + 1];
    return [id(name, index), { files, ...(next && index % 4 !== 3 ? { dependencies: { [next]: id(next, index + 1) } } : {}) }];
  });
  return fixture(Object.fromEntries(names.map((name, index) => [name, id(name, index)])), Object.fromEntries(packages));
}

if (import.meta.main) {
  const [directory = "", version, generation] = process.argv.slice(2);
  const built = killFixture(Number(version));
  const store = await openHostStore({ directory, platform: linux });
  const writer = await openStoreWriter(store, { purpose: "killed" });
  console.log("started");
  await buildPlan(writer, built, built.plan());
  await flipCurrent(writer, { generation: Number(generation), lockfileHash: built.lockfileHash });
  await sweepStore(writer);
  process.exit(0);
}
