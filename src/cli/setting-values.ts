export interface ListenAddress {
  hostname: string;
  port: number;
}

/** `HOST:PORT`, `[IPv6]:PORT` or a port alone (then on loopback). Throws an `Error` that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw new Error("not HOST:PORT, such as 127.0.0.1:7420");
  return { hostname: match[1] ?? match[2] ?? "127.0.0.1", port };
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `2m`, `1h`; a bare number is seconds. In milliseconds; throws an `Error` that says what is wrong. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|min|h)?$/.exec(text.trim());
  const ms = Number(match?.[1]) * (unitMs[match?.[2] ?? "s"] ?? Number.NaN);
  // Timers overflow past 2³¹ − 1 ms and then fire at once.
  if (!match || !(ms > 0) || ms > 2 ** 31 - 1) throw new Error("not a time such as 500ms, 30s or 2m");
  return ms;
}

/** `0`, or a time as `parseDuration` takes it, or days: `7d`. In milliseconds; no timer is set to it. */
export function parseAgeText(text: string): number {
  const days = /^(\d{1,5})\s*d$/.exec(text.trim());
  if (days) return Number(days[1]) * 86_400_000;
  if (/^0+\s*(ms|s|m|min|h|d)?$/.test(text.trim())) return 0;
  try {
    return parseDuration(text);
  } catch {
    throw new Error("not a time such as 0, 30m, 24h or 7d");
  }
}

const unitBytes: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `500MB`, `20GB`, `1.5GiB`; a bare number is bytes. Throws an `Error` that says what is wrong. */
export function parseByteCount(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*([kmgt]i?b|b)?$/i.exec(text.trim());
  const bytes = Math.round(Number(match?.[1]) * (unitBytes[match?.[2]?.toLowerCase() ?? "b"] ?? Number.NaN));
  if (!match || !Number.isSafeInteger(bytes)) throw new Error("not a size such as 500MB, 20GB or 1.5GiB");
  return bytes;
}

export function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new Error("not an http:// or https:// address");
}

export function parseBoolean(text: string): boolean {
  if (["true", "1", "yes"].includes(text.toLowerCase())) return true;
  if (["false", "0", "no"].includes(text.toLowerCase())) return false;
  throw new Error("neither true nor false");
}
