import {
  defaultPolicy,
  type EnvironmentName,
  LarderError,
  type Policy,
  type PolicyChange,
  policyChangeSchema,
} from "../../contract/index.ts";
import { getPolicy, putPolicy, recordAudit } from "../../db/index.ts";
import { isVersionRange } from "../../gateway/index.ts";
import { testPolicy } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const policyRoutes = ({ db, planner, planning }: ServerContext) => {
  const changed = async (
    environment: EnvironmentName,
    { change, reset }: { change: PolicyChange; reset: boolean },
  ): Promise<Policy> => {
    await requireEnvironment(db.query, environment);
    const base = reset ? defaultPolicy : (await getPolicy(db.query, environment)).policy;
    return mergePolicy(base, policyChangeSchema.parse(change));
  };
  return api.policy.router({
    get: api.policy.get.handler(async ({ input: { environment } }) => {
      await requireEnvironment(db.query, environment);
      return await getPolicy(db.query, environment);
    }),

    set: api.policy.set.handler(async ({ input: { environment, change, reset }, context: { principal } }) => {
      const policy = await changed(environment, { change, reset });
      return await db.transaction(async (tx) => {
        const stored = await putPolicy(tx, environment, { policy, updatedBy: principal.subject });
        const details = { ...(reset && { reset }), change };
        await recordAudit(tx, { actor: principal.subject, action: "policy.set", target: environment, details });
        await db.notify(tx, formatNotice({ type: "packages", environment }));
        return stored;
      });
    }),

    test: api.policy.test.handler(async ({ input: { environment, change, reset }, context: { signal } }) => {
      const policy = await changed(environment, { change, reset });
      return await testPolicy(planning, planner, { environment, policy, signal });
    }),
  });
};

/** Throws `E_INPUT` for what is no range, naming the entry. */
export function mergePolicy(base: Policy, change: ParsedChange): Policy {
  assertRanges(change);
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const caps = Object.fromEntries(Object.entries(change.caps ?? {}).filter(([, value]) => value !== undefined));
  return { ...base, ...given, caps: { ...base.caps, ...caps } } as Policy;
}

type ParsedChange = ReturnType<typeof policyChangeSchema.parse>;

function assertRanges({ blocked = [], extensions = [] }: ParsedChange): void {
  for (const { name, range } of blocked) assertRange(range, `blocked: ${name}`);
  for (const { name, range, dependencies, peerDependencies } of extensions) {
    assertRange(range, `extensions: ${name}`);
    for (const [dependency, wanted] of Object.entries({ ...dependencies, ...peerDependencies })) {
      assertRange(wanted, `extensions: ${name}: ${dependency}`);
    }
  }
}

export function assertRange(range: string, where: string): void {
  if (isVersionRange(range)) return;
  throw new LarderError("E_INPUT", `${where} has ${JSON.stringify(range)}, which is not a range of versions.`, {
    hint: "Write it as npm does: 1.2.3, ^1.2.0, <2, >=1.0.0 <1.4.2, or * for all.",
  });
}
