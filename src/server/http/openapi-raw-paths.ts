import { rawParameters, rawTemplate } from "./raw-template.ts";

interface RawDescription {
  summary: string;
  type: string;
  method?: "post";
  statuses: Record<string, string>;
  query?: Record<string, string>;
}

const descriptions: Record<
  "events" | "join" | "self" | "signingChain" | "desired" | "manifest" | "blob" | "blobs" | "types" | "typesBundle",
  RawDescription
> = {
  events: {
    summary: "Server-sent events, a hint to look again",
    type: "text/event-stream",
    statuses: { 200: "One JSON `Event` per event" },
  },
  join: {
    summary:
      "With an enrolment token: a host gives its public key (`JoinRequest`) and gets its identity; again when the answer was lost",
    type: "application/json",
    method: "post",
    statuses: { 200: "`HostIdentity`" },
  },
  self: { summary: "Host: who it is and which key to trust", type: "application/json", statuses: { 200: "`HostIdentity`" } },
  signingChain: {
    summary: "How each signing key handed over to the next, in order",
    type: "application/json",
    statuses: { 200: "`SigningChain`" },
  },
  desired: {
    summary: "Host: the signed desired state of its environment",
    type: "application/json",
    statuses: { 200: "`SignedDesiredState`", 304: "As the ETag given" },
  },
  manifest: {
    summary: "Host: a manifest's canonical JSON",
    type: "application/json",
    statuses: { 200: "`Manifest`, or a `ManifestDelta` to who sends `larder-manifest-from`", 304: "As the ETag given" },
  },
  blob: {
    summary: "Host: a tarball by its SHA-512",
    type: "application/octet-stream",
    statuses: {
      200: "All bytes",
      206: "The range asked for",
      304: "As the ETag given",
      307: "For those who accept it: at the blob store",
      416: "No such range",
    },
  },
  blobs: {
    summary: "Host: many tarballs in one answer",
    type: "application/octet-stream",
    method: "post",
    statuses: { 200: "For each: 64 bytes of SHA-512, 4 bytes of length, the bytes; 68 zeros at the end" },
  },
  types: {
    summary: "The type declarations behind specifiers",
    type: "application/json",
    query: {
      specifier: "`zod`, `zod/v4`; may be given several times",
      all: "`true`: the whole allowlist",
      generation: "Absent: the current one",
    },
    statuses: { 200: "`TypesIndex`", 304: "As the ETag given" },
  },
  typesBundle: {
    summary: "All declarations of one package, by the key in a `TypesIndex`",
    type: "application/json",
    statuses: { 200: "`TypesBundle`", 304: "As the ETag given" },
  },
};

/** The routes that the contract cannot say: bytes, caching, events. Paths are below `/api`, as in the rest of the document. */
export function rawPaths(error: object): Record<string, object> {
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, { summary, type, method = "get", statuses, query = {} }]) => {
      const route = name as keyof typeof descriptions;
      const schema = { type: "string" };
      const parameters = [
        ...(rawParameters[route] ?? []).map((parameter) => ({ name: parameter, in: "path", required: true, schema })),
        ...Object.entries(query).map(([parameter, description]) => ({ name: parameter, in: "query", description, schema })),
      ];
      const responses = Object.fromEntries(
        Object.entries(statuses).map(([status, description]) => [
          status,
          { description, ...(status.startsWith("2") ? { content: { [type]: {} } } : {}) },
        ]),
      );
      return [
        rawTemplate(route).replace(/^\/api/, ""),
        { [method]: { operationId: name, summary, parameters, responses: { ...responses, default: error } } },
      ];
    }),
  );
}
