type NullableKeys<T> = { [K in keyof T]: null extends T[K] ? K : never }[keyof T];
type WithoutNulls<T> = Omit<T, NullableKeys<T>> & { [K in NullableKeys<T>]?: NonNullable<T[K]> };

/** A row in the contract's form: what SQL calls null is absent there. */
export function withoutNulls<T extends object>(row: T): WithoutNulls<T> {
  const kept: Record<string, unknown> = {};
  for (const name in row) if (row[name] !== null) kept[name] = row[name];
  return kept as WithoutNulls<T>;
}
