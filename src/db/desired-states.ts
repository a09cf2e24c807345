import { eq, lte, sql } from "drizzle-orm";
import type { EnvironmentName, SignedDesiredState } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { desiredStates } from "./schema.ts";

/** `undefined` while nothing was ever installed. */
export async function getDesiredState(tx: Queryable, environment: EnvironmentName): Promise<SignedDesiredState | undefined> {
  const [row] = await tx
    .select({ document: desiredStates.document })
    .from(desiredStates)
    .where(eq(desiredStates.environment, environment));
  return row?.document;
}

/** Of every environment where something was installed. */
export async function listDesiredGenerations(tx: Queryable): Promise<{ environment: EnvironmentName; generation: number }[]> {
  return await tx.select({ environment: desiredStates.environment, generation: desiredStates.generation }).from(desiredStates);
}

/** Replaces an older or equal generation's (a new signature of the same one: a later expiry, another key). False: a newer one is there. */
export async function putDesiredState(tx: Queryable, document: SignedDesiredState): Promise<boolean> {
  const { environment, generation } = document.desired;
  const rows = await tx
    .insert(desiredStates)
    .values({ environment, generation, document })
    .onConflictDoUpdate({
      target: desiredStates.environment,
      set: { generation, document, updatedAt: sql`now()` },
      setWhere: lte(desiredStates.generation, generation),
    })
    .returning({ generation: desiredStates.generation });
  return rows.length > 0;
}
