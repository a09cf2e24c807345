import { and, eq, inArray, sql } from "drizzle-orm";
import type { EnvironmentName, ExactVersion, PackageName } from "../contract/index.ts";
import { lockEnvironment } from "./environments.ts";
import { bumpRevision, listPackages } from "./packages.ts";
import type { Queryable } from "./queryable.ts";
import { packages } from "./schema.ts";

/**
 * In a transaction: the allowlist becomes `pins`, all of them enabled. The revision moves only if something changed; what was so before keeps who added it and
 * when. Answers with the names that are no longer there. The environment must exist.
 */
export async function replacePackages(
  tx: Queryable,
  environment: EnvironmentName,
  { pins, addedBy }: { pins: readonly { name: PackageName; version: ExactVersion }[]; addedBy: string },
): Promise<{ changed: boolean; removed: PackageName[] }> {
  await lockEnvironment(tx, environment);
  const before = await listPackages(tx, environment);
  const wanted = new Map(pins.map(({ name, version }) => [name, version]));
  const removed = before.map(({ name }) => name).filter((name) => !wanted.has(name));
  const asWanted = new Set(
    before.filter((entry) => entry.enabled && wanted.get(entry.name) === entry.version).map(({ name }) => name),
  );
  const rows = pins
    .filter(({ name }) => !asWanted.has(name))
    .map(({ name, version }) => ({ environment, name, version, addedBy }));
  if (removed.length > 0)
    await tx.delete(packages).where(and(eq(packages.environment, environment), inArray(packages.name, removed)));
  if (rows.length > 0) {
    const excluded = { version: sql`excluded.version`, addedBy: sql`excluded.added_by`, addedAt: sql`now()`, enabled: true };
    await tx
      .insert(packages)
      .values(rows)
      .onConflictDoUpdate({ target: [packages.environment, packages.name], set: excluded });
  }
  const changed = removed.length + rows.length > 0;
  if (changed) await bumpRevision(tx, environment);
  return { changed, removed };
}
