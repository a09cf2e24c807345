import { type EnvironmentName, type Generation, LarderError, type Manifest } from "../../contract/index.ts";
import { getGeneration, listHosts, pageOfGenerations, type Queryable, recordAudit, setGenerationNote } from "../../db/index.ts";
import {
  advancePast,
  diffManifests,
  noLongerAvailable,
  promote,
  readManifest,
  readSizes,
  rollbackTo,
} from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const generationRoutes = ({ db, signer, registry }: ServerContext) =>
  api.generations.router({
    list: api.generations.list.handler(async ({ input: { environment, ...page } }) => {
      await requireEnvironment(db.query, environment);
      return await pageOfGenerations(db.query, environment, page);
    }),

    get: api.generations.get.handler(async ({ input: { environment, number } }) => {
      await requireEnvironment(db.query, environment);
      return await requireGeneration(db.query, environment, number);
    }),

    diff: api.generations.diff.handler(async ({ input: { environment, from, to } }) => {
      await requireEnvironment(db.query, environment);
      const [older, newer] = [
        await requireGeneration(db.query, environment, from),
        await requireGeneration(db.query, environment, to),
      ];
      const [before, after] = [await requireManifest(db.query, older), await requireManifest(db.query, newer)];
      return { environment, from, to, ...diffManifests(before, after, await readSizes(db.query, [before, after])) };
    }),

    annotate: api.generations.annotate.handler(({ input: { environment, number, note }, context: { principal } }) =>
      db.transaction(async (tx) => {
        await requireEnvironment(tx, environment);
        const before = await requireGeneration(tx, environment, number);
        if ((before.note ?? "") === note) return before;
        const after = await setGenerationNote(tx, environment, { number, note });
        if (after === undefined) throw new Error(`generation ${number} of ${environment} vanished`);
        const target = `${environment}/${number}`;
        await recordAudit(tx, { actor: principal.subject, action: "generation.annotate", target, details: { note } });
        return after;
      }),
    ),

    rollback: api.generations.rollback.handler(async ({ input: { environment, number, note }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      return await rollbackTo(db, signer, { environment, number, note, requestedBy: principal.subject });
    }),

    advance: api.generations.advance.handler(async ({ input: { environment, past }, context: { principal } }) => {
      const { generation } = await requireEnvironment(db.query, environment);
      const accepted = (await listHosts(db.query, environment)).map((host) => host.accepted);
      const highest = Math.max(0, ...accepted);
      // A host may say anything: numbers that far away are for a person to name.
      if (past === undefined && highest > generation + 1_000_000) throw implausible(highest);
      return await advancePast(db, signer, { environment, past: past ?? highest, requestedBy: principal.subject });
    }),

    promote: api.generations.promote.handler(({ input: { environment, number, to, note }, context: { principal } }) =>
      promote(db, signer, {
        from: environment,
        number,
        to,
        note,
        requestedBy: principal.subject,
        registryOf: (name) => registry.hostOf(name),
      }),
    ),
  });

const implausible = (highest: number): LarderError =>
  new LarderError("E_CONFLICT", `A host says that it has accepted generation ${highest}, which is far beyond what there was.`, {
    hint: "Find that host with `larder hosts list --state ahead`, and revoke it if it lies; or name a number: larder advance --past N",
    details: { highest },
  });

async function requireGeneration(tx: Queryable, environment: EnvironmentName, number: number): Promise<Generation> {
  const generation = await getGeneration(tx, environment, number);
  if (generation) return generation;
  throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no generation ${number}.`, {
    hint: "`larder generations` shows those there are.",
    details: { environment, generation: number },
  });
}

async function requireManifest(tx: Queryable, generation: Generation): Promise<Manifest> {
  const manifest = await readManifest(tx, generation.lockfileHash);
  if (manifest === undefined) throw noLongerAvailable(generation);
  return manifest;
}
