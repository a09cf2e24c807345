import type { Packument } from "./packument.ts";

/** RFC 3339, with its offset: a time without one could be any of twenty-six hours. */
const grammar = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d{1,12}))?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970, rounded up: nothing looks older than it is. `undefined` for what is no time. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const match = grammar.exec(text);
  const ms = match ? Date.parse(text.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(ms)) return undefined;
  return /[1-9]/.test(match?.[1]?.slice(3) ?? "") ? ms + 1 : ms;
}

/**
 * The latest that a version can have been published, in milliseconds since 1970. A document that does not say when (abbreviated ones do not) says when it was last
 * modified, and all its versions are at least as old. `undefined`: nobody says.
 */
export function publishedAt({ time, modified }: Pick<Packument, "time" | "modified">, version: string): number | undefined {
  return parseTime(time === undefined ? modified : time[version]);
}
