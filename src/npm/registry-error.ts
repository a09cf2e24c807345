import { LarderError } from "../contract/index.ts";
import type { CertificateFault, ConnectionFault } from "./http-fault.ts";

// What a user is told of trouble with a registry. `label` is what was asked for: a package, a version, a search.

export const unreachable = (label: string, host: string, cause: ConnectionFault): LarderError =>
  new LarderError("E_REGISTRY_UNREACHABLE", `Could not get ${label} from the registry ${host}: ${cause.message}.`, {
    hint: cause.hint ?? "Check the network and the registry, then try again.",
    retryable: true,
    details: { subject: label, registry: host },
    cause,
  });

export const badAnswer = (label: string, host: string, why: string, cause?: unknown): LarderError =>
  new LarderError("E_REGISTRY_ANSWER", `The registry ${host} gave no usable answer for ${label}: ${why}.`, {
    hint: "Check that the registry's address is right, and that no proxy or login page answers in its place.",
    details: { subject: label, registry: host },
    cause,
  });

export const untrusted = (label: string, host: string, cause: CertificateFault): LarderError =>
  new LarderError("E_REGISTRY_ANSWER", `Could not get ${label} from the registry ${host}: ${cause.message}.`, {
    hint: cause.hint ?? "If its certificate is of an authority of your own, give that with: larder registry set NAME --ca FILE",
    details: { subject: label, registry: host },
    cause,
  });

export const refusedAddress = (label: string, host: string, cause: Error): LarderError =>
  new LarderError("E_REGISTRY_ADDRESS", `Did not get ${label} from the registry ${host}: ${cause.message}.`, {
    hint: "Larder connects to private addresses only where an admin named the origin: as a registry's address, or with --tarball-origin.",
    details: { subject: label, registry: host },
    cause,
  });

export const noTarball = (label: string, host: string): LarderError =>
  new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${host} has no tarball of ${label}.`, {
    hint: "It was unpublished, or the registry does not mirror it. Pin another version.",
    details: { subject: label, registry: host },
  });

export function notLetIn(
  label: string,
  host: string,
  { status, hasCredentials, elsewhere }: { status: number; hasCredentials: boolean; elsewhere: string | undefined },
): LarderError {
  const message =
    elsewhere === undefined
      ? `The registry ${host} does not let Larder read ${label} (HTTP status ${status}).`
      : `The registry ${host} sends Larder to ${elsewhere} for ${label}, which does not let it in (HTTP status ${status}).`;
  const hint = hasCredentials
    ? "Its token may be wrong, expired, or not allowed to read this package: give another with `larder registry set`. The registry may also block it."
    : "The package may be private: give the registry a token with `larder registry set`. The registry may also block it.";
  return new LarderError("E_REGISTRY_AUTH", message, { hint, details: { subject: label, registry: host } });
}
