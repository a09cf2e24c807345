import { LarderError } from "../contract/bare.ts";
import { environmentOf, type Operation, type Progress } from "../contract/index.ts";
import { sleep } from "../lib/bare.ts";
import type { LarderClient } from "./larder-client.ts";
import { patienceMs, patiently } from "./patiently.ts";
import { shortId } from "./short-id.ts";

const pollMs = 150;

export interface Watcher {
  signal: AbortSignal;
  onProgress?(progress: Progress): void;
  note?(text: string): void;
}

/**
 * Waits until an operation has succeeded and returns it; throws its error otherwise. An attempt that lost its replica is followed into the next
 * attempt. Aborting stops the watching, never the operation.
 */
export async function followOperation<Kind extends Operation>(
  client: LarderClient,
  first: Kind,
  watcher: Watcher,
): Promise<Kind> {
  let operation: Operation = first;
  try {
    for (;;) {
      if (operation.state === "succeeded") return operation as Kind;
      if (operation.state === "failed") throw failureOf(operation);
      if (operation.state === "cancelled")
        throw new LarderError("E_CANCELLED", `The ${operation.kind} ${operation.id} was cancelled.`);
      if (operation.state === "interrupted" || operation.state === "fenced") {
        operation = await nextAttempt(client, operation, watcher);
        continue;
      }
      watcher.onProgress?.(operation.progress ?? { phase: operation.state, done: 0 });
      await sleep(pollMs, watcher.signal);
      operation = await patiently(() => client.operations.get({ id: operation.id }), watcher);
    }
  } catch (error) {
    if (!watcher.signal.aborted) throw error;
    throw new LarderError("E_CANCELLED", `No longer watching: the ${operation.kind} goes on at the server.`, {
      hint: `Look at it with \`larder operations list\`, cancel it with \`larder operations cancel ${shortId(operation.id)}\`.`,
    });
  }
}

const failureOf = ({ id, kind, error }: Operation): LarderError =>
  error ? LarderError.fromBody(error) : new LarderError("E_INTERNAL", `The ${kind} ${id} failed and does not say why.`);

async function nextAttempt(client: LarderClient, ended: Operation, watcher: Watcher): Promise<Operation> {
  watcher.note?.(`The ${ended.kind} lost its server; waiting for the next attempt.`);
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    const { items } = await patiently(() => client.operations.list({ limit: 50 }), watcher);
    const next = items.find(
      (candidate) =>
        candidate.kind === ended.kind &&
        environmentOf(candidate) === environmentOf(ended) &&
        candidate.attempt === ended.attempt + 1,
    );
    if (next && next.createdAt >= ended.createdAt) return next;
    await sleep(pollMs, watcher.signal);
  }
  throw new LarderError(
    ended.state === "fenced" ? "E_FENCED" : "E_INTERRUPTED",
    `The ${ended.kind} ${ended.id} was ${ended.state}, and nobody took it up again within ${patienceMs / 1000} s.`,
    { hint: "Start it again.", retryable: true },
  );
}
