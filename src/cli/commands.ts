import { type ListedCommand, listFile } from "./command-list.ts";

/** Every command, in the order in which `larder --help` shows them, and the file that it is in. */
export const commands: ListedCommand[] = [
  listFile(() => import("./commands/up.ts"), { up: ["up", "Run everything: control plane and a host, in one process"] }),
  listFile(() => import("./commands/serve.ts"), { serve: ["serve", "Run a control plane replica, without a host"] }),
  listFile(() => import("./commands/agent.ts"), { agent: ["agent", "Keep this host stocked, from a server elsewhere"] }),
  listFile(() => import("./commands/add.ts"), {
    add: ["add <package...>", "Put packages on the allowlist, or change their pins"],
  }),
  listFile(() => import("./commands/remove.ts"), { remove: ["remove <name...>", "Take packages off the allowlist"] }),
  listFile(() => import("./commands/set-enabled.ts"), {
    enable: ["enable <name...>", "Have disabled packages installed again"],
    disable: ["disable <name...>", "Leave packages out of installs, but keep their pins"],
  }),
  listFile(() => import("./commands/list.ts"), { list: ["list", "Show the allowlist"] }),
  listFile(() => import("./commands/plan.ts"), { plan: ["plan", "Show what an install would do, and change nothing"] }),
  listFile(() => import("./commands/install.ts"), { install: ["install", "Resolve the allowlist into a new generation"] }),
  listFile(() => import("./commands/generations.ts"), {
    generations: ["generations", "Show the generations of an environment, newest first"],
    note: ["note <generation> <text...>", "Put a note on a generation, for those who look at the list"],
  }),
  listFile(() => import("./commands/diff.ts"), { diff: ["diff <a> <b>", "Show what changed between two generations"] }),
  listFile(() => import("./commands/rollback.ts"), {
    rollback: ["rollback <generation>", "Have hosts serve an older generation again"],
  }),
  listFile(() => import("./commands/promote.ts"), {
    promote: ["promote <generation>", "Have another environment serve a generation of this one"],
  }),
  listFile(() => import("./commands/advance.ts"), {
    advance: ["advance", "Go past what hosts have accepted, after a restored backup"],
  }),
  listFile(() => import("./commands/reconcile.ts"), { reconcile: ["reconcile", "Bring a host up to date now"] }),
  listFile(() => import("./commands/status.ts"), { status: ["status", "Show where everything stands"] }),
  listFile(() => import("./commands/run.ts"), { run: ["run <file>", "Run a script against this host's packages"] }),
  listFile(() => import("./commands/types.ts"), {
    types: ["types [specifiers...]", "Show or write the type declarations of what scripts import"],
  }),
  listFile(() => import("./commands/verify.ts"), { verify: ["verify", "Check every file of this host's packages"] }),
  listFile(() => import("./commands/sweep.ts"), { sweep: ["sweep", "Remove what this host's scripts no longer need"] }),
  listFile(() => import("./commands/policy.ts"), {
    policyGet: ["policy get", "Show what may come into an environment"],
    policySet: ["policy set", "Change what may come into an environment"],
    policyTest: ["policy test", "Show what a change of policy would refuse today"],
  }),
  listFile(() => import("./commands/waivers.ts"), {
    waiversList: ["waivers list", "List exceptions from the policy, with reason, author and expiry"],
    waiversAdd: ["waivers add [package]", "Let in what a rule of the policy refuses"],
    waiversRemove: ["waivers remove <id>", "End a waiver"],
  }),
  listFile(() => import("./commands/revoke.ts"), {
    revoke: ["revoke <version>", "Block a version everywhere, now, and have hosts drop it"],
    revocationsList: ["revocations list", "List versions that are blocked everywhere"],
    revocationsLift: ["revocations lift <version>", "Allow a revoked version again"],
  }),
  listFile(() => import("./commands/hosts.ts"), {
    hostsList: ["hosts list", "List hosts: how far each is, and what keeps it"],
    hostsShow: ["hosts show <id>", "Show all that is known of one host"],
    hostsEnrol: ["hosts enrol [id]", "Make a token that hosts join with; it is shown this once"],
    hostsEnrolments: ["hosts enrolments", "List the tokens that hosts may join with, and have joined with"],
    hostsClose: ["hosts close <id>", "Let nobody join with a token any more; hosts that have joined stay"],
    hostsRevoke: ["hosts revoke <id>", "Shut a host out"],
  }),
  listFile(() => import("./commands/tokens.ts"), {
    tokensList: ["tokens list", "List tokens, without their text"],
    tokensCreate: ["tokens create <subject>", "Make a token; its text is shown this once"],
    tokensRevoke: ["tokens revoke <id>", "Make a token worthless"],
  }),
  listFile(() => import("./commands/operations.ts"), {
    operationsList: ["operations list", "List operations, newest first"],
    operationsCancel: ["operations cancel <id>", "Cancel a queued or running operation"],
  }),
  listFile(() => import("./commands/environments.ts"), {
    environmentsList: ["environments list", "List environments"],
    environmentsShow: ["environments show <name>", "Show what an environment serves, and to how many hosts"],
    environmentsCreate: ["environments create <name>", "Create an environment"],
    environmentsRemove: ["environments remove <name>", "Remove an environment with its allowlist, policy and generations"],
  }),
  listFile(() => import("./commands/audit.ts"), { audit: ["audit", "Show who changed what, newest first"] }),
  listFile(() => import("./commands/registry.ts"), {
    registryList: ["registry list", "List the registries and what each of them serves"],
    registrySet: ["registry set <name> [url]", "Add a registry, or change what is given of one"],
    registryRemove: ["registry remove <name>", "Forget a registry and its credentials"],
    registryImport: ["registry import <file>", "Take over the registries and tokens of an .npmrc, which is not kept"],
  }),
  listFile(() => import("./commands/registry-look.ts"), {
    registryTest: ["registry test <name>", "Say step by step what works with a registry"],
    registrySearch: ["registry search <text>", "Search for packages in the registries, by name or subject"],
    registryVersions: ["registry versions <package>", "List the versions of a package, the highest first"],
  }),
  listFile(() => import("./commands/secrets.ts"), {
    secretsRotate: ["secrets rotate", "Seal the tokens and keys in the database with a new secret key"],
  }),
  listFile(() => import("./commands/keys.ts"), {
    keysList: ["keys list", "List the keys that sign desired states, by their public halves"],
    keysAnnounce: ["keys announce", "Make the next signing key, and announce it; it signs nothing yet"],
    keysRotate: ["keys rotate", "Make the announced signing key the one that signs"],
  }),
  listFile(() => import("./commands/storage.ts"), {
    storageStatus: ["storage status", "Show where packages are kept, how much there is, and what is wrong with it"],
  }),
  listFile(() => import("./commands/storage-migrate.ts"), {
    storageMigrate: ["storage migrate <target>", "Move all blobs to another store, and make it the active one"],
    storageResume: ["storage resume", "Go on with a migration that failed or was cancelled"],
    storageCancel: ["storage cancel", "Stop the migration under way"],
  }),
  listFile(() => import("./commands/storage-verify.ts"), {
    storageVerify: ["storage verify", "Read and hash every blob; mend what is broken"],
  }),
  listFile(() => import("./commands/collect.ts"), {
    collect: ["collect", "Delete blobs that nothing has referred to for long enough"],
  }),
  listFile(() => import("./commands/demo.ts"), { demo: ["demo", "Show the main job: allowlist, install, reconcile, run"] }),
].flat();
