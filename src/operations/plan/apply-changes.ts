import { type AllowlistChanges, type Choice, LarderError, type PackageEntry, type PackageName } from "../../contract/index.ts";
import {
  chooseVersion,
  fetchPackument,
  type PackumentSource,
  type Ruleset,
  refusedByPolicy,
  servePackument,
} from "../../gateway/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import type { Pin } from "../install/resolve.ts";

/** The packages that an install would resolve if the allowlist were changed so. Throws `E_NOT_FOUND` for one that is not on it. Pure. */
export function applyChanges(
  entries: readonly PackageEntry[],
  changes: Omit<AllowlistChanges, "add">,
  added: readonly Pin[],
): Pin[] {
  const pins = new Map(entries.map(({ name, version, enabled }) => [name, { name, version, enabled }]));
  for (const { name, version } of added) pins.set(name, { name, version, enabled: pins.get(name)?.enabled ?? true });
  const known = (name: PackageName) => {
    const pin = pins.get(name);
    if (pin) return pin;
    throw new LarderError("E_NOT_FOUND", `${name} is not on the allowlist.`, {
      hint: "`larder list` shows what is.",
      details: { name },
    });
  };
  for (const name of changes.enable) known(name).enabled = true;
  for (const name of changes.disable) known(name).enabled = false;
  for (const name of changes.remove) pins.delete(known(name).name);
  return [...pins.values()]
    .filter(({ enabled }) => enabled)
    .map(({ name, version }) => ({ name, version }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A choice for each name of which no version is asked for. Throws `E_PACKAGE_NOT_FOUND`, or `E_POLICY` when policy allows no version. */
export async function chooseVersions(
  names: readonly PackageName[],
  { source, ruleset, signal }: { source: PackumentSource; ruleset: Ruleset; signal: AbortSignal },
): Promise<Choice[]> {
  return await mapConcurrent(names, { limit: 8, signal }, async (name) => {
    const packument = await fetchPackument(source, name, { signal, suffices: ruleset.suffices });
    if (packument === undefined) {
      throw new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${source.client.hostOf(name)} has no package ${name}.`, {
        hint: "Check the spelling, and that the package is public.",
        details: { name },
      });
    }
    const served = servePackument(packument, source.client.hostOf(name), ruleset);
    const choice = chooseVersion(served);
    if (choice) return choice;
    const findings = [...served.hidden.values()].flat();
    if (findings.length > 0) throw refusedByPolicy(findings.reverse());
    throw new LarderError("E_VERSION_NOT_FOUND", `The registry ${source.client.hostOf(name)} has no usable version of ${name}.`, {
      details: { name },
    });
  });
}
