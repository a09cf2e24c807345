import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { LarderError } from "../contract/index.ts";
import { type Logger, Mutex } from "../lib/index.ts";
import type { ReadReferences, Reference } from "./outline.ts";

export interface ParserOptions {
  /** The Bun that runs it. */
  bunPath: string;
  logger: Logger;
  /** How long one text may take. */
  textMs?: number;
}

export interface ParserProcess extends AsyncDisposable {
  read: ReadReferences;
}

const idleMs = 10_000;

/** Parses texts in a process of its own, which is started when there is something to parse and ends when there is not. A text that ends it, or keeps it too long, is `null`. */
export function openParserProcess({ bunPath, logger, textMs = 15_000 }: ParserOptions): ParserProcess {
  const turn = new Mutex();
  let child: Child | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const end = () => {
    clearTimeout(idle);
    child?.end();
    child = undefined;
  };

  const read: ReadReferences = async (texts) => {
    const found: (Reference[] | null)[] = [];
    while (found.length < texts.length) {
      if (closed) throw new LarderError("E_INTERRUPTED", "The control plane is stopping.", { retryable: true });
      child ??= startChild(bunPath);
      const answered = await child.read(texts.slice(found.length), textMs);
      found.push(...answered.references);
      if (answered.whole) continue;
      end();
      if (answered.references.length === 0 && !answered.started) throw cannotParse(bunPath, answered.cause);
      if (closed || found.length === texts.length) continue;
      logger.warn(
        { bytes: texts[found.length]?.length },
        "a declaration file could not be parsed; it is served, what it refers to is not",
      );
      found.push(null);
    }
    return found;
  };

  return {
    async read(texts) {
      if (texts.length === 0) return [];
      return await turn.run(async () => {
        clearTimeout(idle);
        try {
          return await read(texts);
        } finally {
          idle = setTimeout(end, idleMs);
          idle.unref();
        }
      });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      end();
    },
  };
}

interface Answered {
  references: (Reference[] | null)[];
  /** All texts were answered. */
  whole: boolean;
  /** The process came up at all. */
  started: boolean;
  cause?: unknown;
}

interface Child {
  read(texts: readonly string[], textMs: number): Promise<Answered>;
  end(): void;
}

function startChild(bunPath: string): Child {
  // Nothing is inherited, and a crash is nobody else's business.
  const env = { BUN_BE_BUN: "1", BUN_ENABLE_CRASH_REPORTING: "0", DO_NOT_TRACK: "1" };
  const file = fileURLToPath(new URL("./parser-child.ts", import.meta.url));
  const child: ChildProcess = spawn(bunPath, [file], { stdio: ["pipe", "pipe", "ignore"], env });
  child.unref();
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the parser has no pipes");
  // It may end while it is written to: that shows by its missing answers.
  stdin.on("error", () => undefined);
  let cause: unknown;
  let gone = false;
  let started = false;
  let onLine: (line: string) => void = () => undefined;
  let onGone: () => void = () => undefined;
  createInterface({ input: stdout }).on("line", (line) => {
    started = true;
    onLine(line);
  });
  child.on("error", (error) => {
    cause = error;
    gone = true;
    onGone();
  });
  child.on("close", (code) => {
    if (!started && code !== null && code !== 0) cause ??= new Error(`it ended with ${code}`);
    if (code === null) started = true;
    gone = true;
    onGone();
  });
  return {
    async read(texts, textMs) {
      const references: (Reference[] | null)[] = [];
      await new Promise<void>((resolve) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const settle = () => {
          clearTimeout(timer);
          resolve();
        };
        const wait = () => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            started = true;
            child.kill("SIGKILL");
          }, textMs);
        };
        onGone = settle;
        onLine = (line) => {
          references.push(JSON.parse(line) as Reference[] | null);
          if (references.length === texts.length) settle();
          else wait();
        };
        wait();
        if (gone) return settle();
        for (const text of texts) stdin.write(`${JSON.stringify(text)}\n`);
      });
      return { references, whole: references.length === texts.length, started, cause };
    },
    end: () => void child.kill("SIGKILL"),
  };
}

const cannotParse = (bunPath: string, cause: unknown): LarderError =>
  new LarderError("E_NOT_READY", "The parser of declarations could not be started.", {
    hint: `Check that ${bunPath} is the bun executable that came with Larder, and that its packages are installed.`,
    cause,
  });
