import type { BlobReader } from "../../blobs/index.ts";
import { acceptsBlobRedirect, type BlobKey, isBlobKey, LarderError } from "../../contract/index.ts";
import type { BlobEntry } from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { bodyStream, readAll } from "./body-stream.ts";
import { type ByteRange, parseByteRange } from "./byte-range.ts";
import { matchesEtag, notModified } from "./etag.ts";
import type { ReadableBlobs } from "./readable-blobs.ts";

/**
 * Up to here a blob is read and checked whole before its first byte is sent, and its length declared. Longer ones are streamed in chunks (Bun drops
 * a stream's Content-Length), and a mismatch cuts the connection.
 */
const wholeBytes = 1 << 19;

export async function getBlob(
  exchange: Exchange,
  { readableBlobs, blobs }: { readableBlobs: ReadableBlobs; blobs: BlobReader },
): Promise<Response> {
  const { request, params } = exchange;
  const { environment } = callingHost(exchange.principal);
  const key = params.blob ?? "";
  const entry = isBlobKey(key) ? await readableBlobs.find(environment, key) : undefined;
  if (entry === undefined) throw notThere();
  const { sizeBytes } = entry;
  const headers = { etag: `"${entry.key}"`, "cache-control": "private, max-age=31536000, immutable", "accept-ranges": "bytes" };
  if (matchesEtag(request.headers.get("if-none-match"), headers.etag)) return notModified(headers);
  const range = wantedRange(request, headers.etag, sizeBytes);
  if (range.kind === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${sizeBytes}` } });
  }
  const { start, end } = range.kind === "part" ? range : { start: 0, end: sizeBytes };
  const answer = {
    status: range.kind === "part" ? 206 : 200,
    headers: {
      ...headers,
      "content-type": "application/octet-stream",
      "content-length": String(end - start),
      ...(range.kind === "part" ? { "content-range": `bytes ${start}-${end - 1}/${sizeBytes}` } : {}),
    },
  };
  if (request.method === "HEAD") return new Response(null, answer);
  const elsewhere = await linkFor(exchange, entry, blobs);
  if (elsewhere !== undefined) {
    return new Response(null, { status: 307, headers: { location: elsewhere, "cache-control": "no-store" } });
  }
  const { signal } = request;
  if (range.kind === "all" && sizeBytes <= wholeBytes) {
    const bytes = await blobs.read(entry, { signal });
    if (bytes === undefined) throw missing(entry.key);
    return new Response(bytes, answer);
  }
  const found = await blobs.get(entry, { signal, ...(range.kind === "part" ? { start, end } : {}) });
  if (found === undefined) throw missing(entry.key);
  if (end - start <= wholeBytes) return new Response(await readAll(found.content), answer);
  const onFailure = (error: unknown) => {
    if (!signal.aborted) exchange.log.error({ err: error, blob: key }, "a blob could not be sent to its end");
  };
  return new Response(bodyStream(found.content, onFailure), answer);
}

/** A store that cannot give a link just now is no reason not to send the bytes. */
async function linkFor({ request, log }: Exchange, entry: BlobEntry, blobs: BlobReader): Promise<string | undefined> {
  const accepted = Object.entries(acceptsBlobRedirect).every(([name, value]) => request.headers.get(name) === value);
  if (!accepted) return undefined;
  try {
    return await blobs.link(entry);
  } catch (error) {
    log.warn({ err: error, store: entry.store }, "no link to a blob; sending its bytes");
    return undefined;
  }
}

function wantedRange(request: Request, etag: string, sizeBytes: number): ByteRange {
  const condition = request.headers.get("if-range");
  const header = condition === null || condition === etag ? request.headers.get("range") : null;
  return parseByteRange(header, sizeBytes);
}

/** The same whether it never was, is somewhere else or is not a key at all. */
const notThere = (): LarderError => new LarderError("E_NOT_FOUND", "This environment has no such blob.");

const missing = (key: BlobKey): LarderError =>
  new LarderError("E_BLOB_MISSING", `Blob ${key.slice(0, 16)}… is recorded, but no blob store has it whole.`, {
    hint: "The control plane fetches it again by itself, for hosts of the current generation: larder operations list.",
    retryable: true,
    details: { blob: key },
  });
