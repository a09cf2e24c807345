import { type AllowlistChanges, LarderError, type PackageEntry, type PackageName } from "../../contract/index.ts";
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
