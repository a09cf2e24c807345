import type { Finding, LarderError } from "../../contract/index.ts";

/** The findings that a refusal by policy carries. */
export function refusalsOf({ details }: LarderError): Finding[] {
  const { refusals } = details ?? {};
  return Array.isArray(refusals) ? (refusals as Finding[]) : [];
}
