import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HostStore } from "../host/index.ts";
import { fenceSource } from "./child-fence.ts";
import { mainSource } from "./child-main.ts";
import type { BunExecutable } from "./find-bun.ts";
import { type Holding, type Launch, launch, shellQuoted } from "./launch.ts";
import { mountTable } from "./mount-table.ts";
import { allowedPaths, visibleFolders } from "./resolution-boundary.ts";
import type { RunMark } from "./run-mark.ts";
import type { Order } from "./run-request.ts";

export interface Executables {
  bun: BunExecutable;
  /** Only for a run under Node. */
  node: string | undefined;
}

interface LaunchPlan {
  launch: Launch;
  /** To be written into the run's directory before: name and text. */
  files: [name: string, text: string][];
}

interface Preparation {
  store: HostStore;
  directory: string;
  order: Order;
  executables: Executables;
  held: Holding;
  mark: RunMark | undefined;
}

/** What the compiler says goes here. */
export const diagnosticsName = ".larder.diagnostics";
const mainName = ".larder.mjs";
const fenceName = ".larder-fence.mjs";
const mountTableName = ".larder.fstab";

/** How to start a script, and what has to be in its directory for that. */
export async function prepareLaunch(preparation: Preparation): Promise<LaunchPlan> {
  const { store, directory, order, executables, held, mark } = preparation;
  const { source, runtime, context, limits } = order;
  const others = await visibleFolders(store.directory);
  // What is hidden needs no fence; but nobody can hide the folder that the runtime itself is started from.
  const needed = [executables.bun.path, executables.node ?? ""];
  const hideable = held === "namespace" && !others.some((folder) => needed.some((path) => path.startsWith(`${folder}/`)));
  const fence = others.length > 0 && !hideable ? join(directory, fenceName) : undefined;
  const loaded =
    runtime === "bun" ? join(directory, source.name) : pathToFileURL(join(directory, compiledName(source.name))).href;
  const table = mountTable({ directory: store.directory, runDirectory: directory, hidden: hideable ? others : [] });
  return {
    launch: launch({
      holding: held,
      mountTable: join(directory, mountTableName),
      limits,
      mark,
      command: commandOf(preparation, fence),
      ...(runtime === "node" ? { before: compilation(executables.bun, source.name) } : {}),
    }),
    files: [
      [source.name, source.text],
      [mainName, mainSource({ runtime, script: loaded, ...(context === undefined ? {} : { context }) })],
      ...(held === "namespace" ? [[mountTableName, table] as [string, string]] : []),
      ...(fence === undefined
        ? []
        : [
            [fenceName, fenceSource(runtime, { allowed: allowedPaths(store.directory, directory), path: fence })] as [
              string,
              string,
            ],
          ]),
    ],
  };
}

function commandOf({ directory, order, executables }: Preparation, fence: string | undefined): string[] {
  const main = join(directory, mainName);
  if (executables.node !== undefined) {
    return [
      executables.node,
      "--enable-source-maps",
      "--no-global-search-paths",
      `--max-old-space-size=${order.limits.memoryMb}`,
      ...(fence === undefined ? [] : ["--import", pathToFileURL(fence).href]),
      main,
    ];
  }
  return [
    executables.bun.path,
    "--no-install",
    "--no-env-file",
    ...(fence === undefined ? [] : ["--preload", fence]),
    "--preload",
    main,
    join(directory, order.source.name),
  ];
}

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
