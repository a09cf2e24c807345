import type postgres from "postgres";
import { backoffMs, sleep } from "../lib/index.ts";
import { notifyChannel } from "./database.ts";
import { translated } from "./database-errors.ts";

export interface ListenerTiming {
  /** Between two questions whether the connection is still there. */
  heartbeatMs: number;
  /** One unanswered for so long means that it is not. */
  answerMs: number;
}

export const listenerTiming: ListenerTiming = { heartbeatMs: 5000, answerMs: 5000 };

interface Handlers {
  onNotice(payload: string): void;
  onResumed?: (() => void) | undefined;
}

export interface PostgresListener extends AsyncDisposable {
  add(handlers: Handlers): Promise<AsyncDisposable>;
}

type Connect = (settings: { onnotify(channel: string, payload: string): void; onclose(): void }) => postgres.Sql;

/**
 * One connection of its own that listens for all handlers, from the first one on. It is watched, for a network that was cut says nothing; when it is lost, another
 * takes its place, however long that needs, and every handler is told that it may have missed something. (postgres.js's own `listen` gives up for
 * ever when its one attempt to subscribe again fails.)
 */
export function createPostgresListener(connect: Connect, timing: ListenerTiming = listenerTiming): PostgresListener {
  const listeners = new Set<Handlers>();
  const stop = new AbortController();
  let first: Promise<void> | undefined;
  let running: Promise<void> = Promise.resolve();

  /** Until the connection is lost. */
  const listenOnce = async (onListening: () => void): Promise<void> => {
    const gone = Promise.withResolvers<void>();
    const client = connect({
      onnotify: (_, payload) => {
        for (const { onNotice } of listeners) onNotice(payload);
      },
      onclose: gone.resolve,
    });
    const onStop = () => gone.resolve();
    stop.signal.addEventListener("abort", onStop);
    const beat = setInterval(() => {
      answersWithin(client, timing.answerMs).then((answered) => answered || gone.resolve(), gone.resolve);
    }, timing.heartbeatMs);
    beat.unref();
    try {
      await client.unsafe(`listen "${notifyChannel}"`);
      onListening();
      await gone.promise;
    } finally {
      clearInterval(beat);
      stop.signal.removeEventListener("abort", onStop);
      await client.end({ timeout: 0 });
    }
  };

  const keepListening = async (onFirst: { resolve(): void; reject(error: unknown): void }): Promise<void> => {
    let started = false;
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await listenOnce(() => {
          failures = 0;
          if (started) for (const { onResumed } of listeners) onResumed?.();
          started = true;
          onFirst.resolve();
        });
      } catch (error) {
        // Whoever opens a database is told at once that it does not answer; later it is for the listener to wait until it does.
        if (!started) return onFirst.reject(error);
      }
      await sleep(backoffMs(++failures, { baseMs: 50, maxMs: 2000 }), stop.signal).catch(() => {});
    }
  };

  const start = (): Promise<void> => {
    const listening = Promise.withResolvers<void>();
    running = keepListening(listening);
    return listening.promise;
  };

  return {
    async add(handlers) {
      listeners.add(handlers);
      try {
        first ??= start();
        await translated(first);
      } catch (error) {
        listeners.delete(handlers);
        first = undefined;
        throw error;
      }
      return {
        async [Symbol.asyncDispose]() {
          listeners.delete(handlers);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const lateMs = 20;

/** False: nothing came in time. Throws what the connection says. */
export async function answersWithin(client: postgres.Sql, answerMs: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  let timer = setTimeout(() => {
    // When this process itself stood still, the answer may be here and not read yet.
    timer = setTimeout(() => timeout.resolve(false), lateMs);
  }, answerMs);
  try {
    return await Promise.race([client.unsafe("select 1").then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
