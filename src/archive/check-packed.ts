import { LarderError } from "../contract/bare.ts";
import type { Integrity } from "../contract/for-hosts.ts";
import type { ArchiveLimits } from "./archive-limits.ts";
import type { Refusals } from "./refusal.ts";

export const formatIntegrity = (digest: Buffer): Integrity => `sha512-${digest.toString("base64")}` as Integrity;

export function assertIntegrity(found: Integrity, { expected, label }: { expected: Integrity | undefined; label: string }): void {
  if (expected === undefined || found === expected) return;
  throw new LarderError("E_INTEGRITY", `The tarball of ${label} is ${found}, but ${expected} was expected.`, {
    hint: "Its source sent other bytes than were admitted; try again, and check the source when it happens again.",
    retryable: true,
    details: { package: label, expected, found },
  });
}

export function assertPackedSize(bytes: number, { refuse, limits }: { refuse: Refusals; limits: ArchiveLimits }): void {
  if (bytes > limits.compressedBytes) throw refuse.tooLarge("it has more packed bytes", { bytes, limit: limits.compressedBytes });
}
