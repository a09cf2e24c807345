import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { AnswerFault, asFault, ConnectionFault } from "./http-fault.ts";

interface ReadOptions {
  signal?: AbortSignal | undefined;
  idleMs: number;
  minBytesPerSecond: number;
  speedWindowMs: number;
}

/** An answer that began, and what ends it. */
export interface Exchange {
  response: Response;
  /** Breaks it off, with the reason. */
  stop: AbortController;
  /** To be called once nothing more of it is read. */
  end(): void;
}

/** Status, headers and body of what came. */
export function readAnswer(exchange: Exchange, options: ReadOptions) {
  const { status, headers } = exchange.response;
  return {
    status,
    header: (name: string): string | undefined => headers.get(name) ?? undefined,
    body: ({ decode }: { decode: boolean }): AsyncIterable<Uint8Array> => readBody(exchange, options, decode),
    discard: () => discard(exchange),
  };
}

const drainBytes = 64 << 10;

/** Lets the connection be used again when little is left on it. */
export function discard({ response, stop, end }: Exchange): void {
  const isShort = Number(response.headers.get("content-length") ?? Number.POSITIVE_INFINITY) <= drainBytes;
  if (!isShort) stop.abort();
  // Nobody wants it, whatever becomes of it.
  void response.arrayBuffer().then(end, end);
}

async function* readBody(exchange: Exchange, options: ReadOptions, decode: boolean): AsyncGenerator<Uint8Array> {
  const { response, stop, end } = exchange;
  const { idleMs, signal } = options;
  const encoding = (decode ? response.headers.get("content-encoding") : null) ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    discard(exchange);
    throw new AnswerFault(`it is encoded as ${encoding}, which was not asked for`);
  }
  const raw = counted(response);
  const iterator = encoding === "gzip" ? gunzipped(raw.chunks) : raw.chunks;
  const speed = createSpeedCheck(options);
  let complete = false;
  try {
    for (;;) {
      const timer = setTimeout(() => stop.abort(new ConnectionFault(`it fell silent for ${idleMs} ms`)), idleMs);
      const waitingSince = performance.now();
      const step = await iterator.next().finally(() => clearTimeout(timer));
      if (step.done) break;
      speed(step.value.length, performance.now() - waitingSince);
      yield step.value;
    }
    const expected = Number(response.headers.get("content-length") ?? Number.NaN);
    if (raw.bytes() < expected) throw new ConnectionFault(`it broke off after ${raw.bytes()} of ${expected} bytes`);
    complete = true;
  } catch (error) {
    signal?.throwIfAborted();
    throw asFault(stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    if (!complete) stop.abort();
    end();
  }
}

function counted({ body }: Response): { chunks: AsyncGenerator<Uint8Array>; bytes(): number } {
  let bytes = 0;
  const chunks = async function* () {
    if (body === null) return;
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  return { chunks: chunks(), bytes: () => bytes };
}

function gunzipped(chunks: AsyncIterable<Uint8Array>): AsyncIterator<Uint8Array> {
  const gunzip = createGunzip();
  // What goes wrong is what the iteration throws.
  pipeline(Readable.from(chunks, { objectMode: false }), gunzip, () => {});
  return (gunzip as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}

/** Counts only the time that was spent waiting: a slow reader is not the registry's fault. */
function createSpeedCheck({ minBytesPerSecond, speedWindowMs }: ReadOptions): (bytes: number, waitedMs: number) => void {
  let bytes = 0;
  let ms = 0;
  return (more, waitedMs) => {
    bytes += more;
    ms += waitedMs;
    if (ms < speedWindowMs) return;
    const rate = Math.round((bytes * 1000) / ms);
    if (rate < minBytesPerSecond) throw new ConnectionFault(`it came at ${rate} bytes a second`);
    bytes = 0;
    ms = 0;
  };
}
