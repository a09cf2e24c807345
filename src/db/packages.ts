import { and, asc, eq, sql } from "drizzle-orm";
import type { Allowlist, EnvironmentName, ExactVersion, PackageEntry, PackageName } from "../contract/index.ts";
import { lockEnvironment } from "./environments.ts";
import { currentGeneration } from "./generations.ts";
import type { Queryable } from "./queryable.ts";
import { environments, packages } from "./schema.ts";

const columns = {
  name: packages.name,
  version: packages.version,
  enabled: packages.enabled,
  addedBy: packages.addedBy,
  addedAt: packages.addedAt,
};

export type PackageChangeResult = PackageEntry & { change: "added" | "changed" | "unchanged"; previousVersion?: ExactVersion };

/** By name. */
export const listPackages = (tx: Queryable, environment: EnvironmentName): Promise<PackageEntry[]> =>
  tx.select(columns).from(packages).where(eq(packages.environment, environment)).orderBy(asc(packages.name));

export async function getPackage(
  tx: Queryable,
  environment: EnvironmentName,
  name: PackageName,
): Promise<PackageEntry | undefined> {
  const [row] = await tx.select(columns).from(packages).where(oneOf(environment, name));
  return row;
}

/** The allowlist with the revision that it has. One statement: read committed shows each its own moment. `undefined`: no such environment. */
export async function readAllowlist(
  tx: Queryable,
  environment: EnvironmentName,
): Promise<Pick<Allowlist, "revision" | "packages"> | undefined> {
  const rows = await tx
    .select({ revision: environments.allowlistRevision, entry: columns })
    .from(environments)
    .leftJoin(packages, eq(packages.environment, environments.name))
    .where(eq(environments.name, environment))
    .orderBy(asc(packages.name));
  const [first] = rows;
  return first && { revision: first.revision, packages: rows.flatMap(({ entry }) => entry ?? []) };
}

/** `readAllowlist`, and whether its pins are those of the current generation. */
export async function getAllowlist(tx: Queryable, environment: EnvironmentName): Promise<Allowlist | undefined> {
  const allowlist = await readAllowlist(tx, environment);
  if (!allowlist) return undefined;
  const generation = await currentGeneration(tx, environment);
  const installDue = pinsOf(allowlist.packages.filter(({ enabled }) => enabled)) !== pinsOf(generation?.packages ?? []);
  return { ...allowlist, installDue };
}

const pinsOf = (pins: readonly { name: string; version: string }[]): string =>
  pins
    .map(({ name, version }) => `${name}@${version}`)
    .sort()
    .join("\n");

/**
 * Adds packages or changes their pins, in a transaction. Answers in the order given. The revision moves once, and only if something changed. A changed pin keeps
 * `enabled`, and takes `addedBy` and `addedAt` anew. The environment must exist.
 */
export async function upsertPackages(
  tx: Queryable,
  environment: EnvironmentName,
  { pins, addedBy }: { pins: readonly { name: PackageName; version: ExactVersion }[]; addedBy: string },
): Promise<PackageChangeResult[]> {
  await lockEnvironment(tx, environment);
  const existing = new Map((await listPackages(tx, environment)).map((entry) => [entry.name, entry]));
  const results: PackageChangeResult[] = [];
  for (const { name, version } of pins) {
    const before = existing.get(name);
    if (before?.version === version) {
      results.push({ ...before, change: "unchanged" });
      continue;
    }
    const [entry] = await tx
      .insert(packages)
      .values({ environment, name, version, addedBy })
      .onConflictDoUpdate({ target: [packages.environment, packages.name], set: { version, addedBy, addedAt: sql`now()` } })
      .returning(columns);
    if (!entry) throw new Error(`upserting ${name} returned no row`);
    existing.set(name, entry);
    results.push(before ? { ...entry, change: "changed", previousVersion: before.version } : { ...entry, change: "added" });
  }
  if (results.some(({ change }) => change !== "unchanged")) await bumpRevision(tx, environment);
  return results;
}

/** In a transaction. `undefined`: it was not there. */
export async function removePackage(
  tx: Queryable,
  environment: EnvironmentName,
  name: PackageName,
): Promise<PackageEntry | undefined> {
  await lockEnvironment(tx, environment);
  const [removed] = await tx.delete(packages).where(oneOf(environment, name)).returning(columns);
  if (removed) await bumpRevision(tx, environment);
  return removed;
}

/** In a transaction. `undefined`: it is not there. */
export async function setPackageEnabled(
  tx: Queryable,
  environment: EnvironmentName,
  { name, enabled }: { name: PackageName; enabled: boolean },
): Promise<{ entry: PackageEntry; changed: boolean } | undefined> {
  await lockEnvironment(tx, environment);
  const before = await getPackage(tx, environment, name);
  if (!before || before.enabled === enabled) return before && { entry: before, changed: false };
  await tx.update(packages).set({ enabled }).where(oneOf(environment, name));
  await bumpRevision(tx, environment);
  return { entry: { ...before, enabled }, changed: true };
}

const oneOf = (environment: EnvironmentName, name: PackageName) =>
  and(eq(packages.environment, environment), eq(packages.name, name));

/** What a commit compares has changed: the allowlist or the policy. */
export async function bumpRevision(tx: Queryable, environment: EnvironmentName): Promise<void> {
  await tx
    .update(environments)
    .set({ allowlistRevision: sql`${environments.allowlistRevision} + 1` })
    .where(eq(environments.name, environment));
}
