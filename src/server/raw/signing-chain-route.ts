import { type Db, listHandovers } from "../../db/index.ts";

export async function getSigningChain({ db }: { db: Db }): Promise<Response> {
  return Response.json(await listHandovers(db.query), { headers: { "cache-control": "no-cache" } });
}
