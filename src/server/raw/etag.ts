/** Whether `If-None-Match` names `etag` (weak comparison, as RFC 9110 § 13.1.2 asks for). */
export function matchesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

export const notModified = (headers: Record<string, string>): Response => new Response(null, { status: 304, headers });
