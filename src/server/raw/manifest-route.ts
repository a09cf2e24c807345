import { isLockfileHash, LarderError } from "../../contract/index.ts";
import { type Db, getManifestOf } from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { matchesEtag, notModified } from "./etag.ts";

export async function getManifest({ request, params, principal }: Exchange, { db }: { db: Db }): Promise<Response> {
  const { environment } = callingHost(principal);
  const lockfileHash = params.manifest ?? "";
  const manifest = isLockfileHash(lockfileHash) ? await getManifestOf(db.query, environment, lockfileHash) : undefined;
  if (manifest === undefined) throw new LarderError("E_NOT_FOUND", "This environment has no such manifest.");
  const headers = { etag: `"${lockfileHash}"`, "cache-control": "private, max-age=31536000, immutable" };
  if (matchesEtag(request.headers.get("if-none-match"), headers.etag)) return notModified(headers);
  return new Response(manifest.body, { headers: { ...headers, "content-type": "application/json" } });
}
