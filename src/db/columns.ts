import { sql } from "drizzle-orm";
import { bigint, customType } from "drizzle-orm/pg-core";

/** `timestamptz(3)` as the contract's timestamps: RFC 3339 in UTC with milliseconds, whatever the session's time zone. */
export const timestampColumn = customType<{ data: string; driverData: string }>({
  dataType: () => "timestamp(3) with time zone",
  fromDriver: (text) => toTimestamp(text),
});

/** PostgreSQL says `2026-01-31 12:00:00.5+00`: an offset without minutes is not RFC 3339. In UTC, as nearly always, no `Date` is needed. */
export function toTimestamp(text: string): string {
  const [, date, time, fraction = ""] = inUtc.exec(text) ?? [];
  if (date !== undefined) return `${date}T${time}.${fraction.padEnd(3, "0")}Z`;
  return new Date(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00")).toISOString();
}

const inUtc = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\+00(?::00)?$/;

export const bytesColumn = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
});

/** `int8` as a number. */
export const countColumn = (name: string) => bigint(name, { mode: "number" });

export const now = sql`now()`;
