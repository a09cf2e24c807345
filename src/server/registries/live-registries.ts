import type { PackageName } from "../../contract/index.ts";
import { defaultRegistryName } from "../../contract/index.ts";
import { type Db, listStoredRegistries, type StoredRegistry } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import {
  createRegistryRouter,
  type OutboundGuard,
  type RegistryClient,
  type RegistryConfig,
  type RegistryRouter,
  registryAddress,
} from "../../npm/index.ts";
import type { Notice } from "../events/notice.ts";
import type { Vault } from "../secrets/vault.ts";
import { openCredentials } from "./sealed-credentials.ts";

/** The registries as they are set now, whoever changed them. */
export interface LiveRegistries extends RegistryClient {
  /** For several steps that should see the same registries. */
  router(): Promise<RegistryRouter>;
  notice(notice: Notice): void;
}

interface LiveOptions {
  db: Db;
  vault: Vault;
  guard: OutboundGuard;
  logger: Logger;
  /** The default as long as none is stored. */
  setting: URL;
  /** Called when registries have changed: what was learned from them may be wrong. */
  onChange(): void;
}

/** Notices are hints; this is how late a lost one makes us. */
const trustMs = 1000;

export function createLiveRegistries({ db, vault, guard, logger, setting, onChange }: LiveOptions): LiveRegistries {
  const build = (stored: StoredRegistry[]): RegistryRouter =>
    createRegistryRouter(toConfigs(stored, { vault, setting }), { guard, logger });
  let latest = { fingerprint: "", router: build([]), readAt: Number.NEGATIVE_INFINITY };
  let reading: Promise<RegistryRouter> | undefined;
  /** Counts what was heard: a read that began before the last notice is not trusted afterwards. */
  let heard = 0;

  const read = async (): Promise<RegistryRouter> => {
    const [startedAt, heardBefore] = [performance.now(), heard];
    const stored = await listStoredRegistries(db.query);
    const fingerprint = JSON.stringify([stored, vault.source]);
    const readAt = heard === heardBefore ? startedAt : Number.NEGATIVE_INFINITY;
    if (fingerprint === latest.fingerprint) latest.readAt = readAt;
    else {
      const isFirst = latest.fingerprint === "";
      latest = { fingerprint, router: build(stored), readAt };
      if (!isFirst) onChange();
    }
    return latest.router;
  };
  const router = (): Promise<RegistryRouter> => {
    if (performance.now() - latest.readAt < trustMs) return Promise.resolve(latest.router);
    if (reading) return reading;
    const started = read().finally(() => {
      if (reading === started) reading = undefined;
    });
    reading = started;
    return started;
  };

  return {
    get host() {
      return latest.router.host;
    },
    hostOf: (name: PackageName) => latest.router.hostOf(name),
    router,
    packument: async (name, request) => (await router()).packument(name, request),
    tarball: async (url, request) => (await router()).tarball(url, request),
    notice({ type }) {
      if (type !== "registries" && type !== "resumed") return;
      heard += 1;
      latest.readAt = Number.NEGATIVE_INFINITY;
      reading = undefined;
    },
  };
}

export function toConfigs(
  stored: readonly StoredRegistry[],
  { vault, setting }: { vault: Vault; setting: URL },
): { main: RegistryConfig; others: RegistryConfig[] } {
  const configs = stored.map((each) => toConfig(each, vault));
  const fallback = { name: defaultRegistryName, url: registryAddress(setting), scopes: [], names: [], tarballOrigins: [] };
  return {
    main: configs.find(({ name }) => name === defaultRegistryName) ?? fallback,
    others: configs.filter(({ name }) => name !== defaultRegistryName),
  };
}

export function toConfig(stored: StoredRegistry, vault: Vault): RegistryConfig {
  const { name, url, scopes, names, tarballOrigins, ca } = stored;
  return { name, url: new URL(url), scopes, names, tarballOrigins, ca, credentials: openCredentials(vault, stored) };
}
