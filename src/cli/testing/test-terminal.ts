import type { Terminal } from "../terminal.ts";

export interface TestTerminal extends Terminal {
  written: { out: string; err: string };
  interrupt(): void;
}

/** A terminal that keeps what was written to it. No TTY unless told. */
export function createTestTerminal(
  given: Partial<Omit<Terminal, "out" | "err" | "signal">> & { answers?: string[]; width?: number } = {},
): TestTerminal {
  const written = { out: "", err: "" };
  const interrupted = new AbortController();
  const answers = [...(given.answers ?? [])];
  return {
    outIsTTY: false,
    errIsTTY: false,
    inIsTTY: false,
    columns: () => given.width ?? 80,
    environment: {},
    cwd: "/nowhere",
    async ask(question) {
      written.err += question;
      return answers.shift() ?? "";
    },
    async askSecret(question) {
      written.err += question;
      return answers.shift() ?? "";
    },
    readInput: async () => "",
    ...given,
    out(text) {
      written.out += text;
    },
    err(text) {
      written.err += text;
    },
    signal: interrupted.signal,
    written,
    interrupt: () => interrupted.abort(new DOMException("Interrupted.", "AbortError")),
  };
}
