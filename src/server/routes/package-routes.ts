import { type EnvironmentName, LarderError, type PackageName } from "../../contract/index.ts";
import {
  approvePackageRequests,
  getAllowlist,
  listPackages,
  readEffectivePolicy,
  recordAudit,
  removePackage,
  setPackageEnabled,
  upsertPackages,
} from "../../db/index.ts";
import { pinVersions } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const packageRoutes = ({ db, registry, packuments }: ServerContext) =>
  api.packages.router({
    list: api.packages.list.handler(async ({ input: { environment } }) => {
      await requireEnvironment(db.query, environment);
      const allowlist = await getAllowlist(db.query, environment);
      if (allowlist === undefined) throw new Error(`environment ${environment} vanished`);
      return allowlist;
    }),

    add: api.packages.add.handler(async ({ input: { environment, packages }, context: { principal, signal } }) => {
      await requireEnvironment(db.query, environment);
      const before = await listPackages(db.query, environment);
      const known = new Map(before.map(({ name, version }) => [name, version]));
      const rules = { environment, ...(await readEffectivePolicy(db.query, environment)) };
      const pins = await pinVersions(packages, { source: { client: registry, cache: packuments }, rules, known, signal });
      const choices = new Map(pins.map(({ name, choice }) => [name, choice]));
      return await db.transaction(async (tx) => {
        const results = await upsertPackages(tx, environment, { pins, addedBy: principal.subject });
        const names = results.map(({ name }) => name);
        await approvePackageRequests(tx, environment, { names, decidedBy: principal.subject });
        const changes = results.filter(({ change }) => change !== "unchanged");
        const answer = results.map((result) => {
          const choice = choices.get(result.name);
          return { ...result, ...(choice && { choice }) };
        });
        if (changes.length === 0) return answer;
        const details = { packages: changes.map(({ name, version, previousVersion }) => ({ name, version, previousVersion })) };
        await recordAudit(tx, { actor: principal.subject, action: "package.add", target: environment, details });
        await db.notify(tx, packagesNotice(environment));
        return answer;
      });
    }),

    remove: api.packages.remove.handler(async ({ input: { environment, name }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      return await db.transaction(async (tx) => {
        const removed = await removePackage(tx, environment, name);
        if (removed === undefined) throw notAllowlisted(environment, name);
        const target = `${environment}/${name}`;
        await recordAudit(tx, {
          actor: principal.subject,
          action: "package.remove",
          target,
          details: { version: removed.version },
        });
        await db.notify(tx, packagesNotice(environment));
        return removed;
      });
    }),

    setEnabled: api.packages.setEnabled.handler(async ({ input: { environment, name, enabled }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      return await db.transaction(async (tx) => {
        const result = await setPackageEnabled(tx, environment, { name, enabled });
        if (result === undefined) throw notAllowlisted(environment, name);
        if (!result.changed) return result.entry;
        const action = enabled ? "package.enable" : "package.disable";
        await recordAudit(tx, { actor: principal.subject, action, target: `${environment}/${name}` });
        await db.notify(tx, packagesNotice(environment));
        return result.entry;
      });
    }),
  });

const packagesNotice = (environment: EnvironmentName): string => formatNotice({ type: "packages", environment });

const notAllowlisted = (environment: EnvironmentName, name: PackageName): LarderError =>
  new LarderError("E_NOT_FOUND", `${name} is not on the allowlist of environment ${environment}.`, {
    hint: "`larder list` shows what is.",
    details: { environment, name },
  });
