import type { GenerationDiff, PackageChange } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { count, formatBytes } from "./quantity.ts";
import { plain, truncate } from "./text.ts";

/** One line per package: allowlisted ones first, then what came with them. `limit` lines at most, and how many more. */
export function renderChanges(
  { changes, addedBytes }: Pick<GenerationDiff, "changes" | "addedBytes">,
  page: Page,
  limit = Number.POSITIVE_INFINITY,
): string {
  const sorted = changes.toSorted((a, b) => Number(a.transitive) - Number(b.transitive) || (a.name < b.name ? -1 : 1));
  const lines = sorted.slice(0, limit).map((change) => renderChange(change, page));
  if (sorted.length > limit) lines.push(page.style.dim(`  … and ${sorted.length - limit} more`));
  return [...lines, page.style.dim(summariseChanges({ changes, addedBytes }))].join("\n");
}

function renderChange(change: PackageChange, { columns, style }: Page): string {
  const versions = { added: change.to, removed: change.from, changed: [] }[change.change].join(", ");
  const body =
    change.change === "changed"
      ? `${change.name} ${change.from.join(", ")} → ${change.to.join(", ")}`
      : `${change.name}@${versions}`;
  const bytes = change.addedBytes === 0 ? "" : `  ${formatBytes(change.addedBytes)}`;
  const text = truncate(`${plain(body)}${bytes}${change.transitive ? "  transitive" : ""}`, columns - 4);
  const mark = { added: style.green("+"), removed: style.red("-"), changed: style.yellow("~") }[change.change];
  return `${mark} ${change.transitive ? style.dim(text) : text}`;
}

/** `3 packages: 1 added, 2 changed (2 not on the allowlist) · 1.2 MB new`. */
export function summariseChanges({ changes, addedBytes }: Pick<GenerationDiff, "changes" | "addedBytes">): string {
  const kinds = (["added", "changed", "removed"] as const).map(
    (kind) => [changes.filter(({ change }) => change === kind).length, kind] as const,
  );
  const parts = kinds.filter(([n]) => n > 0).map(([n, kind]) => `${n} ${kind}`);
  const transitive = changes.filter((change) => change.transitive).length;
  return `${count(changes.length, "package")}: ${parts.join(", ")} (${transitive} not on the allowlist) · ${formatBytes(addedBytes)} new`;
}
