import { isatty } from "node:tty";

/** What a command may know of the world outside: streams, environment, working directory, and Ctrl-C. Tests bring their own. */
export interface Terminal {
  /** Standard output: answers only. */
  out(text: string): void;
  /** Standard error: progress, questions, logs, errors. */
  err(text: string): void;
  outIsTTY: boolean;
  errIsTTY: boolean;
  inIsTTY: boolean;
  /** Width of the terminal; of no meaning when neither stream is one. */
  columns(): number;
  environment: Record<string, string | undefined>;
  cwd: string;
  /** Aborts on SIGINT, SIGTERM and SIGHUP. */
  signal: AbortSignal;
  ask(question: string): Promise<string>;
  /** As `ask`; what is typed is not shown. */
  askSecret(question: string): Promise<string>;
  readInput(): Promise<string>;
}

/** `flush` ends both streams, and answers what kept a part of the answer from getting out: a full disk, say. */
export function openProcessTerminal(): Terminal & { flush(): Promise<NodeJS.ErrnoException | undefined> } {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      // The second Ctrl-C means it: whatever the command is still tidying up is left as a crash would leave it.
      if (interrupted.signal.aborted && name === "SIGINT") process.exit(130);
      interrupted.abort(new DOMException("Interrupted.", "AbortError"));
    });
  }
  // `larder list | head -1` closes the pipe early; that is no error.
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    lost ??= error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    outIsTTY: process.stdout.isTTY === true,
    errIsTTY: process.stderr.isTTY === true,
    // Making a stream of it takes longer than most commands have to do.
    inIsTTY: isatty(0),
    columns: () => process.stdout.columns || process.stderr.columns || 80,
    environment: process.env,
    cwd: process.cwd(),
    signal: interrupted.signal,
    ask: async (question) => (await import("./ask.ts")).ask(question, interrupted),
    askSecret: async (question) => (await import("./ask-secret.ts")).askSecret(question, interrupted),
    readInput: () => Bun.stdin.text(),
    async flush() {
      // By their end: Bun calls a write back when only a part of what is before it has gone into a pipe.
      await Promise.all([process.stdout, process.stderr].map(ended));
      return lost;
    },
  };
}

/** A stream that broke may never call back. */
const ended = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((done) => {
    if (stream.destroyed || stream.errored) return done();
    stream.once("error", () => done());
    stream.end(() => done());
  });
