const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Decimal: `999 B`, `1.2 kB`, `440 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.95 would print as 1000.0
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit]}`;
}

/** `12 ms`, `1.2 s`, `42 s`, `2 min 5 s`, `3 h 2 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(`${minutes} min`, seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join(`${hours} h`, minutes % 60, "min");
  return join(`${Math.floor(hours / 24)} d`, hours % 24, "h");
}

const join = (large: string, small: number, unit: string): string => (small === 0 ? large : `${large} ${small} ${unit}`);

/** `just now`, `5 s ago`, `3 min ago`, `2 h ago`, `4 d ago`, then the date. */
export function formatAgo(timestamp: string | undefined, now = Date.now()): string {
  if (timestamp === undefined) return "never";
  const seconds = Math.floor((now - Date.parse(timestamp)) / 1000);
  // Clocks of two machines differ by a little; more than that is worth seeing as it is.
  if (seconds < -60) return timestamp;
  if (seconds < 2) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return timestamp.slice(0, 10);
}

/** `1 package`, `3 packages`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

export const shortHash = (hash: string): string => hash.slice(0, 12);
