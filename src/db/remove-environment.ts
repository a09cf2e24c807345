import { eq, inArray, sql } from "drizzle-orm";
import type { EnvironmentName } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import {
  desiredStates,
  enrolments,
  environments,
  generations,
  hostRuns,
  hosts,
  operations,
  packages,
  policies,
  removedEnvironments,
  waivers,
} from "./schema.ts";

/**
 * In a transaction that holds the environment's lock and has seen that no host is enrolled and no operation is under way: all that was of it, but what the audit log
 * says. Its manifests and blobs are collected when nothing else refers to them.
 */
export async function removeEnvironment(tx: Queryable, name: EnvironmentName): Promise<void> {
  const [gone] = await tx
    .select({ generation: environments.generationCounter })
    .from(environments)
    .where(eq(environments.name, name));
  const lastGeneration = Math.max(gone?.generation ?? 0, await lastGenerationOfRemoved(tx, name));
  const hostIds = tx.select({ id: hosts.id }).from(hosts).where(eq(hosts.environment, name));
  await tx.delete(hostRuns).where(inArray(hostRuns.hostId, hostIds));
  for (const table of [hosts, enrolments, operations, desiredStates, generations, packages, policies, waivers])
    await tx.delete(table).where(eq(table.environment, name));
  await tx.delete(environments).where(eq(environments.name, name));
  await tx
    .insert(removedEnvironments)
    .values({ name, lastGeneration })
    .onConflictDoUpdate({ target: removedEnvironments.name, set: { lastGeneration, removedAt: sql`now()` } });
}

/** Where an environment of this name goes on counting: 0 when there was none before. */
export async function lastGenerationOfRemoved(tx: Queryable, name: EnvironmentName): Promise<number> {
  const [row] = await tx
    .select({ lastGeneration: removedEnvironments.lastGeneration })
    .from(removedEnvironments)
    .where(eq(removedEnvironments.name, name));
  return row?.lastGeneration ?? 0;
}
