import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { failpoint } from "../lib/index.ts";
import { contentPath, recordName, rootTarget, treePath } from "./layout.ts";
import type { TreePlan } from "./plan-tree.ts";
import { currentBootId, formatTreeRecord } from "./record.ts";
import { publishDirectory } from "./staging.ts";
import type { StoreWriter } from "./store-writer.ts";

/** `trees/<lockfileHash>`, when all its packages are there. `replace`: the one that is there is damaged. */
export async function buildTree({ store, memory }: StoreWriter, plan: TreePlan, { replace = false } = {}): Promise<void> {
  const { layout, platform } = store;
  const packages = plan.packages.map(({ key, name, version, integrity }) => ({ key, name, version, integrity }));
  await publishDirectory(layout, { target: treePath(layout, plan.lockfileHash), replace }, async (directory) => {
    mkdirSync(join(directory, "node_modules"), { mode: 0o755 });
    const folders = new Set<string>();
    for (const { alias, key, name } of plan.roots) {
      const path = join(directory, contentPath(alias));
      const folder = dirname(path);
      if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o755 });
      folders.add(folder);
      symlinkSync(rootTarget(alias, key, name), path);
    }
    const record = { lockfileHash: plan.lockfileHash, platform, bootId: await currentBootId(), packages, roots: plan.roots };
    writeFileSync(join(directory, recordName), formatTreeRecord(record), { mode: 0o444 });
    await failpoint("host:before-tree-rename");
  });
  memory.trees.set(plan.lockfileHash, packages);
  await failpoint("host:after-tree-rename");
}
