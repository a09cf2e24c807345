const bytesLimit = 10_000;

/** `{"username": …}`; `undefined` for anything else. */
export async function readUserName(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesLimit) return undefined;
    chunks.push(chunk);
  }
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { username?: unknown } | null;
    return typeof value?.username === "string" ? value.username.slice(0, 100) : undefined;
  } catch {
    // A page, or some other JSON: it does not say.
    return undefined;
  }
}
