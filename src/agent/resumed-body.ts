import { hasCode, LarderError } from "../contract/for-hosts.ts";
import { backoffMs, sleep } from "../lib/index.ts";
import { tooLarge } from "./server-answer.ts";

export interface ResumeOptions {
  /** Asks for the body from byte `start` on: answers 200 (all of it) or 206. */
  open(start: number): Promise<Response>;
  /** What it is, for errors. */
  subject: string;
  limitBytes: number;
  /** Connections in a row that may end without having brought `progressBytes`. */
  tries: number;
  /** A connection that is silent for so long counts as cut. */
  idleMs: number;
  signal: AbortSignal;
  /** What a connection that was cut throws. */
  unreachable(cause: unknown): LarderError;
}

const progressBytes = 1024 * 1024;

/** A body's bytes over as many connections as it takes, each going on where the last was cut. Says nothing of their content. */
export async function* resumedBody(options: ResumeOptions): AsyncGenerator<Uint8Array> {
  const { signal, limitBytes, subject } = options;
  let position = 0;
  let failures = 0;
  for (;;) {
    const startedAt = position;
    try {
      const response = await options.open(position);
      const { skip, total } = framing(response, position, subject);
      if (total !== undefined && total > limitBytes) throw tooLarge(subject, limitBytes);
      let toSkip = skip;
      for await (const chunk of withIdleLimit(response, options.idleMs)) {
        const fresh: Uint8Array = chunk.subarray(Math.min(toSkip, chunk.length));
        toSkip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        position += fresh.length;
        if (position > limitBytes) throw tooLarge(subject, limitBytes);
        yield fresh;
      }
      if (total === undefined || position >= total) return;
      throw new Error(`ended after ${position} of ${total} bytes`);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof LarderError && !hasCode(error, "E_SERVER_UNREACHABLE", "E_RATE_LIMITED", "E_OVERLOADED")) throw error;
      failures = position - startedAt >= progressBytes ? 1 : failures + 1;
      if (failures >= options.tries) throw error instanceof LarderError ? error : options.unreachable(error);
      await sleep(retryDelayMs(error, failures), signal);
    }
  }
}

/** How many bytes of this answer we have already, and how long the whole is. */
function framing(response: Response, position: number, subject: string): { skip: number; total: number | undefined } {
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    if (range && Number(range[1]) === position) return { skip: 0, total: Number(range[2]) };
    throw new LarderError(
      "E_SERVER_UNREACHABLE",
      `The control plane answered with another part of ${subject} than was asked for.`,
    );
  }
  const length = response.headers.get("content-length");
  return { skip: position, total: length === null ? undefined : Number(length) };
}

function retryDelayMs(error: unknown, failures: number): number {
  const said = error instanceof LarderError ? error.details?.retryAfterMs : undefined;
  return typeof said === "number" ? Math.min(said, 30_000) : backoffMs(failures, { baseMs: 50, maxMs: 2000 });
}

/** Throws when nothing comes for `idleMs`. */
export async function* withIdleLimit(response: Response, idleMs: number): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const idle = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`silent for ${idleMs} ms`)), idleMs);
      });
      const { done, value } = await Promise.race([reader.read(), idle]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
