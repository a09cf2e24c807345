import type { SpecifierTypes, TypesStatus } from "../../../contract/index.ts";
import type { Tone } from "../../ui/badge.tsx";

const texts: Record<TypesStatus, string> = {
  typed: "typed",
  cutOff: "partly typed",
  pending: "types are on their way",
  noTypes: "no types",
  noSuchPath: "no such path",
  notAllowlisted: "not on the allowlist",
  notInstalled: "not installed yet",
  notAPackage: "not a package",
};

export const tones: Record<TypesStatus, Tone> = {
  typed: "good",
  cutOff: "warn",
  pending: "info",
  noTypes: "none",
  noSuchPath: "bad",
  notAllowlisted: "bad",
  notInstalled: "warn",
  notAPackage: "bad",
};

export const statusText = (status: TypesStatus): string => texts[status];
export const describeStatus = ({ specifier, status }: SpecifierTypes): string => `${specifier}: ${texts[status]}`;

/** A script that imports it would fail, or has no help from the editor. */
export const isMissing = (status: TypesStatus): boolean => !["typed", "cutOff", "pending"].includes(status);
