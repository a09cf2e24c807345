import { spawn } from "node:child_process";

const passedOn = ["SIGTERM", "SIGHUP", "SIGINT"];

/** Runs `command` in this process's place: same streams, signals passed on, and this process ends as the command ended. */
export async function passThrough(command, args, options = {}) {
  const child = spawn(command, args, { stdio: "inherit", ...options });
  // A terminal's Ctrl-C reaches the whole process group, the child included: a second one would mean "stop at once".
  const fromTerminal = process.stdin.isTTY || process.stdout.isTTY;
  for (const signal of passedOn) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !fromTerminal) child.kill(signal);
    });
  }
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (...how) => resolve(how));
  });
  if (signal !== null) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  process.exit(code ?? 1);
}
