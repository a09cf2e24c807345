import type { GenerationDiff } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { renderChanges } from "../render/changes.ts";
import { formatBytes } from "../render/quantity.ts";

export const diff = defineCommand<[from: number, to: number]>({
  examples: ["diff 3 4", "diff 4 3 --json"],
  args: { a: ["generation", parseCount("A")], b: ["generation", parseCount("B")] },
  async run(context, [from, to]) {
    const { client } = await connect(context);
    const found = await client.generations.diff({ environment: context.settings.environment, from, to });
    return {
      json: found,
      text: (page) =>
        found.changes.length === 0
          ? `Generations ${from} and ${to} hold the same packages.`
          : `${page.style.bold(`Generation ${from} → ${to}`)}\n${renderChanges(found, page)}\n${page.style.dim(sizesOf(found))}`,
    };
  },
});

/** Both sides, packed and unpacked. */
function sizesOf({ from, to, addedUnpackedBytes, removedBytes, sizes }: GenerationDiff): string {
  const side = (number: number, { nodes, packedBytes, unpackedBytes }: GenerationDiff["sizes"]["from"]) =>
    `${number}: ${nodes} nodes, ${formatBytes(packedBytes)} packed, ${formatBytes(unpackedBytes)} unpacked`;
  const change = `${formatBytes(addedUnpackedBytes)} more unpacked, ${formatBytes(removedBytes)} packed no longer needed`;
  return [change, side(from, sizes.from), side(to, sizes.to)].join("\n");
}
