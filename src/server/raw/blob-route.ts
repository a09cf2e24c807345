import type { BlobStore } from "../../blobs/index.ts";
import { type BlobKey, isBlobKey, LarderError } from "../../contract/index.ts";
import { type Db, getBlobEntryOf } from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { bodyStream, readAll } from "./body-stream.ts";
import { type ByteRange, parseByteRange } from "./byte-range.ts";
import { matchesEtag, notModified } from "./etag.ts";

/**
 * Up to here a blob is read and checked whole before its first byte is sent, and its length declared. Longer ones are streamed in chunks (Bun drops
 * a stream's Content-Length), and a mismatch cuts the connection.
 */
const wholeBytes = 1 << 19;

export async function getBlob(exchange: Exchange, { db, blobs }: { db: Db; blobs: BlobStore }): Promise<Response> {
  const { request, params } = exchange;
  const { environment } = callingHost(exchange.principal);
  const key = params.blob ?? "";
  if (!isBlobKey(key) || (await getBlobEntryOf(db.query, environment, key)) === undefined) throw notThere();
  const headers = { etag: `"${key}"`, "cache-control": "private, max-age=31536000, immutable", "accept-ranges": "bytes" };
  if (matchesEtag(request.headers.get("if-none-match"), headers.etag)) return notModified(headers);
  const stored = await blobs.head(key);
  if (stored === undefined) throw missing(key);
  const range = wantedRange(request, headers.etag, stored.sizeBytes);
  if (range.kind === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${stored.sizeBytes}` } });
  }
  const { start, end } = range.kind === "part" ? range : { start: 0, end: stored.sizeBytes };
  const answer = {
    status: range.kind === "part" ? 206 : 200,
    headers: {
      ...headers,
      "content-type": "application/octet-stream",
      "content-length": String(end - start),
      ...(range.kind === "part" ? { "content-range": `bytes ${start}-${end - 1}/${stored.sizeBytes}` } : {}),
    },
  };
  if (request.method === "HEAD") return new Response(null, answer);
  const found = await blobs.get(key, { signal: request.signal, ...(range.kind === "part" ? { start, end } : {}) });
  if (found === undefined) throw missing(key);
  if (end - start <= wholeBytes) return new Response(await readAll(found.content), answer);
  const onFailure = (error: unknown) => {
    if (!request.signal.aborted) exchange.log.error({ err: error, blob: key }, "a blob could not be sent to its end");
  };
  return new Response(bodyStream(found.content, onFailure), answer);
}

function wantedRange(request: Request, etag: string, sizeBytes: number): ByteRange {
  const condition = request.headers.get("if-range");
  const header = condition === null || condition === etag ? request.headers.get("range") : null;
  return parseByteRange(header, sizeBytes);
}

/** The same whether it never was, is somewhere else or is not a key at all. */
const notThere = (): LarderError => new LarderError("E_NOT_FOUND", "This environment has no such blob.");

const missing = (key: BlobKey): LarderError =>
  new LarderError("E_BLOB_MISSING", `Blob ${key.slice(0, 16)}… is recorded, but the blob store does not have it.`, {
    hint: "Run `larder install` to fetch it again.",
    retryable: true,
    details: { blob: key },
  });
