import { connect, createServer, type Socket } from "node:net";

export interface TransactionPooler extends AsyncDisposable {
  /** Of the same database, through the pooler. */
  url: string;
}

/**
 * What PgBouncer does with `pool_mode = transaction`: any number of clients, a few sessions at the server, each lent for one transaction. It answers a client's start-up
 * itself. Speaks version 3 of the protocol, without TLS and passwords.
 */
export async function openTransactionPooler(databaseUrl: string, { sessions = 4 } = {}): Promise<TransactionPooler> {
  const target = new URL(databaseUrl);
  const pool = createPool(target, sessions);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    serveClient(socket, pool);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const url = new URL(databaseUrl);
  url.port = String(port);
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      pool.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Session {
  socket: Socket;
  /** Whoever has it; nobody's messages are dropped. */
  onMessage: ((message: Buffer) => void) | undefined;
}

interface Pool {
  take(): Promise<Session>;
  giveBack(session: Session): void;
  close(): void;
}

function createPool(target: URL, limit: number): Pool {
  const idle: Session[] = [];
  const all: Session[] = [];
  const waiting: ((session: Session) => void)[] = [];
  return {
    async take() {
      // The one used last comes first, as PgBouncer does it.
      const ready = idle.pop();
      if (ready) return ready;
      if (all.length >= limit) return await new Promise((resolve) => waiting.push(resolve));
      const session: Session = { socket: connect(Number(target.port), target.hostname), onMessage: undefined };
      all.push(session);
      await startSession(session, target);
      return session;
    },
    giveBack(session) {
      session.onMessage = undefined;
      const next = waiting.shift();
      if (next) next(session);
      else idle.push(session);
    },
    close() {
      for (const { socket } of all) socket.destroy();
    },
  };
}

function startSession(session: Session, target: URL): Promise<void> {
  const { socket } = session;
  socket.on("error", () => {});
  socket.on(
    "data",
    splitMessages({ untyped: false }, (message) => session.onMessage?.(message)),
  );
  const words = ["user", target.username || "postgres", "database", target.pathname.slice(1), ""]
    .map((word) => `${word}\0`)
    .join("");
  socket.write(frame(undefined, Buffer.concat([int32(3 << 16), Buffer.from(words)])));
  return new Promise((resolve) => {
    session.onMessage = (message) => {
      if (message[0] !== readyForQuery) return;
      session.onMessage = undefined;
      resolve();
    };
  });
}

const [readyForQuery, query, sync, terminate] = ["Z", "Q", "S", "X"].map((letter) => letter.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
];

function serveClient(client: Socket, pool: Pool): void {
  let started = false;
  let session: Promise<Session> | undefined;
  /** Answers that end with "ready for query" and are still to come. */
  let due = 0;
  const lend = async (): Promise<Session> => {
    const lent = await pool.take();
    lent.onMessage = (message) => {
      client.write(message);
      if (message[0] !== readyForQuery) return;
      due -= 1;
      if (message[5] !== "I".charCodeAt(0) || due > 0) return;
      session = undefined;
      pool.giveBack(lent);
    };
    return lent;
  };
  const framing = { untyped: true };
  client.on(
    "data",
    splitMessages(framing, (message) => {
      if (!started) {
        const code = message.readInt32BE(4);
        if (code !== 3 << 16) return void client.write("N");
        started = true;
        framing.untyped = false;
        client.write(greeting());
        return;
      }
      if (message[0] === terminate) return void client.end();
      if (message[0] === query || message[0] === sync) due += 1;
      session ??= lend();
      void session.then(({ socket }) => socket.write(message));
    }),
  );
}

const greeting = (): Buffer => {
  const parameter = (name: string, value: string) => frame("S", Buffer.from(`${name}\0${value}\0`));
  return Buffer.concat([
    frame("R", int32(0)),
    parameter("server_version", "18.0"),
    parameter("client_encoding", "UTF8"),
    frame("K", Buffer.concat([int32(1), int32(1)])),
    frame("Z", Buffer.from("I")),
  ]);
};

/** Whole messages out of chunks. A client's first ones have no type. */
function splitMessages(framing: { untyped: boolean }, onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let buffered = Buffer.alloc(0);
  return (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const at = framing.untyped ? 0 : 1;
      if (buffered.length < at + 4) return;
      const length = at + buffered.readInt32BE(at);
      if (buffered.length < length) return;
      const message = buffered.subarray(0, length);
      buffered = buffered.subarray(length);
      onMessage(message);
    }
  };
}

function frame(type: string | undefined, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type ?? ""), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
