/** `bytea`'s type, as PostgreSQL numbers it. */
const bytea = 17;

/**
 * Options of PGlite's for `bytea`. Its own make an array of every byte's two digits, and read them back one by one: a hundred times as slow. A parameter that is
 * bytes goes to the database as it is, which PGlite does and its types do not say.
 */
export const pgliteBytes = {
  serializers: { [bytea]: (bytes: Uint8Array) => bytes as unknown as string },
  parsers: { [bytea]: (text: string): Uint8Array => Buffer.from(text.slice(2), "hex") },
};
