import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  assertDesiredStateSignature,
  keyIdOf,
  LarderError,
  type LockfileHash,
  type SignedDesiredState,
} from "../contract/for-hosts.ts";
import { undefinedOn } from "../lib/index.ts";
import { currentHash, lossOfCurrent } from "./current-tree.ts";
import type { HostStore } from "./host-store.ts";
import { manifestPath, readKeptManifest } from "./kept-manifest.ts";
import { type PlannedPackage, planTree, type TreePlan } from "./plan-tree.ts";
import { readPackageRecord, readTreeRecord } from "./record.ts";
import { readAccepted, readIdentity, type StoredIdentity } from "./state.ts";
import { checkTree } from "./verify-tree.ts";

/** The links of the chain, from the pinned key down. */
export interface TrustProblem {
  link: "key" | "desired state" | "manifest" | "tree" | "package";
  subject: string;
  message: string;
}

export interface TrustReport {
  trusted: boolean;
  /** Of the signed document that names the current tree. */
  generation?: number;
  /** How many package records were held against the manifest. */
  packages: number;
  problems: TrustProblem[];
}

/**
 * Whether the current tree is what the control plane signed: pinned key → signed desired state → manifest's digests → the tree's links and each package's
 * recorded integrity. Whether the files are what was recorded is `verifyStore`'s question. A link that breaks ends the chain. Changes nothing.
 */
export async function checkTrust(store: HostStore): Promise<TrustReport> {
  const report: TrustReport = { trusted: true, packages: 0, problems: [] };
  const current = await currentHash(store);
  try {
    if (current === undefined) {
      if (await lossOfCurrent(store))
        throw new Broken("tree", "current", "The link that names the current tree is missing or bent.");
      return report;
    }
    const identity = await pinnedIdentity(store);
    const signed = await signedStateOf(store, { identity, current });
    report.generation = signed.desired.generation;
    const plan = await signedPlan(store, signed);
    await checkAgainstPlan(store, { plan, report });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    report.problems.push(error.problem);
  }
  report.trusted = report.problems.length === 0;
  return report;
}

class Broken extends Error {
  readonly problem: TrustProblem;
  constructor(link: TrustProblem["link"], subject: string, message: string) {
    super(message);
    this.problem = { link, subject, message };
  }
}

async function pinnedIdentity(store: HostStore): Promise<StoredIdentity> {
  const identity = await readIdentity(store);
  if (identity) return identity;
  throw new Broken("key", store.directory, "This host is not enrolled: it has no control plane's key to begin with.");
}

async function signedStateOf(
  store: HostStore,
  { identity, current }: { identity: StoredIdentity; current: LockfileHash },
): Promise<SignedDesiredState> {
  const accepted = await readAccepted(store);
  const signed = [accepted?.signed, accepted?.served].find((known) => known?.desired.lockfileHash === current);
  const subject = `tree ${current}`;
  if (!signed) throw new Broken("desired state", subject, "No signed document that names the current tree is kept here.");
  try {
    await assertDesiredStateSignature(signed, await pinnedThen(identity, signed));
  } catch (error) {
    if (error instanceof LarderError) throw new Broken("desired state", subject, error.message);
    throw error;
  }
  const { storeId, environment } = signed.desired;
  if (storeId === identity.storeId && environment === identity.environment) return signed;
  throw new Broken("desired state", subject, `It was signed for ${environment} of store ${storeId}.`);
}

/** What was accepted before a rotation was signed by a key that was pinned then. */
async function pinnedThen({ publicKey, formerKeys = [] }: StoredIdentity, { keyId }: SignedDesiredState): Promise<string> {
  for (const former of formerKeys) if ((await keyIdOf(former)) === keyId) return former;
  return publicKey;
}

async function signedPlan(store: HostStore, { desired }: SignedDesiredState): Promise<TreePlan> {
  const { lockfileHash, manifestDigest } = desired;
  const bytes = await undefinedOn(["ENOENT"], readFile(manifestPath(store, lockfileHash)));
  const subject = `manifest ${lockfileHash}`;
  if (!bytes) throw new Broken("manifest", subject, "It is not kept here.");
  const manifest = await readKeptManifest(store, lockfileHash);
  const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (!manifest || digest !== manifestDigest) throw new Broken("manifest", subject, "It is not the one that was signed.");
  return planTree(manifest, { lockfileHash, platform: store.platform });
}

async function checkAgainstPlan(store: HostStore, { plan, report }: { plan: TreePlan; report: TrustReport }): Promise<void> {
  const { layout } = store;
  const { lockfileHash, packages, roots } = plan;
  const subject = `tree ${lockfileHash}`;
  const record = await readTreeRecord(layout, lockfileHash);
  const identities = (all: readonly Pick<PlannedPackage, "key" | "name" | "version" | "integrity">[]) =>
    all
      .map(({ key, name, version, integrity }) => `${key} ${name} ${version} ${integrity}`)
      .sort()
      .join("\n");
  const linkTexts = (all: TreePlan["roots"]) =>
    all
      .map(({ alias, key, name }) => `${alias} ${key} ${name}`)
      .sort()
      .join("\n");
  if (!record || identities(record.packages) !== identities(packages) || linkTexts(record.roots) !== linkTexts(roots)) {
    throw new Broken("tree", subject, "It does not consist of what the manifest names.");
  }
  for (const { path } of await checkTree(layout, lockfileHash, record)) {
    report.problems.push({ link: "tree", subject, message: `${path} is not what was recorded.` });
  }
  for (const planned of packages) {
    report.packages += 1;
    const found = await readPackageRecord(layout, planned.key);
    const label = `${planned.name}@${planned.version}`;
    const isPlanned = found?.name === planned.name && found.version === planned.version && found.integrity === planned.integrity;
    if (!found) report.problems.push({ link: "package", subject: label, message: "Its record is missing or damaged." });
    else if (!isPlanned)
      report.problems.push({ link: "package", subject: label, message: "It was not unpacked from the signed tarball." });
    else if (!isSubset(found.links, planned.links))
      report.problems.push({ link: "package", subject: label, message: "It is linked to what the manifest does not name." });
  }
}

/** A package that brings a dependency itself gets no link to it. */
function isSubset(links: TreePlan["roots"], of: TreePlan["roots"]): boolean {
  const known = new Set(of.map(({ alias, key, name }) => `${alias} ${key} ${name}`));
  return links.every(({ alias, key, name }) => known.has(`${alias} ${key} ${name}`));
}
