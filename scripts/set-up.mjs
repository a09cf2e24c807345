import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isInstalled } from "./is-installed.mjs";
import { withSetUpLock } from "./set-up-lock.mjs";

const oldestNode = 20;

/** Afterwards `node_modules` holds what `package-lock.json` says, and its Bun runs. Says on standard error what it does. */
export async function setUp(root) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < oldestNode) throw new Error(`Larder needs Node ${oldestNode} or newer; this is ${process.version}.`);
  if (isReady(root)) return;
  await withSetUpLock(root, say, async () => {
    if (!isInstalled(root)) await install(root);
    if (!bunRuns(root)) finishBun(root);
  });
}

const isReady = (root) => isInstalled(root) && bunRuns(root);

async function install(root) {
  const reason = existsSync(join(root, "node_modules"))
    ? "node_modules is not what package-lock.json says"
    : "there is no node_modules";
  say(`Setting up (npm ci), because ${reason}. This takes up to a minute or two …`);
  const start = performance.now();
  // `--include=dev` and `--include=optional`: a user's own npm settings may leave them out.
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--include=dev", "--include=optional"];
  const npm = process.env.npm_execpath ?? "";
  const [command, commandArgs] = npm.endsWith("npm-cli.js") ? [process.execPath, [npm, ...args]] : ["npm", args];
  // npm's words go to standard error: standard output belongs to the command that follows.
  const child = spawn(command, commandArgs, { cwd: root, stdio: ["ignore", 2, 2] });
  // npm must not work on in this folder after the lock is gone.
  const passOn = (signal) => child.kill(signal);
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(signal, passOn);
  const code = await new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Error(`npm could not be started (${error.message}). Install npm, then try again.`)),
    );
    child.once("exit", (status, signal) => resolve(signal ?? status));
  });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) process.off(signal, passOn);
  if (code !== 0) {
    throw new Error(
      `Setting up failed: npm ci ended with ${code}. See its words above. Is the npm registry reachable from here? Does another npm still work in this folder?`,
    );
  }
  say(`Set up in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

function bunRuns(root) {
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/bun"), ["--version"], { encoding: "utf8", timeout: 60_000 });
  return status === 0 && stdout.trim() === wantedBun(root);
}

const wantedBun = (root) => JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies.bun;

/** npm can be told to run no install scripts; Bun's own puts the binary for this machine, already in node_modules, in its place. */
function finishBun(root) {
  say("Bun's install script was not run by npm; running it now …");
  spawnSync(process.execPath, ["install.js"], { cwd: join(root, "node_modules/bun"), stdio: ["ignore", 2, 2], timeout: 300_000 });
  if (bunRuns(root)) return;
  throw new Error(
    [
      `node_modules/.bin/bun --version does not answer ${wantedBun(root)}.`,
      `Bun's binary for ${process.platform}-${process.arch} comes in an optional dependency of the npm package bun.`,
      "Allow its install script (npm install-scripts approve bun; no ignore-scripts in ~/.npmrc), remove node_modules, and try again.",
    ].join("\n"),
  );
}

function say(line) {
  console.error(line);
}
