import type { CommandSpec } from "./command.ts";
import { add } from "./commands/add.ts";
import { advance } from "./commands/advance.ts";
import { agent } from "./commands/agent.ts";
import { audit } from "./commands/audit.ts";
import { collect } from "./commands/collect.ts";
import { demo } from "./commands/demo.ts";
import { diff } from "./commands/diff.ts";
import { environmentsCreate, environmentsList, environmentsRemove, environmentsShow } from "./commands/environments.ts";
import { generations, note } from "./commands/generations.ts";
import { hostsClose, hostsEnrol, hostsEnrolments, hostsList, hostsRevoke, hostsShow } from "./commands/hosts.ts";
import { install } from "./commands/install.ts";
import { keysAnnounce, keysList, keysRotate } from "./commands/keys.ts";
import { list } from "./commands/list.ts";
import { operationsCancel, operationsList } from "./commands/operations.ts";
import { plan } from "./commands/plan.ts";
import { policyGet, policySet, policyTest } from "./commands/policy.ts";
import { promote } from "./commands/promote.ts";
import { reconcile } from "./commands/reconcile.ts";
import { registryImport, registryList, registryRemove, registrySet } from "./commands/registry.ts";
import { registrySearch, registryTest, registryVersions } from "./commands/registry-look.ts";
import { remove } from "./commands/remove.ts";
import { revocationsLift, revocationsList, revoke } from "./commands/revoke.ts";
import { rollback } from "./commands/rollback.ts";
import { run } from "./commands/run.ts";
import { secretsRotate } from "./commands/secrets.ts";
import { serve } from "./commands/serve.ts";
import { disable, enable } from "./commands/set-enabled.ts";
import { status } from "./commands/status.ts";
import { storageStatus } from "./commands/storage.ts";
import { storageCancel, storageMigrate, storageResume } from "./commands/storage-migrate.ts";
import { storageVerify } from "./commands/storage-verify.ts";
import { sweep } from "./commands/sweep.ts";
import { tokensCreate, tokensList, tokensRevoke } from "./commands/tokens.ts";
import { types } from "./commands/types.ts";
import { up } from "./commands/up.ts";
import { verify } from "./commands/verify.ts";
import { waiversAdd, waiversList, waiversRemove } from "./commands/waivers.ts";

/** In the order in which `larder --help` shows them. */
export const commands: CommandSpec[] = [
  up,
  serve,
  agent,
  add,
  remove,
  enable,
  disable,
  list,
  plan,
  install,
  generations,
  diff,
  rollback,
  promote,
  note,
  advance,
  reconcile,
  status,
  run,
  types,
  verify,
  sweep,
  policyGet,
  policySet,
  policyTest,
  waiversList,
  waiversAdd,
  waiversRemove,
  revoke,
  revocationsList,
  revocationsLift,
  hostsList,
  hostsShow,
  hostsEnrol,
  hostsEnrolments,
  hostsClose,
  hostsRevoke,
  tokensList,
  tokensCreate,
  tokensRevoke,
  operationsList,
  operationsCancel,
  environmentsList,
  environmentsShow,
  environmentsCreate,
  environmentsRemove,
  audit,
  registryList,
  registrySet,
  registryRemove,
  registryTest,
  registrySearch,
  registryVersions,
  registryImport,
  secretsRotate,
  keysList,
  keysAnnounce,
  keysRotate,
  storageStatus,
  storageMigrate,
  storageResume,
  storageCancel,
  storageVerify,
  collect,
  demo,
];
