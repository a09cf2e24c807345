import { DrizzleQueryError } from "drizzle-orm";
import { hasCode, LarderError } from "../contract/index.ts";
import { errnoOf } from "../lib/index.ts";

const unreachable =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET|FailedToOpenSocket|08|57P0|53300)/;
const repeatable = new Set(["40001", "40P01", "55P03"]);

/**
 * A driver's error in our words. Drizzle's own message holds the statement's parameters, which may be secrets or whole blobs: it is dropped, here and
 * from the cause.
 */
export function translateDatabaseError(thrown: unknown): unknown {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (cause instanceof LarderError || !(cause instanceof Error)) return cause;
  // PGlite puts them on the error, as do debug builds of others.
  for (const name of ["params", "parameters", "args"]) Reflect.deleteProperty(cause, name);
  const code = sqlStateOf(cause);
  if (code === undefined) return cause;
  if (cause.message.includes("unsupported startup parameter")) {
    return new LarderError("E_CONFIG", "The database's address leads to a connection pooler.", {
      hint: "Give PostgreSQL's own address: election and notifications need sessions, which poolers take away.",
      cause,
    });
  }
  if (unreachable.test(code)) {
    return new LarderError("E_STORE_UNAVAILABLE", `The database does not answer (${code}).`, {
      hint: "Check that PostgreSQL runs and can be reached from here; Larder goes on by itself when it does.",
      retryable: true,
      details: { away: "database" },
      cause,
    });
  }
  if (code === "53100" || code === "ENOSPC") {
    return new LarderError("E_NO_SPACE", "The database has no space left.", {
      hint: "Free space on the database's disk.",
      cause,
    });
  }
  if (code === "25006" || code === "EROFS") {
    return new LarderError("E_READ_ONLY", "The database is read-only.", {
      hint: "Point Larder at the primary server, not at a standby.",
      cause,
    });
  }
  if (repeatable.has(code))
    return new LarderError("E_CONFLICT", `The database refused concurrent changes (${code}).`, { retryable: true, cause });
  return cause;
}

/** Whether it is the database that did not answer, rather than a blob store: what was under way may or may not have been done. */
export const isDatabaseAway = (thrown: unknown): boolean =>
  hasCode(thrown, "E_STORE_UNAVAILABLE") && thrown.details?.away === "database";

/** SQLSTATE, or the network's error code. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  return errnoOf(cause);
}

/** `result`, with errors translated. */
export async function translated<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
