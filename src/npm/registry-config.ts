import type { LarderError } from "../contract/index.ts";

export interface RegistryConfig {
  name: string;
  /** Ends with a slash. */
  url: URL;
  /** With their `@`. */
  scopes: readonly string[];
  /** Names and patterns (`*`), besides the scopes, that are asked for here and nowhere else. */
  names: readonly string[];
  tarballOrigins: readonly string[];
  /** PEM. */
  ca?: string | undefined;
  /** `refused`: there are some, and they cannot be had. Nothing is asked then, least of all without them. */
  credentials?: RegistryCredentials | { refused: LarderError } | undefined;
}

export interface RegistryCredentials {
  /** They are sent to this address and what is below it. Ends with a slash. */
  prefix: URL;
  /** The whole header. A function, so that no log shows it. */
  header(): string;
}

/** With a slash at its end and without query and fragment: what is asked for is appended. */
export const registryAddress = (url: URL): URL => {
  const bare = url.href.replace(/[?#].*$/, "");
  return new URL(bare.endsWith("/") ? bare : `${bare}/`);
};

/**
 * Whether `url` is `prefix` or below it. The rest must not lead out again by a dot segment that a server might decode only later (`..%2f`).
 */
export function isBelow(url: URL, prefix: URL): boolean {
  if (url.origin !== prefix.origin || !url.pathname.startsWith(prefix.pathname)) return false;
  const rest = url.pathname.slice(prefix.pathname.length);
  return !/(?:^|\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:\/|\\|%2f|%5c|$)/i.test(rest) && !/%25/.test(rest);
}

/** Whether a name is one that `pattern` stands for: `*` is anything but a slash. Case matters nowhere, so that no spelling escapes. */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("[^/]*")}$`, "i").test(name);
}
