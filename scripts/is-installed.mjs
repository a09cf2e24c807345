import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether `node_modules` is complete and what `package-lock.json` says, by what npm itself recorded at the end of its last install:
 * whoever ran `npm ci` or `npm install` by hand need not do it twice, and an interrupted install does not count.
 */
export function isInstalled(root) {
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(join(root, "node_modules/.package-lock.json"));
  if (wanted === undefined) throw new Error(`There is no package-lock.json in ${root}: is this a whole clone?`);
  return installed !== undefined && differences(wanted, installed).length === 0;
}

/** The places in `wanted` that `installed` lacks or has otherwise. What is optional may be missing: other platforms' binaries are. */
export function differences(wanted, installed) {
  return Object.keys(wanted).filter((place) => {
    if (place === "" || wanted[place].link) return false;
    if (installed[place] === undefined) return !(wanted[place].optional || wanted[place].devOptional);
    return wanted[place].version !== installed[place].version || wanted[place].integrity !== installed[place].integrity;
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`${path} cannot be read: ${error.message}`);
  }
}
