import { Glob } from "bun";

export interface Suite {
  name: string;
  /** Relative to the repository, sorted. */
  files: string[];
  /** Files at a time. */
  parallel: number;
  /** For one test that sets no limit of its own. */
  testTimeoutMs: number;
  /** For the whole suite; past it its processes are killed. */
  deadlineMs: number;
}

const minute = 60_000;

/**
 * Each in processes of its own. A folder of `test/` that is not named here is a suite with the limits of `other`. Unit tests wait for databases more than they
 * compute, so that two files at a time take half as long.
 */
const known = {
  unit: { folders: ["src", "scripts", "test/harness"], parallel: 2, testTimeoutMs: 30_000, deadlineMs: 20 * minute },
  e2e: { folders: ["test/e2e"], parallel: 2, testTimeoutMs: 3 * minute, deadlineMs: 30 * minute },
  crash: { folders: ["test/crash"], parallel: 2, testTimeoutMs: 10 * minute, deadlineMs: 25 * minute },
  fleet: { folders: ["test/fleet"], parallel: 1, testTimeoutMs: 2 * minute, deadlineMs: 15 * minute },
  other: { folders: [], parallel: 1, testTimeoutMs: minute, deadlineMs: 10 * minute },
} as const;

/** Every test of the repository, in suites, the quickest first. */
export function findSuites(root: string): Suite[] {
  const files = [...new Glob("{src,scripts,test}/**/*.test.{ts,tsx}").scanSync(root)].sort();
  const byName = new Map<string, string[]>(Object.keys(known).map((name) => [name, []]));
  for (const file of files) {
    const name = suiteOf(file);
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  const order = (name: string) => ["unit", "other", "e2e", "fleet", "crash"].indexOf(name in known ? name : "other");
  return [...byName]
    .filter(([, members]) => members.length > 0)
    .map(([name, members]) => ({ name, files: members, ...limitsOf(name) }))
    .sort((a, b) => order(a.name) - order(b.name) || a.name.localeCompare(b.name));
}

function suiteOf(file: string): string {
  for (const [name, { folders }] of Object.entries(known)) {
    if (folders.some((folder) => file.startsWith(`${folder}/`))) return name;
  }
  const [, folder, rest] = file.split("/");
  return rest === undefined ? "other" : (folder as string);
}

function limitsOf(name: string): Pick<Suite, "parallel" | "testTimeoutMs" | "deadlineMs"> {
  const { parallel, testTimeoutMs, deadlineMs } = name in known ? known[name as keyof typeof known] : known.other;
  return { parallel, testTimeoutMs, deadlineMs };
}
