import { sql } from "drizzle-orm";
import type { ExactVersion, PackageName } from "../contract/index.ts";
import { isOneOf } from "./is-one-of.ts";
import type { Queryable } from "./queryable.ts";
import { releases } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

/** What a registry said of one version. */
export interface ReleaseFacts {
  name: PackageName;
  version: ExactVersion;
  publishedAt?: string | undefined;
  deprecated?: string | undefined;
}

const atOnce = 500;

/** What is known of all versions of these names. */
export async function getReleases(tx: Queryable, names: readonly PackageName[]): Promise<ReleaseFacts[]> {
  const { name, version, publishedAt, deprecated } = releases;
  const found: ReleaseFacts[] = [];
  for (let at = 0; at < names.length; at += atOnce) {
    const rows = await tx
      .select({ name, version, publishedAt, deprecated })
      .from(releases)
      .where(isOneOf(name, names.slice(at, at + atOnce)));
    found.push(...rows.map(withoutNulls));
  }
  return found;
}

/** The latest word replaces the one before. */
export async function noteReleases(tx: Queryable, facts: readonly ReleaseFacts[]): Promise<void> {
  for (let at = 0; at < facts.length; at += atOnce) {
    await tx
      .insert(releases)
      .values(
        facts
          .slice(at, at + atOnce)
          .map(({ name, version, publishedAt = null, deprecated = null }) => ({ name, version, publishedAt, deprecated })),
      )
      .onConflictDoUpdate({
        target: [releases.name, releases.version],
        set: { publishedAt: sql`excluded.published_at`, deprecated: sql`excluded.deprecated`, seenAt: sql`now()` },
      });
  }
}
