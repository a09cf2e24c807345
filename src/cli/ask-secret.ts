import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** A line from the keyboard that the terminal does not show. */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  const interrupted = new Promise<never>((_, reject) => {
    for (const event of ["SIGINT", "close"] as const)
      lines.once(event, () => reject(new DOMException("Interrupted.", "AbortError")));
  });
  try {
    return await Promise.race([lines.question("", { signal }), interrupted]);
  } finally {
    lines.close();
    interrupted.catch(() => undefined);
    process.stderr.write("\n");
  }
}
