import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { connect, createServer } from "node:net";

const firstPort = 42_000;
const ports = 6_000;

/**
 * Runs `task` while no other process on this machine sets up `root`. The lock is a loopback port chosen by `root`'s path: the system frees it
 * however its holder ends, and it needs no file in a folder that `npm ci` removes. A port that a stranger holds is passed over.
 */
export async function withSetUpLock(root, say, task) {
  const greeting = `larder set-up ${createHash("sha256").update(realpathSync(root)).digest("hex")}`;
  const start = Number.parseInt(greeting.slice(-6), 16) % ports;
  let told = false;
  for (let step = 0; step < ports; ) {
    const port = firstPort + ((start + step) % ports);
    const server = await tryListen(port, greeting);
    if (server !== undefined) {
      try {
        return await task();
      } finally {
        for (const socket of server.sockets) socket.destroy();
        server.close();
      }
    }
    const holder = await holderOf(port, greeting, () => {
      if (!told) say("Another Larder command is setting up this checkout; waiting for it …");
      told = true;
    });
    if (holder === "stranger") step++;
  }
  throw new Error(`No free port on 127.0.0.1 between ${firstPort} and ${firstPort + ports}.`);
}

function tryListen(port, greeting) {
  const server = createServer((socket) => {
    server.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => server.sockets.delete(socket));
    socket.write(`${greeting}\n`);
  });
  server.sockets = new Set();
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (["EADDRINUSE", "EACCES"].includes(error.code) ? resolve(undefined) : reject(error)));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}

/** "gone" when the one who set up this same checkout has ended, "stranger" when the port is another program's. */
function holderOf(port, greeting, onWait) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    let known = false;
    socket.setEncoding("utf8");
    socket.setTimeout(2000, () => {
      if (!known) socket.destroy();
    });
    socket.on("data", (text) => {
      heard = (heard + text).slice(0, 200);
      if (!known && heard.startsWith(`${greeting}\n`)) {
        known = true;
        onWait();
      } else if (!known && !greeting.startsWith(heard)) socket.destroy();
    });
    let refused = false;
    socket.on("error", (error) => {
      refused = error.code === "ECONNREFUSED" || error.code === "ECONNRESET";
    });
    socket.once("close", () => resolve(known || (refused && heard === "") ? "gone" : "stranger"));
  });
}
