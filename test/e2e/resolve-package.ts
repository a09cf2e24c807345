import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export interface PackageJson {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Node's rule: the real path of the nearest `node_modules/<alias>` at or above `from`, itself a real path. */
export function resolvePackage(from: string, alias: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, "node_modules", alias);
    if (!directory.endsWith("/node_modules") && existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (directory === dirname(directory)) return undefined;
  }
}

export const readPackageJson = (directory: string): PackageJson =>
  JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as PackageJson;

export const labelOf = ({ name, version }: { name: string; version: string }): string => `${name}@${version}`;
