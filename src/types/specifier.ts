import { isPackageName, type PackageName } from "../contract/index.ts";

/** `name` is a package, `subpath` what is asked of it: "" or `/sub/path`. */
export interface PackageSpecifier {
  name: PackageName;
  subpath: string;
}

const maxLength = 1024;

/** `undefined` for a relative path, an address, or what is no package's name. */
export function parseSpecifier(specifier: string): PackageSpecifier | undefined {
  if (specifier.length > maxLength) return undefined;
  const parts = specifier.split("/");
  const taken = specifier.startsWith("@") ? 2 : 1;
  const name = parts.slice(0, taken).join("/");
  if (!isPackageName(name) || name.startsWith(".") || specifier.includes("\\") || specifier.includes("\0")) return undefined;
  const rest = parts.slice(taken);
  if (rest.some((part) => part === ".." || part === "." || part === "")) return undefined;
  return { name, subpath: rest.map((part) => `/${part}`).join("") };
}

/** `react` → `@types/react`, `@a/b` → `@types/a__b`. */
export const companionOf = (name: PackageName): PackageName =>
  (name.startsWith("@types/") ? name : `@types/${name.startsWith("@") ? name.slice(1).replace("/", "__") : name}`) as PackageName;

/** Node's, with no prefix. Not `builtinModules`: Bun adds packages to that. */
const builtins = new Set(
  (
    "assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns dns/promises domain events " +
    "fs fs/promises http http2 https inspector inspector/promises module net os path path/posix path/win32 perf_hooks process punycode querystring " +
    "readline readline/promises repl stream stream/consumers stream/promises stream/web string_decoder sys timers timers/promises tls trace_events tty " +
    "url util util/types v8 vm wasi worker_threads zlib"
  ).split(" "),
);

/** The name whose companion describes a module that a runtime has built in: `node`, `bun`. */
export function runtimeOf(specifier: string): "node" | "bun" | undefined {
  if (specifier.startsWith("node:") || builtins.has(specifier)) return "node";
  return specifier === "bun" || specifier.startsWith("bun:") ? "bun" : undefined;
}
