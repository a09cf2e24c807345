import { resolve } from "node:path";
import { type Spawned, spawnProcess } from "../../test/harness/spawned.ts";
import { until } from "../../test/harness/until.ts";

/** A load process that takes commands as lines and answers each with a line. */
export interface LoadChild extends AsyncDisposable {
  pid: number;
  ask<T = Record<string, unknown>>(command: string, input?: object, timeoutMs?: number): Promise<T>;
}

/** With as many open files as there may be. */
export const manyFiles = ["/bin/sh", "-c", 'ulimit -n "$(ulimit -Hn)"; ulimit -n 65536 2>/dev/null; exec "$@"', "sh"];

export function startLoad(file: string): LoadChild {
  const [command = "", ...rest] = [...manyFiles, process.execPath, resolve(import.meta.dir, file)];
  const child: Spawned = spawnProcess(command, rest);
  let answers = 0;
  return {
    pid: child.pid,
    async ask<T>(name: string, input: object = {}, timeoutMs = 300_000) {
      const index = answers++;
      child.write(`${JSON.stringify({ command: name, ...input })}\n`);
      const line = await until(
        `${file} has done ${name}`,
        () => {
          if (!child.isRunning()) return '{"error":"it ended"}';
          const lines = child.stdout().split("\n");
          return lines.length > index + 1 && lines[index];
        },
        { timeoutMs, everyMs: 50 },
      );
      const { answer, error } = JSON.parse(line) as { answer: T; error?: string };
      if (error) throw new Error(`${file}, ${name}: ${error}\n${child.stderr().slice(-2000)}`);
      return answer;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
