import { isLockfileHash, LarderError, manifestDeltaType, manifestFromHeader } from "../../contract/index.ts";
import { type Db, getManifestOf } from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { matchesEtag, notModified } from "./etag.ts";
import type { ManifestDeltas } from "./manifest-deltas.ts";

export async function getManifest(
  { request, params, principal }: Exchange,
  { db, manifestDeltas }: { db: Db; manifestDeltas: ManifestDeltas },
): Promise<Response> {
  const { environment } = callingHost(principal);
  const lockfileHash = params.manifest ?? "";
  if (!isLockfileHash(lockfileHash)) throw unknownManifest();
  const caching = { "cache-control": "private, max-age=31536000, immutable", vary: manifestFromHeader };
  const from = request.headers.get(manifestFromHeader) ?? "";
  const delta = isLockfileHash(from) ? await manifestDeltas.between({ environment, from, to: lockfileHash }) : undefined;
  if (delta !== undefined) return new Response(delta, { headers: { ...caching, "content-type": manifestDeltaType } });
  const manifest = await getManifestOf(db.query, environment, lockfileHash);
  if (manifest === undefined) throw unknownManifest();
  const headers = { ...caching, etag: `"${lockfileHash}"` };
  if (matchesEtag(request.headers.get("if-none-match"), headers.etag)) return notModified(headers);
  return new Response(manifest.body, { headers: { ...headers, "content-type": "application/json" } });
}

const unknownManifest = () => new LarderError("E_NOT_FOUND", "This environment has no such manifest.");
