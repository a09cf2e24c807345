/** A registry's date in the contract's form; `undefined` for what is none, or lies beyond any real one. */
export function timestampOf(text: string | undefined): string | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms < 0 || ms > 4e12 ? undefined : new Date(ms).toISOString();
}
