/** A Node file-system or network error's `code` (`ENOENT`, `ENOSPC`, …). */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** `value` unless it rejects with one of `codes`; then `undefined`. */
export async function undefinedOn<T>(codes: readonly string[], value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (codes.includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
