/**
 * Every code that a user can meet: `[HTTP status, CLI exit code]`.
 *
 * Exit codes: 1 the thing asked for failed · 2 bad input · 3 not allowed · 4 not found · 5 conflict or busy ·
 * 6 a registry's fault · 7 storage · 8 refused because it cannot be trusted · 9 a run failed · 70 a bug in Larder.
 */
export const errorCodes = {
  E_INPUT: [400, 2],
  E_CONFIG: [400, 2],
  E_NAME: [400, 2],
  E_VERSION: [400, 2],
  E_UNAUTHENTICATED: [401, 3],
  E_TOKEN_MISTYPED: [400, 2],
  E_CLOCK_SKEW: [401, 3],
  E_FORBIDDEN: [403, 3],
  E_NOT_FOUND: [404, 4],
  E_METHOD_NOT_ALLOWED: [405, 2],
  E_CONFLICT: [409, 5],
  E_BUSY: [409, 5],
  E_LOCKED: [409, 5],
  E_RATE_LIMITED: [429, 5],
  E_CANCELLED: [409, 1],
  E_INTERRUPTED: [503, 1],
  E_FENCED: [503, 1],
  E_TIMEOUT: [504, 1],
  E_SERVER_UNREACHABLE: [503, 1],
  E_NOT_READY: [503, 1],
  E_OVERLOADED: [503, 1],

  E_PACKAGE_NOT_FOUND: [422, 6],
  E_VERSION_NOT_FOUND: [422, 6],
  E_REGISTRY_UNREACHABLE: [502, 6],
  E_REGISTRY_ANSWER: [502, 6],
  E_REGISTRY_AUTH: [502, 6],
  E_REGISTRY_ADDRESS: [422, 8],
  E_SECRET_KEY: [503, 7],
  E_RESOLVE: [422, 6],
  E_LOCKFILE: [500, 70],
  E_POLICY: [422, 3],
  E_INTEGRITY: [422, 8],
  E_TARBALL_IDENTITY: [422, 8],
  E_ARCHIVE: [422, 8],
  E_TOO_LARGE: [413, 2],

  E_NO_SPACE: [507, 7],
  E_READ_ONLY: [507, 7],
  E_PERMISSION: [507, 7],
  E_STORE_UNAVAILABLE: [503, 7],
  E_BLOB_MISSING: [503, 7],
  E_BLOB_CORRUPT: [503, 7],
  E_SCHEMA_NEWER: [503, 7],
  E_TREE_DAMAGED: [500, 7],

  E_SIGNATURE: [422, 8],
  E_ROLLBACK: [422, 8],
  E_EQUIVOCATION: [422, 8],
  E_EXPIRED: [422, 8],
  E_WRONG_STORE: [422, 8],
  E_MANIFEST: [422, 8],
  E_PLATFORM: [422, 8],

  E_NOT_ALLOWLISTED: [422, 9],
  E_NOT_ON_HOST: [422, 9],
  E_MODULE_NOT_FOUND: [422, 9],
  E_SUBPATH: [422, 9],
  E_RUN_SYNTAX: [422, 9],
  E_RUN_FAILED: [422, 9],
  E_RUN_TIMEOUT: [422, 9],
  E_RUN_MEMORY: [422, 9],
  E_RUN_LIMIT: [422, 9],
  E_RUN_OUTPUT: [422, 9],
  E_RUN_KILLED: [422, 9],
  E_HOST_AWAY: [503, 1],
  E_RUNS_NOT_ALLOWED: [409, 3],

  E_INTERNAL: [500, 70],
} as const satisfies Record<string, readonly [httpStatus: number, exitCode: number]>;

export type ErrorCode = keyof typeof errorCodes;

export const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(errorCodes, value);
export const httpStatusOf = (code: ErrorCode): number => errorCodes[code][0];
export const exitCodeOf = (code: ErrorCode): number => errorCodes[code][1];
