import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** A line from the keyboard that the terminal does not show. Keys are read one by one meanwhile, so that Ctrl-C is one of them and no signal. */
export async function askSecret(question: string, interrupted: AbortController): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  lines.once("SIGINT", () => interrupted.abort(new DOMException("Interrupted.", "AbortError")));
  const closed = new Promise<never>((_, reject) => {
    lines.once("close", () => reject(new DOMException("Interrupted.", "AbortError")));
  });
  try {
    return await Promise.race([lines.question("", { signal: interrupted.signal }), closed]);
  } finally {
    lines.close();
    closed.catch(() => undefined);
    process.stderr.write("\n");
  }
}
