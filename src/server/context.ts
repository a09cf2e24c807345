import { rm } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type BlobReader, type BlobStores, createBlobReader } from "../blobs/index.ts";
import { type DatabaseOptions, type Db, openDatabase } from "../db/index.ts";
import { createPackumentCache, type PackumentCache } from "../gateway/index.ts";
import type { Clock } from "../lib/index.ts";
import { createOutboundGuard, type OutboundGuard } from "../npm/index.ts";
import {
  createAuditHandler,
  createCollectHandler,
  createInstallHandler,
  createMigrateHandler,
  createPlanner,
  createStockHandler,
  type Planner,
  type PlannerOptions,
  startCollectSchedule,
  startOperations,
} from "../operations/index.ts";
import { type Authenticator, createAuthenticator } from "./auth/authenticator.ts";
import { ensureAdminToken } from "./auth/ensure-admin-token.ts";
import { createHostAuthenticator, type HostAuthenticator } from "./auth/host-authenticator.ts";
import { createTypesAnswers, type TypesAnswers } from "./declarations/answer-types.ts";
import { createTypesLibrary, type TypesLibrary } from "./declarations/types-library.ts";
import { createDesiredCache, type DesiredCache } from "./desired/desired-cache.ts";
import { startDesiredWatch } from "./desired/desired-watch.ts";
import { type EventHub, openEventHub } from "./events/event-hub.ts";
import { type Notice, parseNotice } from "./events/notice.ts";
import { createReportDesk, type ReportDesk } from "./hosts/report-desk.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { openControlDirectory } from "./open-control-directory.ts";
import { createManifestDeltas, type ManifestDeltas } from "./raw/manifest-deltas.ts";
import { createReadableBlobs, type ReadableBlobs } from "./raw/readable-blobs.ts";
import { createLiveRegistries, type LiveRegistries } from "./registries/live-registries.ts";
import { forbidOwnEndpoints } from "./registries/own-endpoints.ts";
import { createPackageSearch, type PackageSearchService } from "./registries/package-search.ts";
import { createRunWaiters, type RunWaiters } from "./runs/run-waiters.ts";
import { openVault, type Vault } from "./secrets/vault.ts";
import type { ServerConfig } from "./server-config.ts";
import { openSigner } from "./signing/open-signer.ts";
import type { Signer } from "./signing/signer.ts";
import { createStocker, type Stocker } from "./stocking/stocker.ts";
import { createConfiguredStores } from "./storage/configured-stores.ts";
import { openActiveStore } from "./storage/open-active-store.ts";

/** Everything that routes work with, put together once. Disposal closes it in reverse. */
export interface ServerContext extends AsyncDisposable {
  version: string;
  controlDirectory: string;
  clock: Clock;
  db: Db;
  stores: BlobStores;
  blobs: BlobReader;
  registry: LiveRegistries;
  /** The default registry as long as none is stored. */
  registrySetting: URL;
  packageSearch: PackageSearchService;
  guard: OutboundGuard;
  vault: Vault;
  packuments: PackumentCache;
  planner: Planner;
  /** What plans are made with. */
  planning: PlannerOptions;
  signer: Signer;
  authenticator: Authenticator;
  hostAuthenticator: HostAuthenticator;
  desired: DesiredCache;
  manifestDeltas: ManifestDeltas;
  readableBlobs: ReadableBlobs;
  events: EventHub;
  reportDesk: ReportDesk;
  stocker: Stocker;
  runWaiters: RunWaiters;
  types: { db: Db; library: TypesLibrary; answers: TypesAnswers };
  sessionMs: number;
  metrics: Metrics;
  /** Takes effect here at once; the database tells the other replicas. */
  announce(notice: Notice): void;
}

const defaultSessionMs = 12 * 3_600_000;

export async function openContext(config: ServerConfig): Promise<ServerContext> {
  const { logger, clock } = config;
  await using stack = new AsyncDisposableStack();
  const controlDirectory = await openControlDirectory(config.dataDirectory);
  const db = stack.use(await openDatabase(databaseOptions(config, controlDirectory)));
  const stores = stack.use(createConfiguredStores(config, { db, controlDirectory }));
  await openActiveStore({ db, stores, logger, config });
  const blobs = stack.use(createBlobReader({ db, stores, logger: logger.child({ part: "blobs" }) }));
  const vault = await openVault({ db, controlDirectory, secretKey: config.secretKey });
  const guard = createOutboundGuard();
  forbidOwnEndpoints(guard, config);
  const packuments = createPackumentCache();
  const registry = createLiveRegistries({
    db,
    vault,
    guard,
    logger: logger.child({ part: "registry" }),
    setting: config.registry,
    onChange: () => packuments.clear(),
  });
  const packageSearch = createPackageSearch({ registries: registry });
  const signer = await openSigner({ db, clock, vault, logger });
  await ensureAdminToken({ db, logger, controlDirectory, adminToken: config.adminToken });

  const authenticator = createAuthenticator({ db, logger, storeId: signer.storeId });
  const hostAuthenticator = createHostAuthenticator({ db, signer, clock });
  const desired = createDesiredCache({ db, signer, clock });
  const events = stack.use(
    openEventHub({ db, hostAuthenticator, desired, logger, reportsPerSecond: config.limits?.reports?.perSecond }),
  );
  const stocker = stack.use(createStocker({ db, logger, platforms: config.platforms }));
  const runWaiters = createRunWaiters();
  const library = stack.use(
    createTypesLibrary({
      db,
      blobs,
      bunPath: config.bunPath ?? process.execPath,
      logger: logger.child({ part: "types" }),
    }),
  );
  const types = { db, library, answers: createTypesAnswers({ db, library }) };
  const metrics = createMetrics({ db, logger, events, version: packageJson.version });
  const announce = (notice: Notice) => {
    for (const listener of [
      signer,
      authenticator,
      hostAuthenticator,
      desired,
      events,
      stocker,
      runWaiters,
      desiredWatch,
      metrics,
      registry,
    ])
      listener.notice(notice);
  };
  const desiredWatch = stack.use(startDesiredWatch({ db, logger, announce }));
  const onNotice = (payload: string) => {
    const notice = parseNotice(payload);
    if (notice) announce(notice);
  };
  const onResumed = () => {
    logger.info("listening to the database again");
    announce({ type: "resumed" });
  };
  stack.use(await db.listen(onNotice, onResumed));
  const scratchDirectory = join(controlDirectory, "scratch");
  const { platforms, bunPath = process.execPath } = config;
  // Installs empty their own directory, so plans have another.
  const planDirectory = join(controlDirectory, "plans");
  await rm(planDirectory, { recursive: true, force: true });
  const planning = { db, registry, cache: packuments, logger, bunPath, platforms, scratchDirectory: planDirectory };
  const planner = createPlanner(planning);
  const install =
    config.handlers?.install ??
    createInstallHandler({
      db,
      stores,
      registry,
      cache: packuments,
      signer,
      scratchDirectory,
      platforms,
      bunPath,
      clock,
      logger,
    });
  const migrate = createMigrateHandler({ db, stores, logger });
  const collect = createCollectHandler({ db, stores, logger });
  const audit = createAuditHandler({ db, stores, registry: { registry, cache: packuments }, logger });
  const stock = createStockHandler({ db, stores, registry, cache: packuments, scratchDirectory, platforms });
  stack.use(await startOperations({ db, logger, handlers: { install, stock, migrate, collect, audit } }));
  if (config.collect) stack.use(startCollectSchedule({ db, logger, ...config.collect }));

  const owned = stack.move();
  return {
    version: packageJson.version,
    controlDirectory,
    clock,
    db,
    stores,
    blobs,
    registry,
    registrySetting: config.registry,
    packageSearch,
    guard,
    vault,
    packuments,
    planner,
    planning,
    signer,
    authenticator,
    hostAuthenticator,
    desired,
    manifestDeltas: createManifestDeltas({ db }),
    readableBlobs: createReadableBlobs({ db }),
    events,
    reportDesk: createReportDesk({ db, stocker }),
    stocker,
    runWaiters,
    types,
    sessionMs: config.sessionMs ?? defaultSessionMs,
    metrics,
    announce,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function databaseOptions({ database }: ServerConfig, controlDirectory: string): DatabaseOptions {
  if (database === "memory") return { memory: true };
  return database === "embedded" ? { directory: join(controlDirectory, "db") } : database;
}
