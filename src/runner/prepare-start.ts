import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HostStore } from "../host/index.ts";
import type { Cell } from "./cell.ts";
import { fenceSource } from "./child-fence.ts";
import { mainSource } from "./child-main.ts";
import type { BunExecutable } from "./find-bun.ts";
import { countThreads } from "./process-table.ts";
import { allowedPaths } from "./resolution-boundary.ts";
import type { RunMark } from "./run-mark.ts";
import type { Order } from "./run-request.ts";
import { shellQuoted, startName, startText } from "./start-text.ts";

export interface Executables {
  bun: BunExecutable;
  /** Only for a run under Node. */
  node: string | undefined;
}

interface Preparation {
  store: HostStore;
  cell: Cell;
  order: Order;
  executables: Executables;
  mark: RunMark | undefined;
}

/** What the compiler says goes here. */
export const diagnosticsName = ".larder.diagnostics";
const mainName = ".larder.mjs";
const fenceName = ".larder-fence.mjs";

/** What has to be in a cell's directory before its shell goes on: names and texts. */
export function prepareStart({ store, cell, order, executables, mark }: Preparation): [name: string, text: string][] {
  const { path } = cell.directory;
  const { source, runtime, context, limits, env } = order;
  const fence = cell.seen.length > 0 ? join(path, fenceName) : undefined;
  const isNode = executables.node !== undefined;
  const loaded = isNode ? pathToFileURL(join(path, compiledName(source.name))).href : join(path, source.name);
  const start = startText({
    limits,
    // Without a namespace of its own, everybody's count.
    tasks: cell.tasks + (cell.hold.holding === "namespace" ? 0 : countThreads()),
    mark,
    env: { ...env, ...(isNode ? {} : executables.bun.env) },
    before: isNode ? compilation(executables.bun, source.name) : undefined,
    command: isNode ? nodeCommand(path, { order, executables, fence }) : bunCommand(path, { order, executables, fence }),
  });
  return [
    [source.name, source.text],
    [mainName, mainSource({ runtime, script: loaded, ...(context === undefined ? {} : { context }) })],
    ...(fence ? [[fenceName, fenceSource(runtime, { allowed: allowedPaths(store.directory, path), path: fence })] as const] : []),
    [startName, start],
  ].map(([name = "", text = ""]) => [name, text]);
}

interface CommandOptions {
  order: Order;
  executables: Executables;
  fence: string | undefined;
}

function nodeCommand(path: string, { order, executables, fence }: CommandOptions): string[] {
  return [
    executables.node ?? "node",
    "--enable-source-maps",
    "--no-global-search-paths",
    `--max-old-space-size=${order.limits.memoryMb}`,
    ...(fence === undefined ? [] : ["--import", pathToFileURL(fence).href]),
    join(path, mainName),
  ];
}

const bunCommand = (path: string, { order, executables, fence }: CommandOptions): string[] => [
  executables.bun.path,
  "--no-install",
  "--no-env-file",
  ...(fence === undefined ? [] : ["--preload", fence]),
  "--preload",
  join(path, mainName),
  join(path, order.source.name),
];

const compiledName = (name: string): string => `${name}.mjs`;

/**
 * Bun's compiler makes of any script one that Node understands: types, JSX, enums and `require` beside `import`, with a map back to the user's lines.
 * It runs where the script will, under the same limits.
 */
function compilation({ path, env }: BunExecutable, name: string): string {
  const variables = Object.entries(env).map(([key, value]) => `${key}=${shellQuoted(value)}`);
  const options = "--packages=external --external='*' --target=node --format=esm --sourcemap=inline";
  const keep = "--define process.env.NODE_ENV=process.env.NODE_ENV";
  const command = [...variables, shellQuoted(path), "build", shellQuoted(`./${name}`), options, keep].join(" ");
  return `${command} >${shellQuoted(compiledName(name))} 2>${diagnosticsName} || { printf '{"kind":"uncompiled"}\\n' >&3; false; }`;
}
