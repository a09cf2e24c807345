import { asc, eq, sql } from "drizzle-orm";
import type { RegistryAuthInput } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { registries } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

/** One registry's settings. Addresses are whole URLs. */
export interface StoredRegistry {
  name: string;
  url: string;
  scopes: string[];
  names: string[];
  tarballOrigins: string[];
  ca?: string;
  auth: RegistryAuthInput["type"];
  credentialsFor?: string;
  /** Encrypted by the caller, for this name and `credentialsFor`. */
  sealedCredentials?: string;
  updatedAt: string;
  updatedBy: string;
}

/** By name. */
export async function listStoredRegistries(tx: Queryable): Promise<StoredRegistry[]> {
  const rows = await tx.select().from(registries).orderBy(asc(registries.name));
  return rows.map(withoutNulls);
}

/** Nobody else changes any registry until this transaction ends: what one may claim depends on the others. */
export async function lockRegistries(tx: Queryable): Promise<StoredRegistry[]> {
  await tx.execute(sql`lock table registries in share row exclusive mode`);
  return await listStoredRegistries(tx);
}

export async function putRegistry(tx: Queryable, registry: Omit<StoredRegistry, "updatedAt">): Promise<StoredRegistry> {
  const { name, ca = null, credentialsFor = null, sealedCredentials = null, ...rest } = registry;
  const set = { ...rest, ca, credentialsFor, sealedCredentials, updatedAt: sql`now()` };
  const [row] = await tx
    .insert(registries)
    .values({ name, ...set })
    .onConflictDoUpdate({ target: registries.name, set })
    .returning();
  if (!row) throw new Error("putRegistry: no row");
  return withoutNulls(row);
}

/** `undefined`: there was none. */
export async function removeRegistry(tx: Queryable, name: string): Promise<StoredRegistry | undefined> {
  const [row] = await tx.delete(registries).where(eq(registries.name, name)).returning();
  return row && withoutNulls(row);
}

/** The same secret, sealed anew. Changes nothing else, not even when it was updated. */
export async function resealRegistry(tx: Queryable, name: string, sealedCredentials: string): Promise<void> {
  await tx.update(registries).set({ sealedCredentials }).where(eq(registries.name, name));
}
