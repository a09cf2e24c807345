// Long jobs under election, and what changes an environment's generations.
// Invariants: a durable write names its epoch, and a lost election writes nothing more (I5); bytes, row, manifest, pointer, in that order; a job that
// was killed is run again from the data (I11, I12); a failed one changes nothing that hosts see.
// Left to others: who may ask (server), what a host does with the result (agent).

export { diffManifests } from "./generations/diff-manifests.ts";
export { rollbackTo } from "./generations/rollback.ts";
export { createInstallHandler } from "./install/install.ts";
export type { DesiredStateSigner, InstallOptions } from "./install/install-options.ts";
export { type Notice, notice, parseNotice } from "./notices.ts";
export type { OperationHandler, OperationRun } from "./operation-handler.ts";
export { requestInstall } from "./request-install.ts";
export { type OperationsOptions, startOperations } from "./start-operations.ts";
