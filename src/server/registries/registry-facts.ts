import { defaultRegistryName, type Registry } from "../../contract/index.ts";
import type { StoredRegistry } from "../../db/index.ts";
import { registryAddress } from "../../npm/index.ts";

/** As it is shown: nothing of its secrets, not even sealed. */
export function registryFacts(stored: StoredRegistry): Registry {
  const { sealedCredentials, ...shown } = stored;
  return { ...shown, hasToken: sealedCredentials !== undefined, source: "stored" };
}

/** All of them, the default first: as stored or, without that, as the server's setting says. */
export function allRegistries(stored: readonly StoredRegistry[], setting: URL): Registry[] {
  const facts = stored.map(registryFacts);
  const main = facts.find(({ name }) => name === defaultRegistryName) ?? settingFacts(setting);
  return [main, ...facts.filter(({ name }) => name !== defaultRegistryName)];
}

export const settingFacts = (setting: URL): Registry => ({
  name: defaultRegistryName,
  url: registryAddress(setting).href,
  scopes: [],
  names: [],
  tarballOrigins: [],
  auth: "none",
  hasToken: false,
  source: "setting",
});
