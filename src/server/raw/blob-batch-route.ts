import type { BlobReader } from "../../blobs/index.ts";
import {
  acceptsBlobRedirect,
  type BlobKey,
  blobBatchSchema,
  blobFrameHead,
  LarderError,
  largestBatchedBlob,
} from "../../contract/index.ts";
import { type BlobEntry, type Db, getBlobEntriesOf, getQuarantinedStores } from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { withJsonBody } from "../http/request-body.ts";
import { bodyStream } from "./body-stream.ts";

/** Read while earlier ones are being sent. */
const readAhead = 8;
const readAheadBytes = 16 * 1024 * 1024;

/**
 * Many blobs in one answer. Left out is whatever the host has to ask for by itself, and then hears why: what it may not have, what is too large, what cannot be
 * read, and what it would be sent elsewhere for.
 */
export async function getBlobs(exchange: Exchange, { db, blobs }: { db: Db; blobs: BlobReader }): Promise<Response> {
  const { request, principal, log } = exchange;
  const { environment } = callingHost(principal);
  const keys = await wantedKeys(request);
  const found = await getBlobEntriesOf(db.query, environment, keys);
  const small = keys.map((key) => found.get(key)).filter((entry) => entry !== undefined && entry.sizeBytes <= largestBatchedBlob);
  const entries = await withoutLinked(small as BlobEntry[], request, blobs);
  const quarantined = await getQuarantinedStores(db.query, keys);
  const content = frames(entries, (entry) =>
    blobs.read(entry, { signal: request.signal, bad: quarantined.get(entry.key) ?? [] }).catch((error: unknown) => {
      if (!request.signal.aborted) log.warn({ err: error, blob: entry.key }, "a blob was left out of a batch");
      return undefined;
    }),
  );
  const onFailure = (error: unknown) => {
    if (!request.signal.aborted) log.error({ err: error }, "a batch of blobs could not be sent to its end");
  };
  return new Response(bodyStream(content, onFailure), { headers: { "content-type": "application/octet-stream" } });
}

async function wantedKeys(request: Request): Promise<BlobKey[]> {
  const parsed = blobBatchSchema.safeParse(await (await withJsonBody(request)).json().catch(() => undefined));
  if (parsed.success) return [...new Set(parsed.data.keys)];
  throw new LarderError("E_INPUT", "The body does not name blobs.", { hint: 'Send {"keys": ["<SHA-512 in hex>", …]}.' });
}

/** A store that sends hosts to itself does so blob by blob. */
async function withoutLinked(entries: BlobEntry[], request: Request, blobs: BlobReader): Promise<BlobEntry[]> {
  const [[header, value]] = Object.entries(acceptsBlobRedirect) as [[string, string]];
  if (request.headers.get(header) !== value) return entries;
  const gives = new Map<string, boolean>();
  for (const entry of entries) {
    if (gives.has(entry.store)) continue;
    gives.set(entry.store, (await blobs.link(entry).catch(() => undefined)) !== undefined);
  }
  return entries.filter(({ store }) => !gives.get(store));
}

async function* frames(
  entries: readonly BlobEntry[],
  read: (entry: BlobEntry) => Promise<Uint8Array<ArrayBuffer> | undefined>,
): AsyncGenerator<Uint8Array> {
  const reading: { entry: BlobEntry; bytes: Promise<Uint8Array<ArrayBuffer> | undefined> }[] = [];
  let next = 0;
  let ahead = 0;
  for (;;) {
    while (next < entries.length && reading.length < readAhead && (ahead === 0 || ahead < readAheadBytes)) {
      const entry = entries[next++] as BlobEntry;
      ahead += entry.sizeBytes;
      reading.push({ entry, bytes: read(entry) });
    }
    const first = reading.shift();
    if (!first) break;
    const bytes = await first.bytes;
    ahead -= first.entry.sizeBytes;
    if (bytes === undefined) continue;
    yield blobFrameHead(first.entry.key, bytes.length);
    if (bytes.length > 0) yield bytes;
  }
  yield blobFrameHead();
}
