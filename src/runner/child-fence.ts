import type { Runtime } from "../contract/for-hosts.ts";

/**
 * The text of a module that lets a child load only files whose paths match `allowed`, in worker threads too: for where a `node_modules` of
 * somebody else can be seen from the store. `path` is its own.
 */
export function fenceSource(runtime: Runtime, { allowed, path }: { allowed: string; path: string }): string {
  if (runtime === "bun") return `(${fenceBun.toString()})(${JSON.stringify(allowed)}, ${JSON.stringify(path)}, ${refusal});\n`;
  return `import * as module from "node:module";\n(${fenceNode.toString()})(module, ${JSON.stringify(allowed)}, ${refusal});\n`;
}

const refusal = `(path) => {
  const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1];
  const error = new Error("Cannot find package '" + (name ?? path) + "'");
  throw Object.assign(error, { code: "MODULE_NOT_FOUND", specifier: name, larderFenced: path });
}`;

type Refuse = (path: string) => never;

/** Sent as text: see `childMain`. */
function fenceBun(allowed: string, preload: string, refuse: Refuse): void {
  type Build = { onLoad(options: { filter: RegExp }, load: (file: { path: string }) => never): void };
  const { Bun: bun, process: proc } = globalThis as unknown as {
    Bun: { isMainThread: boolean; plugin: { (plugin: object): void; clearAll(): void } };
    process: NodeJS.Process;
  };
  const { plugin } = bun;
  const clearAll = plugin.clearAll.bind(plugin);
  const fence = () =>
    plugin({
      name: "larder-fence",
      setup: (build: Build) => build.onLoad({ filter: new RegExp(`^(?!${allowed})`) }, ({ path }) => refuse(path)),
    });
  fence();
  // A script may take its own plugins away, not this one.
  const clearOthers = () => {
    clearAll();
    fence();
  };
  Object.defineProperty(plugin, "clearAll", { value: clearOthers, writable: false, configurable: false });
  if (!bun.isMainThread) return;
  // Plugins do not reach worker threads, preloads do.
  const fenced = (Base: new (url: unknown, options?: object) => object) =>
    class Worker extends Base {
      constructor(url: unknown, options?: { preload?: string | string[] }) {
        super(url, { ...options, preload: [preload, ...[options?.preload ?? []].flat()] });
      }
    };
  Object.assign(globalThis, { Worker: fenced((globalThis as never as { Worker: never }).Worker) });
  const threads = proc.getBuiltinModule("node:worker_threads");
  Object.assign(threads, { Worker: fenced(threads.Worker as never) });
}

/** Sent as text. Node imports it in every thread, before anything else. */
function fenceNode(module: typeof import("node:module"), allowed: string, refuse: Refuse): void {
  const pattern = new RegExp(`^${allowed}`);
  const loader = module.Module as unknown as { _resolveFilename(...args: unknown[]): string };
  const resolveFilename = loader._resolveFilename;
  loader._resolveFilename = function resolve(...args) {
    const path = resolveFilename.apply(this, args);
    return path.startsWith("/") && !pattern.test(path) ? refuse(path) : path;
  };
  const hook = `export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    if (!found.url.startsWith("file:")) return found;
    const path = decodeURIComponent(found.url.slice(7));
    return ${pattern}.test(path) ? found : (${refuse.toString()})(path);
  }`;
  module.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
