import semver from "semver";
import {
  type EnvironmentName,
  type ExactVersion,
  hasCode,
  LarderError,
  type OperationOf,
  type PackageEntry,
  type PackageName,
  parseManifest,
  type Revocation,
  type RevokeEffect,
} from "../../contract/index.ts";
import {
  currentGeneration,
  getManifest,
  insertOrJoinOperation,
  insertRevocation,
  listEnvironments,
  listPackages,
  type Queryable,
  recordAudit,
  setPackageEnabled,
  upsertPackages,
} from "../../db/index.ts";
import { createRuleset, fetchPackument, servePackument } from "../../gateway/index.ts";
import { sortVersions } from "../../npm/index.ts";
import { readInputs } from "../install/read-inputs.ts";
import { notice } from "../notices.ts";
import type { Planner, PlannerOptions } from "./planner.ts";

export interface RevokeRequest {
  name: PackageName;
  version: ExactVersion;
  reason?: string | undefined;
  signal: AbortSignal;
}

/** What revoking a version would do to each environment. Changes nothing; what cannot be told for lack of a registry is in `error`. */
export async function planRevocation(options: PlannerOptions, planner: Planner, request: RevokeRequest): Promise<RevokeEffect[]> {
  const effects: RevokeEffect[] = [];
  for (const { name: environment } of await listEnvironments(options.db.query)) {
    effects.push(await effectOn(environment, { options, planner, request }));
  }
  return effects;
}

interface Scope {
  options: PlannerOptions;
  planner: Planner;
  request: RevokeRequest;
}

/** A pin of the version moves to the newest allowed one; an allowlisted package that has no way around the version is disabled. */
async function effectOn(environment: EnvironmentName, scope: Scope): Promise<RevokeEffect> {
  const { options, planner, request } = scope;
  const { name, version, reason, signal } = request;
  const entries = await listPackages(options.db.query, environment);
  const pin = entries.find((entry) => entry.name === name && entry.version === version);
  const holds = pin !== undefined || (await isInTree(options.db.query, environment, request));
  const effect: RevokeEffect = { environment, holds, repin: [], disable: [] };
  if (!holds) return effect;
  try {
    const to = pin && (await replacementFor(environment, scope));
    if (pin && to) effect.repin.push({ name, from: version, to });
    else if (pin) effect.disable.push({ name, version });
    // Each turn disables one package more, and there are only so many.
    for (let turns = 0; turns <= entries.length; turns++) {
      const changes = {
        add: effect.repin.map((change) => ({ name: change.name, version: change.to })),
        disable: effect.disable.map((entry) => entry.name),
      };
      const plan = await planner.plan({ environment, changes, revoked: { name, version, ...(reason && { reason }) }, signal });
      if (plan.ok) return effect;
      const stuck = rootOf(plan.error?.details, entries);
      if (stuck === undefined || plan.error?.code !== "E_POLICY") return { ...effect, ...(plan.error && { error: plan.error }) };
      effect.repin = effect.repin.filter((change) => change.name !== stuck.name);
      effect.disable.push({ name: stuck.name, version: stuck.version });
    }
    return effect;
  } catch (thrown) {
    if (signal.aborted && !hasCode(signal.reason, "E_TIMEOUT")) throw thrown;
    // The block is what matters: a pin of it must not stay enabled only because no registry answers.
    const disable = pin && effect.repin.length === 0 ? [{ name, version }] : effect.disable;
    return { ...effect, disable, error: LarderError.from(thrown).toBody() };
  }
}

async function isInTree(tx: Queryable, environment: EnvironmentName, { name, version }: RevokeRequest): Promise<boolean> {
  const current = await currentGeneration(tx, environment);
  const stored = current && (await getManifest(tx, current.lockfileHash));
  if (stored === undefined) return false;
  return Object.values(parseManifest(stored.body).nodes).some((node) => node.name === name && node.version === version);
}

/** The newest that policy allows of the same major version, or else of all. */
async function replacementFor(environment: EnvironmentName, { options, request }: Scope): Promise<ExactVersion | undefined> {
  const { name, version, signal } = request;
  const { rules } = await readInputs(options, environment);
  const ruleset = createRuleset({
    ...rules,
    revocations: [...rules.revocations, request as Pick<Revocation, "name" | "version">],
  });
  const packument = await fetchPackument({ client: options.registry, cache: options.cache }, name, {
    signal,
    suffices: ruleset.suffices,
  });
  if (packument === undefined) return undefined;
  const { versions } = servePackument(packument, options.registry.hostOf(name), ruleset);
  const releases = sortVersions(versions).filter((other) => !other.includes("-"));
  return releases.findLast((other) => semver.major(other) === semver.major(version)) ?? releases.at(-1);
}

/** The allowlisted package at the start of a refusal's path. */
function rootOf(details: Record<string, unknown> | undefined, entries: readonly PackageEntry[]): PackageEntry | undefined {
  const path = details?.path;
  const [root] = Array.isArray(path) ? (path as string[]) : [];
  return entries.find((entry) => root?.startsWith(`${entry.name}@`));
}

export interface Revoked {
  revocation: Revocation;
  effects: RevokeEffect[];
  installs: OperationOf<"install">[];
}

/**
 * Blocks a version everywhere, in one transaction with what follows from it: pins that move or are disabled, and an install of each environment that has it. Throws
 * `E_CONFLICT` when it is revoked already.
 */
export async function revoke(
  options: PlannerOptions,
  planner: Planner,
  request: RevokeRequest & { revokedBy: string },
): Promise<Revoked> {
  const { db } = options;
  const { name, version, reason, revokedBy } = request;
  const effects = await planRevocation(options, planner, request);
  return await db.transaction(async (tx) => {
    const revocation = await insertRevocation(tx, { name, version, revokedBy, ...(reason && { reason }) });
    if (revocation === undefined) {
      throw new LarderError("E_CONFLICT", `${name}@${version} is revoked already.`, {
        hint: "`larder revocations list` says since when. `larder install` makes a generation without it.",
      });
    }
    const installs: OperationOf<"install">[] = [];
    for (const effect of effects.filter(({ holds }) => holds)) {
      const { environment } = effect;
      await applyEffect(tx, effect, revokedBy);
      const { operation, joined } = await insertOrJoinOperation(tx, { kind: "install", environment, requestedBy: revokedBy });
      installs.push(operation as OperationOf<"install">);
      await db.notify(tx, notice({ type: "packages", environment }));
      if (!joined) await db.notify(tx, notice({ type: "operation", id: operation.id }));
    }
    const touched = effects
      .filter(({ holds }) => holds)
      .map(({ environment, repin, disable }) => ({ environment, repin, disable }));
    await recordAudit(tx, {
      actor: revokedBy,
      action: "version.revoke",
      target: `${name}@${version}`,
      details: { ...(reason && { reason }), environments: touched },
    });
    return { revocation, effects, installs };
  });
}

async function applyEffect(tx: Queryable, { environment, repin, disable }: RevokeEffect, by: string): Promise<void> {
  const pins = repin.map(({ name, to }) => ({ name, version: to }));
  if (pins.length > 0) await upsertPackages(tx, environment, { pins, addedBy: by });
  for (const { name } of disable) await setPackageEnabled(tx, environment, { name, enabled: false });
}
