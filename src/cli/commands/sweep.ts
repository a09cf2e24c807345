import { hasCode, LarderError } from "../../contract/bare.ts";
import { defineCommand } from "../command.ts";
import { lockWaitMs } from "../local-agent.ts";
import { openExistingStore } from "../local-store.ts";
import { count, formatBytes, shortHash } from "../render/quantity.ts";

export const sweep = defineCommand<[], { dryRun?: boolean }>({
  description:
    "Removes trees that are neither current, nor the one before, nor wanted, nor in use by a run, once their grace has passed or the quota says so; then packages of no tree, and what dead runs left. " +
    "An agent does this by itself after each flip and every ten minutes.",
  examples: ["sweep --dry-run", "sweep --data-dir /var/lib/larder", "sweep --tree-grace 7d --store-quota 20GB"],
  settings: ["treeGrace", "storeQuota", "platform"],
  configure: (command) => void command.option("--dry-run", "say what would go, and change nothing"),
  async run(context, _args, { dryRun = false }) {
    const { openStoreWriter, previewSweep, sweepStore } = await import("../../host/index.ts");
    const { treeGrace, storeQuota } = context.settings;
    const options = { graceMs: treeGrace, ...(storeQuota === undefined ? {} : { quotaBytes: storeQuota }) };
    await using store = await openExistingStore(context);
    const sweepNow = async () => {
      await using writer = await openStoreWriter(store, { purpose: "larder sweep", waitMs: lockWaitMs }).catch(
        (error: unknown) => {
          if (!hasCode(error, "E_LOCKED")) throw error;
          throw new LarderError(error.code, error.message, {
            hint: "An agent sweeps by itself; `larder sweep --dry-run` shows what would go.",
            retryable: true,
            details: error.details,
          });
        },
      );
      return sweepStore(writer, options);
    };
    const summary = dryRun ? await previewSweep(store, options) : await sweepNow();
    return {
      json: { dryRun, ...summary },
      text({ style }) {
        const { trees, packages, runs, freedBytes, overQuotaBytes } = summary;
        const over =
          overQuotaBytes > 0 ? `\n${style.red("What is needed")} takes ${formatBytes(overQuotaBytes)} more than the quota.` : "";
        if (trees.length + packages.length + runs.length === 0) return `${style.green("✔")} Nothing to remove.${over}`;
        const all = [count(trees.length, "tree"), count(packages.length, "package"), count(runs.length, "dead run")].join(", ");
        const names = trees.map((tree) => `\n  ${shortHash(tree)}`).join("");
        return `${dryRun ? "Would remove" : `${style.green("✔")} Removed`} ${all}: ${formatBytes(freedBytes)}.${names}${over}`;
      },
    };
  },
});
