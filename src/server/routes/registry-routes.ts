import { defaultRegistryName, LarderError, type RegistryInput } from "../../contract/index.ts";
import {
  listStoredRegistries,
  lockRegistries,
  putRegistry,
  recordAudit,
  removeRegistry,
  type StoredRegistry,
} from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { assertAllowedAddresses } from "../registries/assert-allowed-addresses.ts";
import { importNpmrc } from "../registries/import-npmrc.ts";
import { mergeRegistry } from "../registries/merge-registry.ts";
import { allRegistries, registryFacts } from "../registries/registry-facts.ts";
import { testRegistry } from "../registries/test-registry.ts";
import { api } from "./api.ts";

const changed = { type: "registries" } as const;

export const registryRoutes = (context: ServerContext) => {
  const { db, vault, guard, announce, registrySetting, packageSearch } = context;
  const noSuch = (name: string): LarderError =>
    new LarderError("E_NOT_FOUND", `There is no registry ${name}.`, {
      hint: "`larder registry list` shows those there are.",
      details: { registry: name },
    });
  /** The default is there also when only the setting says so. */
  const merged = (input: RegistryInput, stored: StoredRegistry[], updatedBy: string) => {
    const isSetting = input.name === defaultRegistryName && !stored.some(({ name }) => name === defaultRegistryName);
    return mergeRegistry(isSetting ? { url: registrySetting.href, ...input } : input, { stored, vault, updatedBy });
  };

  return api.registries.router({
    list: api.registries.list.handler(async () => allRegistries(await listStoredRegistries(db.query), registrySetting)),

    set: api.registries.set.handler(async ({ input, context: { principal } }) => {
      // Names are looked up before the transaction: others wait for that.
      await assertAllowedAddresses(merged(input, await listStoredRegistries(db.query), principal.subject), guard);
      const saved = await db.transaction(async (tx) => {
        const stored = await lockRegistries(tx);
        const registry = await putRegistry(tx, merged(input, stored, principal.subject));
        const { url, scopes, names, tarballOrigins, auth, credentialsFor } = registry;
        await recordAudit(tx, {
          actor: principal.subject,
          action: "registry.set",
          target: input.name,
          details: { url, scopes, names, tarballOrigins, auth, credentialsFor, tokenGiven: input.auth !== undefined },
        });
        await db.notify(tx, formatNotice(changed));
        return registry;
      });
      announce(changed);
      return registryFacts(saved);
    }),

    remove: api.registries.remove.handler(async ({ input: { name }, context: { principal } }) => {
      const removed = await db.transaction(async (tx) => {
        const gone = await removeRegistry(tx, name);
        if (gone === undefined) throw noSuch(name);
        await recordAudit(tx, { actor: principal.subject, action: "registry.remove", target: name, details: { url: gone.url } });
        await db.notify(tx, formatNotice(changed));
        return gone;
      });
      announce(changed);
      return registryFacts(removed);
    }),

    test: api.registries.test.handler(async ({ input: { package: wanted, ...input }, context: { principal, signal } }) => {
      const stored = await listStoredRegistries(db.query);
      if (input.url === undefined && input.name !== defaultRegistryName && !stored.some(({ name }) => name === input.name))
        throw noSuch(input.name);
      const registry = { ...merged(input, stored, principal.subject), updatedAt: "" };
      return await testRegistry(registry, { vault, guard, package: wanted, signal });
    }),

    import: api.registries.import.handler(async ({ input, context: { principal } }) => {
      const result = await importNpmrc(input, { db, vault, guard, setting: registrySetting, actor: principal.subject });
      if (!input.dryRun) announce(changed);
      return result;
    }),

    search: api.registries.search.handler(({ input, context: { principal, signal } }) =>
      packageSearch.search(input, { user: principal.subject, signal }),
    ),

    versions: api.registries.versions.handler(({ input, context: { principal, signal } }) =>
      packageSearch.versions(input, { user: principal.subject, signal }),
    ),
  });
};
