import { defaultEnvironment, defaultPolicy, type Policy } from "../../contract/index.ts";
import type { Rules } from "../judge-release.ts";

/** Noon of the day that tests take place on. */
export const testNow = Date.UTC(2026, 5, 1, 12);

/** Tests only: the default policy without an age, changed, and nothing waived or revoked. */
export const testRules = (policy: Partial<Policy> = {}, rest: Partial<Rules> = {}): Rules => ({
  environment: defaultEnvironment,
  policy: { ...defaultPolicy, minReleaseAgeMs: 0, ...policy },
  waivers: [],
  revocations: [],
  now: testNow,
  ...rest,
});
