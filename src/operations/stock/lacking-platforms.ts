import { blobKeyOf, nodeOf, type Platform, viewForPlatform } from "../../contract/index.ts";
import { getBlobEntries, getQuarantinedStores, type Queryable } from "../../db/index.ts";
import type { Wants } from "./read-wants.ts";

/** Those that need a blob for the current generation which the index does not have, or of whose copy something bad is known. Asks no store. */
export async function lackingPlatforms(tx: Queryable, { manifest, platforms }: Wants): Promise<Platform[]> {
  const needs = platforms.map((platform) => ({
    platform,
    keys: [...viewForPlatform(manifest, platform).nodes].map((id) => blobKeyOf(nodeOf(manifest, id).integrity)),
  }));
  const keys = [...new Set(needs.flatMap((need) => need.keys))];
  const [entries, bad] = [await getBlobEntries(tx, keys), await getQuarantinedStores(tx, keys)];
  const isThere = (key: (typeof keys)[number]) => {
    const entry = entries.get(key);
    return entry !== undefined && !bad.get(key)?.includes(entry.store);
  };
  return needs.filter((need) => !need.keys.every(isThere)).map(({ platform }) => platform);
}
