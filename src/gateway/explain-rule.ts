import { defaultEnvironment, type Finding, type PolicyRule } from "../contract/index.ts";
import type { Release, Rules } from "./judge-release.ts";

/** Each rule's finding about one release: what is wrong, and the way out. */
export function explain({ environment, policy, now }: Rules, { name, version, registry, publishedAt: said }: Release) {
  const label = `${name}@${version}`;
  const flag = environment === defaultEnvironment ? "" : ` --environment ${environment}`;
  const waive = (rule: PolicyRule, subject = label) => `larder waivers add ${subject} --rule ${rule} --reason "…"${flag}`;
  const finding = (rule: PolicyRule, message: string, rest: Partial<Finding> = {}): Finding => ({
    name,
    version,
    rule,
    message,
    ...rest,
  });
  return {
    releaseAge(publishedAt: number): Finding {
      const allowedAt = new Date(publishedAt + policy.minReleaseAgeMs).toISOString();
      const age = formatAge(now - publishedAt);
      return finding(
        "release-age",
        `${label} was published ${age} ago; the policy takes nothing younger than ${formatAge(policy.minReleaseAgeMs)}.`,
        { allowedAt, hint: `Wait until ${allowedAt}, or let it in: ${waive("release-age")}` },
      );
    },
    unknownAge: (): Finding =>
      finding(
        "unknown-age",
        `The registry ${registry} ${said === undefined ? `does not say when ${label} was published` : `says that ${label} was published in the future, ${new Date(said).toISOString()}`}; the policy takes nothing younger than ${formatAge(policy.minReleaseAgeMs)}.`,
        {
          hint: `Let it in: ${waive("unknown-age")}. Or all that this registry has: ${waive("unknown-age", `--registry ${registry}`)}`,
        },
      ),
    exotic: (dependency: ExoticDependency): Finding => exoticFinding({ name, version }, dependency),
    deprecated: (text: string): Finding =>
      finding("deprecated", `${label} is deprecated: ${oneLine(text)}`, {
        hint: `Use another version, or let it in: ${waive("deprecated")}`,
      }),
    installScripts: (): Finding =>
      finding("install-scripts", `${label} has a script that runs when it is installed. Larder runs none: it may not work.`, {
        hint: `Try it; or use another version, or let it in: ${waive("install-scripts")}`,
      }),
    blocked: ({ range, reason }: { range: string; reason?: string | undefined }): Finding =>
      finding("blocked", `${label} is blocked by the policy (${name}@${range}${reason === undefined ? "" : `: ${reason}`}).`, {
        hint: `Use another version, or let it in: ${waive("blocked")}`,
      }),
    revoked: (reason: string | undefined): Finding =>
      finding("revoked", `${label} was revoked${reason === undefined ? "" : `: ${reason}`}.`, {
        hint: `Use another version. If it was revoked by mistake: larder revocations lift ${label}`,
      }),
  };
}

export interface ExoticDependency {
  alias: string;
  specifier: string;
}

export const exoticFinding = (
  { name, version }: Pick<Release, "name" | "version">,
  { alias, specifier }: ExoticDependency,
): Finding => ({
  name,
  version,
  rule: "exotic",
  message: `${name}@${version} depends on ${alias} at ${JSON.stringify(specifier.slice(0, 300))}, which is not in a registry.`,
  hint: "Larder serves packages from registries only, not from git, addresses, files or workspaces. Use another version.",
});

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** `3 d`, `1 h 5 min`, `12 s`: the two largest units, rounded down, so that an age never looks like more than it is. */
export function formatAge(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size);
  if (first === -1) return "0 s";
  const [unit, size] = units[first] as (typeof units)[number];
  const whole = `${Math.floor(ms / size)} ${unit}`;
  const next = units[first + 1];
  const rest = next && Math.floor((ms % size) / next[1]);
  return next && rest ? `${whole} ${rest} ${next[0]}` : whole;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();
