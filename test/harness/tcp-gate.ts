import { connect, createServer, type Socket } from "node:net";

/**
 * open: what comes goes through · silent: nothing goes through and nobody is told, as when a cable is pulled · shut: connections are reset and new ones refused.
 */
export type GateState = "open" | "silent" | "shut";

/** The two ends of one connection, and what came from the client so far. */
export interface GatedConnection {
  /** What the client has sent while somebody watched, as bytes read as Latin-1. */
  said(): string;
  /** From now on answers are swallowed; at the first one both ends are closed. */
  dropAnswer(onDropped?: () => void): void;
}

export interface TcpGate extends AsyncDisposable {
  port: number;
  set(state: GateState): void;
  /** Called before a client's bytes are passed on. */
  watch(onClientBytes: ((connection: GatedConnection, chunk: Buffer) => void) | undefined): void;
  /** Open at this moment. */
  connections(): number;
}

/** A way to `target` on loopback that can be watched and cut. */
export async function openTcpGate(target: { host: string; port: number }): Promise<TcpGate> {
  let state: GateState = "open";
  let onClientBytes: ((connection: GatedConnection, chunk: Buffer) => void) | undefined;
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    if (state === "shut") return void client.resetAndDestroy();
    const upstream = connect(target.port, target.host);
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    let said = "";
    let dropping: (() => void) | undefined;
    const connection: GatedConnection = {
      said: () => said,
      dropAnswer: (onDropped = () => {}) => {
        dropping = onDropped;
      },
    };
    for (const socket of pair) socket.setNoDelay(true);
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.on("data", (chunk) => {
      if (state === "silent") return;
      if (onClientBytes) {
        said += chunk.toString("latin1");
        onClientBytes(connection, chunk);
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (dropping) {
        end();
        return dropping();
      }
      if (state !== "silent") client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutAll = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    set(next) {
      // What was swallowed cannot be made good: its connections are of no use any more.
      if (next === "shut" || state === "silent") cutAll();
      state = next;
    },
    watch(handler) {
      onClientBytes = handler;
    },
    connections: () => pairs.size,
    async [Symbol.asyncDispose]() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
