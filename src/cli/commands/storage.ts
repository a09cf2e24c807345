import type { StorageStatus } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { renderFacts } from "../render/facts.ts";
import { count, formatBytes } from "../render/quantity.ts";

export const storageStatus = defineCommand({
  name: "storage status",
  summary: "Show where packages are kept, and how much there is",
  examples: ["storage status", "storage status --json | jq .bytes"],
  async run(context) {
    const { client } = await connect(context);
    const storage = await client.storage.status();
    return {
      json: storage,
      text: (page) =>
        renderFacts(
          [
            ["Store", storage.active],
            ["Blobs", `${count(storage.blobs, "blob")} · ${formatBytes(storage.bytes)}`],
            ["Migration", describeMigration(storage.migration)],
          ],
          page,
        ),
    };
  },
});

export function describeMigration({ state, target, done, total, error }: StorageStatus["migration"]): string {
  if (state === "idle") return "none under way";
  const where = target === undefined ? "" : ` to ${target}`;
  return `${state}${where}, ${done} of ${count(total, "blob")}${error === undefined ? "" : `: ${error}`}`;
}
