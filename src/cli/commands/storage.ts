import type { StorageStatus } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { renderFacts } from "../render/facts.ts";
import { count, formatAgo, formatBytes, formatDuration } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const storageStatus = defineCommand({
  examples: ["storage status", "storage status --json | jq .migration"],
  async run(context) {
    const { client } = await connect(context);
    const storage = await client.storage.status();
    return { json: storage, text: (page) => renderStorage(storage, page) };
  },
});

function renderStorage(storage: StorageStatus, page: Page): string {
  const { active, blobs, bytes, stores, unreferenced, quarantined, migration, collection } = storage;
  const parts = [
    renderFacts(
      [
        ["Store", active],
        ["Blobs", `${count(blobs, "blob")} · ${formatBytes(bytes)}`],
        [
          "Unused",
          unreferenced.blobs === 0 ? undefined : `${count(unreferenced.blobs, "blob")} · ${formatBytes(unreferenced.bytes)}`,
        ],
        ["Migration", describeMigration(migration)],
        ["Collection", describeCollection(collection)],
        ["Damaged", quarantined.length === 0 ? undefined : count(quarantined.length, "copy", "copies")],
      ],
      page,
    ),
  ];
  const shown = stores.filter(({ name, blobs, strayBlobs }) => name === active || blobs > 0 || strayBlobs > 0);
  if (shown.length > 1) parts.push(renderStores(shown, page));
  const troubles = [...(migration.failures ?? []), ...quarantined];
  const lines = troubles
    .slice(0, 10)
    .map(({ blob, packages, message }) => `${packages[0] ?? `${blob.slice(0, 16)}…`}: ${message}`);
  if (lines.length > 0) parts.push(lines.join("\n"));
  const next = migration.hint ?? (quarantined.length > 0 ? "Mend what is damaged with: larder storage verify" : undefined);
  if (next) parts.push(page.style.yellow(next));
  return parts.join("\n\n");
}

const renderStores = (stores: StorageStatus["stores"], page: Page): string =>
  renderTable(
    [
      { title: "store" },
      { title: "blobs", align: "right" },
      { title: "bytes", align: "right" },
      { title: "left behind", align: "right" },
      { title: "" },
    ],
    stores.map(({ name, blobs, bytes, strayBlobs, strayBytes, configured }) => [
      name,
      String(blobs),
      formatBytes(bytes),
      strayBlobs === 0 ? "" : `${strayBlobs} · ${formatBytes(strayBytes)}`,
      configured ? "" : "not configured on this server",
    ]),
    page,
  );

export function describeMigration({
  state,
  target,
  done,
  total,
  bytesPerSecond,
  remainingMs,
  error,
}: StorageStatus["migration"]): string {
  if (state === "idle") return "none under way";
  const where = target === undefined ? "" : ` to ${target}`;
  const rate = bytesPerSecond === undefined ? "" : `, ${formatBytes(bytesPerSecond)}/s`;
  const left = remainingMs === undefined ? "" : `, ${formatDuration(remainingMs)} left`;
  return `${state}${where}, ${done} of ${count(total, "blob")}${rate}${left}${error === undefined ? "" : `: ${error}`}`;
}

function describeCollection({ endedAt, reclaimedBytes, reclaimedTotalBytes }: StorageStatus["collection"]): string {
  if (endedAt === undefined) return "none yet";
  const last = reclaimedBytes === undefined ? "" : `, ${formatBytes(reclaimedBytes)} reclaimed`;
  return `${formatAgo(endedAt)}${last} · ${formatBytes(reclaimedTotalBytes)} so far`;
}
