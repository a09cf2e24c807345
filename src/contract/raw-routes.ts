/** Routes outside the OpenAPI contract, as paths below the server's root. */
export const rawRoutes = {
  openapi: "/api/openapi.json",
  /** Server-sent events, see `Event`. */
  events: "/api/events",
  /** `POST JoinRequest` with an enrolment token, the answer is `HostIdentity`. */
  join: "/api/hosts/join",
  /** Host: `HostIdentity`. */
  self: "/api/hosts/self",
  /** `SigningChain`: what leads from any key that ever signed to the one that signs now. Whoever asks: it proves itself. */
  signingChain: "/api/signing-chain",
  /** Host: `SignedDesiredState` of its environment, with an ETag; 304 to `If-None-Match`; 404 `E_NOT_READY` while nothing was installed. */
  desired: "/api/desired",
  /** Host: a manifest's canonical JSON, immutable. Only manifests of the caller's environment. */
  manifest: (lockfileHash: string) => `/api/manifests/${lockfileHash}`,
  /** Host: a blob, immutable, `Range` honoured. Only blobs of the caller's environment; 404 for all others. 307 to those who accept it. */
  blob: (key: string) => `/api/blobs/${key}`,
  /** Host: `POST {keys}`, the answer is read by `readBlobFrames`. It may leave blobs out: those are asked for one by one. */
  blobs: "/api/blobs/batch",
  /**
   * `GET ?specifier=…&specifier=…[&generation=N]`: `TypesIndex`; `?all=true` for the whole allowlist. With an ETag when it is final, else `no-store`.
   */
  types: (environment: string) => `/api/environments/${environment}/types`,
  /** A `TypesBundle` by the key in a `TypesIndex`, immutable. Only bundles of packages in the environment; 404 for all others. */
  typesBundle: (environment: string, bundle: string) => `/api/environments/${environment}/types/${bundle}`,
  health: "/healthz",
  ready: "/readyz",
  /** Prometheus's text format; see docs/replicas.md. */
  metrics: "/metrics",
} as const;

/** What a host sends with its request for a blob when it would follow a redirect to where the bytes are. It checks them, wherever they come from. */
export const acceptsBlobRedirect = { "larder-blob-redirect": "follow" } as const;

/**
 * What a host sends with its request for a manifest when it has another one: its `lockfileHash`. The answer may then be a `ManifestDelta` between the two, of
 * the media type `manifestDeltaType`.
 */
export const manifestFromHeader = "larder-manifest-from";
export const manifestDeltaType = "application/vnd.larder.manifest-delta+json";

/** With a desired state, and with word that it has not changed: the id of the signing key that is announced as the next one. A hint; `/api/signing-chain` has the proof. */
export const nextKeyHeader = "larder-next-key";
/** A host that asks for its desired state with `question: NONCE` gets a `SignedTime` for that nonce with it. */
export const timeHeaders = { question: "larder-nonce", answer: "larder-time" } as const;
