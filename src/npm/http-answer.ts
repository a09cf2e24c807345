import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { AnswerFault, asFault, ConnectionFault } from "./http-fault.ts";

interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Ends the reading, at the deadline at the latest. */
  stop: AbortSignal;
  idleMs: number;
  minBytesPerSecond: number;
  speedWindowMs: number;
}

/** Status, headers and body of what came. */
export function readAnswer(message: IncomingMessage, options: ReadOptions) {
  return {
    status: message.statusCode ?? 0,
    header(name: string): string | undefined {
      const value = message.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: ({ decode }: { decode: boolean }): AsyncIterable<Uint8Array> => readBody(message, options, decode),
  };
}

async function* readBody(message: IncomingMessage, options: ReadOptions, decode: boolean): AsyncGenerator<Uint8Array> {
  const { idleMs, signal, stop } = options;
  const encoding = decode ? message.headers["content-encoding"] : undefined;
  if (encoding !== undefined && encoding !== "gzip" && encoding !== "identity") {
    message.destroy();
    throw new AnswerFault(`it is encoded as ${encoding}, which was not asked for`);
  }
  const expected = Number(message.headers["content-length"] ?? Number.NaN);
  let received = 0;
  const bytes = encoding === "gzip" ? createGunzip() : message;
  if (encoding === "gzip") {
    message.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
    });
    pipeline(message, bytes as ReturnType<typeof createGunzip>, () => {});
  }
  const abort = () => message.destroy(new ConnectionFault("it takes too long"));
  if (stop.aborted) abort();
  stop.addEventListener("abort", abort, { once: true });
  const iterator = (bytes as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const speed = createSpeedCheck(options);
  try {
    for (;;) {
      const timer = setTimeout(() => message.destroy(new ConnectionFault(`it fell silent for ${idleMs} ms`)), idleMs);
      const waitingSince = performance.now();
      const step = await iterator.next().finally(() => clearTimeout(timer));
      if (step.done) break;
      speed(step.value.length, performance.now() - waitingSince);
      if (encoding !== "gzip") received += step.value.length;
      yield step.value;
    }
    if (received < expected) throw new ConnectionFault(`it broke off after ${received} of ${expected} bytes`);
  } catch (error) {
    signal?.throwIfAborted();
    throw asFault(error);
  } finally {
    stop.removeEventListener("abort", abort);
    if (!message.readableEnded) message.destroy();
  }
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
