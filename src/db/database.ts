import { sql } from "drizzle-orm";
import type { Queryable } from "./queryable.ts";

export interface Db extends AsyncDisposable {
  readonly kind: "pglite" | "postgres";
  /** Single statements. Inside `transaction` use its `tx` only: on PGlite, `query` waits there for ever. */
  readonly query: Queryable;
  /** Read committed. What `fn` throws rolls back and is thrown on. On PGlite transactions run one after the other: do no slow work inside. */
  transaction<T>(fn: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Sent to all listeners when `tx` commits. At most 7,999 bytes. A hint: who must not miss it polls. */
  notify(tx: Queryable, payload: string): Promise<void>;
  /** Until disposed. After a lost connection it listens again, and calls `onResumed`: notices may have been missed meanwhile. */
  listen(onNotice: (payload: string) => void, onResumed?: () => void): Promise<AsyncDisposable>;
  /** See `tryElect`. */
  elect(): Promise<Election | undefined>;
}

/** The right to run operations. Ends with its disposal, its connection, or its process. */
export interface Election extends AsyncDisposable {
  readonly epoch: number;
  /** Aborts with `E_FENCED` when the election is lost. Not by disposal. */
  readonly signal: AbortSignal;
}

export const notifyChannel = "larder";
const notifyLimitBytes = 7999;

export async function notify(tx: Queryable, payload: string): Promise<void> {
  if (Buffer.byteLength(payload) > notifyLimitBytes) throw new Error(`notify: over ${notifyLimitBytes} bytes`);
  await tx.execute(sql`select pg_notify(${notifyChannel}, ${payload})`);
}
