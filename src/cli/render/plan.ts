import type { Finding, Plan } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { renderChanges } from "./changes.ts";
import { count, formatBytes, formatDuration } from "./quantity.ts";
import { plain, wrap } from "./text.ts";

/** A plan for a person: the outcome first, then what changes, then what is worth knowing. */
export function renderPlan(plan: Plan, page: Page): string {
  const { style } = page;
  const sections = [
    headline(plan, page),
    section(
      "Chosen",
      plan.choices.map(({ name, version, why }) => `${name}@${version}: ${plain(why)}`),
      page,
    ),
    renderFindings("Refused", plan.refusals, page),
    plan.ok || plan.refusals.length > 0 ? "" : renderError(plan, page),
    section(
      "Caps",
      plan.caps.map(
        ({ message, severity }) => `${severity === "block" ? style.red("blocks") : style.yellow("warns")} ${plain(message)}`,
      ),
      page,
    ),
    renderHeldBack(plan, page),
    section(
      "Undeclared dependencies added",
      plan.addedDependencies.map(
        ({ name, version, dependency, range, source }) =>
          `${name}@${version} gets ${dependency}@${plain(range)}${source === "policy" ? " (this environment's policy)" : ""}`,
      ),
      page,
    ),
    renderFindings("Let in by a waiver", plan.waived, page),
    section(
      "Worth knowing",
      plan.flags.map(({ message }) => plain(message)),
      page,
    ),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

function headline(plan: Plan, page: Page): string {
  const { style } = page;
  const { environment, currentGeneration, changes, fetch, hosts, nodes, timingsMs } = plan;
  const from = currentGeneration === 0 ? "nothing" : `generation ${currentGeneration}`;
  if (!plan.ok) return `${style.red("✘")} ${style.bold(`An install of ${environment} would be refused.`)}`;
  if (!plan.changed)
    return `${style.green("✔")} An install of ${environment} would change nothing: ${from} is what the allowlist resolves to.`;
  const arrived = changes.filter(({ newTransitive }) => newTransitive).map(({ name }) => name);
  const about = (bytes: number, estimated: boolean) => `${estimated ? "about " : ""}${formatBytes(bytes)}`;
  const addedBytes = fetch.packedBytes;
  return [
    style.bold(`An install of ${environment} would go from ${from} to ${count(nodes, "package")}:`),
    renderChanges({ changes, addedBytes }, page),
    ...(arrived.length === 0 ? [] : [wrap(`New, and not on the allowlist: ${arrived.join(", ")}`, page.columns)]),
    `Fetch: ${count(fetch.tarballs, "tarball")}, ${about(fetch.packedBytes, fetch.packedIsEstimate)} (${formatBytes(fetch.unpackedBytes)} unpacked)`,
    ...hosts.map(({ id, tarballs, packedBytes, packedIsEstimate }) =>
      style.dim(`  ${id} pulls ${count(tarballs, "tarball")}, ${about(packedBytes, packedIsEstimate)}`),
    ),
    style.dim(`Nothing was changed; it took ${formatDuration(timingsMs.total ?? 0)}. Do it: larder install`),
  ].join("\n");
}

function renderError({ error }: Plan, { style, columns }: Page): string {
  if (error === undefined) return "";
  return [
    wrap(plain(error.message), columns),
    ...(error.hint === undefined ? [] : [style.dim(wrap(plain(error.hint), columns))]),
  ].join("\n");
}

/** Each with its rule, the way from the allowlist and the way out. */
export function renderFindings(title: string, findings: readonly Finding[], page: Page): string {
  return section(
    title,
    findings.map(({ rule, message, path, hint, waiver }) => {
      const via = path && path.length > 1 ? ` It comes by ${path.join(" → ")}.` : "";
      const way = waiver === undefined ? hint : `Waiver ${waiver}.`;
      return `${rule}: ${plain(message)}${via}${way === undefined ? "" : `\n    ${plain(way)}`}`;
    }),
    page,
  );
}

function renderHeldBack({ heldBack }: Plan, page: Page): string {
  return section(
    "Held back",
    heldBack.map(
      ({ name, chosen, finding }) =>
        `${name}@${chosen} instead of ${finding.version} (${finding.rule}): ${plain(finding.message)}`,
    ),
    page,
  );
}

const listed = 25;

function section(title: string, lines: readonly string[], { style, columns }: Page): string {
  if (lines.length === 0) return "";
  const shown = lines.slice(0, listed).map((line) =>
    line
      .split("\n")
      .map((part) => wrap(part.trim(), columns - 4, "    "))
      .map((part, i) => (i === 0 ? `  ${part}` : style.dim(`    ${part}`)))
      .join("\n"),
  );
  const more = lines.length > listed ? [style.dim(`  … and ${lines.length - listed} more`)] : [];
  return [style.bold(`${title}:`), ...shown, ...more].join("\n");
}
