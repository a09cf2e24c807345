import type { Runtime } from "../contract/for-hosts.ts";

/** What the parent tells the child, as JSON in its own module. */
export interface ChildInput {
  runtime: Runtime;
  /** What the runtime loads: the script's path, or the URL of what it was compiled to. */
  script: string;
  /** JSON text; absent: no `context` global. */
  context?: string;
}

/** What the child appends to descriptor 3, one line of JSON each. Nothing when the script ends its process itself. */
export type ChildReport =
  | { kind: "value"; json: string }
  | { kind: "unsettled" }
  | { kind: "unserialisable"; message: string }
  | { kind: "thrown"; thrown: Thrown };

/** An error as the child saw it. Bun's own errors about modules carry `specifier` and `referrer`, its syntax errors `position`. */
export interface Thrown {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  specifier?: string;
  referrer?: string;
  position?: { file: string; line: number; column: number };
  /** The path of a file that the fence refused. */
  fenced?: string;
}

/** The module that runs the script: Bun preloads it, for Node it is the main one. */
export const mainSource = (input: ChildInput): string =>
  input.runtime === "node"
    ? `import * as fs from "node:fs";\n(${childMain.toString()})(${JSON.stringify(input)}, fs);\n`
    : `(${childMain.toString()})(${JSON.stringify(input)});\n`;

/**
 * Runs in the child and imports the user's script. Under Bun that comes before the main module, which Bun then finds loaded and still treats as the
 * main one. Its source text is what is sent: it must not use anything from around it.
 */
function childMain(input: ChildInput, nodeFs?: typeof import("node:fs")): void {
  const { process: proc, Bun: bun } = globalThis as unknown as {
    process: NodeJS.Process;
    Bun?: {
      file(descriptor: number): object;
      write(file: object, text: string): unknown;
      serve(options: unknown): unknown;
    };
  };
  const exit = proc.exit.bind(proc);
  const { file, write } = bun ?? {};
  // Node counts this module as the argument.
  if (!bun) proc.argv[1] = decodeURIComponent(input.script.replace(/^file:\/\//, ""));

  let pending = true;
  const send = (report: unknown) => {
    const line = `${JSON.stringify(report)}\n`;
    // Bun writes what is short at once; loading node:fs costs 3 ms.
    if (file && write && line.length < 50_000) return void write(file(3), line);
    const fs = nodeFs ?? proc.getBuiltinModule("node:fs");
    const bytes = Buffer.from(line);
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(3, bytes, at);
  };
  const fail = (error: unknown) => {
    send({ kind: "thrown", thrown: describe(error) });
    exit(1);
  };
  const deliver = (value: unknown) => {
    pending = false;
    let json: string | undefined;
    try {
      json = JSON.stringify(value === undefined ? null : value);
    } catch (error) {
      send({ kind: "unserialisable", message: error instanceof Error ? error.message : String(error) });
      exit(1);
    }
    if (json !== undefined) return send({ kind: "value", json });
    send({ kind: "unserialisable", message: `a ${typeof value} has no JSON form` });
    exit(1);
  };

  proc.on("uncaughtException", (error) => proc.listenerCount("uncaughtException") === 1 && fail(error));
  proc.on("unhandledRejection", (error) => proc.listenerCount("unhandledRejection") === 1 && fail(error));
  proc.on("beforeExit", () => pending && send({ kind: "unsettled" }));
  // A shell would say a signal with the same number.
  proc.on("exit", (code) => code > 128 && send({ kind: "exited", code }));
  if (bun) takeNoResultForServer(bun);
  if (input.context !== undefined) Object.assign(globalThis, { context: JSON.parse(input.context) });
  import(input.script)
    .then((module) => module.default)
    .then(deliver)
    .catch(fail);

  /** For a main module whose default export has `fetch` or `app` Bun starts a server, and says so; here that is a result like any other. */
  function takeNoResultForServer(api: { serve(options: unknown): unknown }): void {
    const { serve } = api;
    api.serve = (options) => {
      if (new Error().stack?.split("\n")[2]?.includes("bun:main") !== true) return serve(options);
      const { debug } = console;
      console.debug = () => {};
      queueMicrotask(() => {
        console.debug = debug;
      });
      return {};
    };
  }

  function describe(error: unknown): unknown {
    try {
      if (typeof error !== "object" || error === null || !("message" in error)) return plain(error);
      const known = error as Record<string, unknown> & { errors?: unknown[] };
      if (Array.isArray(known.errors) && known.errors.length > 0 && known.name === "AggregateError")
        return describe(known.errors[0]);
      const text = (value: unknown, limit: number) => (typeof value === "string" ? value.slice(0, limit) : undefined);
      return {
        name: text(known.constructor?.name ?? known.name, 200) ?? "Error",
        message: text(known.message, 16_384) ?? "",
        stack: text(known.stack, 32_768),
        code: text(known.code, 200),
        specifier: text(known.specifier, 2000),
        referrer: text(known.referrer, 4096),
        position: known.position ?? undefined,
        fenced: text(known.larderFenced, 4096),
      };
    } catch {
      // A getter of the script's own threw.
      return plain("an error that cannot be read");
    }
  }

  function plain(value: unknown): unknown {
    let shown: string;
    try {
      shown = (typeof value === "object" ? JSON.stringify(value) : undefined) ?? String(value);
    } catch {
      // Cyclic, or its own toString threw.
      shown = Object.prototype.toString.call(value);
    }
    return { name: "Thrown", message: shown.slice(0, 16_384) };
  }
}
