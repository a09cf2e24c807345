import {
  type BlobKey,
  type EnvironmentName,
  type Generation,
  LarderError,
  type Manifest,
  parseManifest,
} from "../../contract/index.ts";
import {
  getBlobEntries,
  getGeneration,
  getManifest,
  listGenerations,
  listManifestBlobs,
  type Queryable,
} from "../../db/index.ts";
import { diffManifests, noLongerAvailable, rollbackTo } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const generationRoutes = ({ db, signer }: ServerContext) =>
  api.generations.router({
    list: api.generations.list.handler(async ({ input: { environment, limit } }) => {
      await requireEnvironment(db.query, environment);
      return await listGenerations(db.query, environment, limit);
    }),

    diff: api.generations.diff.handler(async ({ input: { environment, from, to } }) => {
      await requireEnvironment(db.query, environment);
      const [older, newer] = [
        await requireGeneration(db.query, environment, from),
        await requireGeneration(db.query, environment, to),
      ];
      const [before, after] = [await readManifest(db.query, older), await readManifest(db.query, newer)];
      const had = new Set(await listManifestBlobs(db.query, older.lockfileHash));
      const added = (await listManifestBlobs(db.query, newer.lockfileHash)).filter((key) => !had.has(key));
      const sizes = await getBlobEntries(db.query, added);
      const sizeOf = (key: BlobKey) => sizes.get(key)?.sizeBytes;
      const addedBytes = added.reduce((sum, key) => sum + (sizeOf(key) ?? 0), 0);
      return { environment, from, to, changes: diffManifests(before, after, sizeOf), addedBytes };
    }),

    rollback: api.generations.rollback.handler(async ({ input: { environment, number }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      await requireGeneration(db.query, environment, number);
      return await rollbackTo(db, signer, { environment, number, requestedBy: principal.subject });
    }),
  });

async function requireGeneration(tx: Queryable, environment: EnvironmentName, number: number): Promise<Generation> {
  const generation = await getGeneration(tx, environment, number);
  if (generation) return generation;
  throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no generation ${number}.`, {
    hint: "`larder generations` shows those there are.",
    details: { environment, generation: number },
  });
}

async function readManifest(tx: Queryable, generation: Generation): Promise<Manifest> {
  const stored = await getManifest(tx, generation.lockfileHash);
  if (stored === undefined) throw noLongerAvailable(generation);
  return parseManifest(stored.body);
}
