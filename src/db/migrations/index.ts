import initial from "./0001-initial.sql" with { type: "text" };
import blobQuarantine from "./0002-blob-quarantine.sql" with { type: "text" };
import storageOperations from "./0003-storage-operations.sql" with { type: "text" };
import hostRuns from "./0004-host-runs.sql" with { type: "text" };
import sessions from "./0005-sessions.sql" with { type: "text" };
import generations from "./0006-generations.sql" with { type: "text" };
import packageTypes from "./0007-package-types.sql" with { type: "text" };
import registries from "./0008-registries.sql" with { type: "text" };
import policy from "./0009-policy.sql" with { type: "text" };
import promotions from "./0010-promotions.sql" with { type: "text" };
import hostIdentities from "./0011-host-identities.sql" with { type: "text" };
import packageRequests from "./0012-package-requests.sql" with { type: "text" };
import keyHandovers from "./0013-key-handovers.sql" with { type: "text" };
import spentProofs from "./0014-spent-proofs.sql" with { type: "text" };
import announcedKeys from "./0015-announced-keys.sql" with { type: "text" };
import changedHosts from "./0016-changed-hosts.sql" with { type: "text" };

/** Every change to the schema, in order, for ever: the n-th makes schema version n. Imported as text, so that an executable carries them. */
export const migrations: readonly string[] = [
  initial,
  blobQuarantine,
  storageOperations,
  hostRuns,
  sessions,
  generations,
  packageTypes,
  registries,
  policy,
  promotions,
  hostIdentities,
  packageRequests,
  keyHandovers,
  spentProofs,
  announcedKeys,
  changedHosts,
];
