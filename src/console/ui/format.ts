const units = ["B", "kB", "MB", "GB", "TB"];

/** `5.2 MB`, powers of 1,000. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 package`, `1,200 packages`. */
export const count = (n: number, noun: string, plural = `${noun}s`): string => `${formatNumber(n)} ${n === 1 ? noun : plural}`;

const numbers = new Intl.NumberFormat("en");
export const formatNumber = (n: number): string => numbers.format(n);

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const spans: [limitSeconds: number, divisor: number, unit: string][] = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [86_400 * 60, 86_400, "d"],
  [86_400 * 730, 86_400 * 30.44, "mo"],
  [Number.POSITIVE_INFINITY, 86_400 * 365.25, "y"],
];

/** `12 s`, `3 d`, `2 y`: how long ago. */
export function formatAge(at: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  const [, divisor, unit] = spans.find(([limit]) => seconds < limit) as (typeof spans)[number];
  return `${Math.floor(seconds / divisor)} ${unit}`;
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
export const formatMoment = (at: string): string => moments.format(new Date(at));

export const shortHash = (hash: string): string => hash.replace(/^sha\d+-/, "").slice(0, 12);
