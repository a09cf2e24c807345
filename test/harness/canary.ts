import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { undefinedOn } from "../../src/lib/index.ts";

const gone = ["ENOENT", "ESRCH", "EACCES", "EPERM"];

/** Files below a directory that hold one of the secrets, in their bytes. */
export async function findInFiles(directory: string, secrets: readonly string[]): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await undefinedOn(gone, readFile(path));
    if (bytes && secrets.some((secret) => bytes.includes(secret))) found.push(path);
  }
  return found;
}

export interface ProcessWatch extends AsyncDisposable {
  /** Environments and command lines in which a secret was seen. */
  found(): string[];
  /** How often every process was looked at. */
  rounds(): number;
}

/** Looks again and again, while a test goes on, for secrets in what any process can be seen to have. Linux only: elsewhere it sees nothing. */
export function watchProcesses(secrets: readonly string[], { except }: { except: readonly number[] }): ProcessWatch {
  const found = new Set<string>();
  let rounds = 0;
  let stopped = false;
  const look = async (): Promise<void> => {
    const names = (await undefinedOn(gone, readdir("/proc"))) ?? [];
    for (const pid of names.filter((name) => /^\d+$/.test(name) && !except.includes(Number(name)))) {
      for (const file of ["environ", "cmdline"]) {
        const bytes = await undefinedOn(gone, readFile(`/proc/${pid}/${file}`));
        if (bytes && secrets.some((secret) => bytes.includes(secret))) found.add(`/proc/${pid}/${file}`);
      }
    }
    rounds += 1;
  };
  const looking = (async () => {
    while (!stopped) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  return {
    found: () => [...found],
    rounds: () => rounds,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await looking;
    },
  };
}
