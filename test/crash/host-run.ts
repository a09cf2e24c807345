// Run as a process of its own by `host-leases.test.ts`: holds the current tree, says so, and imports `app` only when it is told to.
// Arguments: store directory.

import { join } from "node:path";
import { acquireLease, openHostStore } from "../../src/host/index.ts";

const store = await openHostStore({ directory: process.argv[2] ?? "" });
const lease = await acquireLease(store, { purpose: "run" });
process.stdout.write(`${lease?.tree.generation}\n`);
await new Promise((resolve) => process.stdin.once("data", resolve).once("end", resolve));
const app = (await import(join(lease?.tree.path ?? "", "node_modules/app/index.js"))) as {
  default: { app: string; leaf: string };
};
process.stdout.write(`${app.default.app} ${app.default.leaf}\n`);
await lease?.[Symbol.asyncDispose]();
process.exit(0);
