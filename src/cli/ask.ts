import { createInterface } from "node:readline/promises";

/** A line from the keyboard. */
export async function ask(question: string, interrupted: AbortController): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.once("SIGINT", () => interrupted.abort(new DOMException("Interrupted.", "AbortError")));
  const closed = new Promise<never>((_, reject) => {
    lines.once("close", () => reject(new DOMException("Interrupted.", "AbortError")));
  });
  try {
    return await Promise.race([lines.question(question, { signal: interrupted.signal }), closed]);
  } finally {
    lines.close();
    closed.catch(() => undefined);
  }
}
