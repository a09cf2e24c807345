import type { Socket } from "bun";

export interface RawAnswer {
  status: number;
  headers: string;
  body: Uint8Array;
}

/** One kept connection with one request at a time, as light as it gets. Rejects when the connection breaks. */
export interface RawClient {
  request(text: string, body?: string): Promise<RawAnswer>;
  /** The server may have ended it since it was used last. */
  isOpen(): boolean;
  close(): void;
}

interface State {
  waiting: { resolve(answer: RawAnswer): void; reject(error: Error): void } | undefined;
  chunks: Buffer[];
  size: number;
  /** Of head and body together, once the head is there. */
  expected: number;
  open: boolean;
}

const separator = Buffer.from("\r\n\r\n");

const handlers = {
  data(socket: Socket<State>, chunk: Buffer) {
    const state = socket.data;
    state.chunks.push(Buffer.from(chunk));
    state.size += chunk.length;
    if (state.expected === 0) {
      const all = Buffer.concat(state.chunks);
      state.chunks = [all];
      const end = all.indexOf(separator);
      if (end < 0) return;
      const length = /content-length: (\d+)/i.exec(all.subarray(0, end).toString("latin1"))?.[1] ?? "0";
      state.expected = end + 4 + Number(length);
    }
    if (state.size >= state.expected) finish(state);
  },
  close: (socket: Socket<State>) => fail(socket.data, "closed"),
  error: (socket: Socket<State>, error: Error) => fail(socket.data, error.message),
};

function finish(state: State): void {
  const all = Buffer.concat(state.chunks);
  const end = all.indexOf(separator);
  const headers = all.subarray(0, end).toString("latin1");
  const { waiting } = state;
  Object.assign(state, { waiting: undefined, chunks: [], size: 0, expected: 0 });
  waiting?.resolve({ status: Number(headers.slice(9, 12)), headers, body: all.subarray(end + 4) });
}

function fail(state: State, why: string): void {
  state.open = false;
  state.waiting?.reject(new Error(`connection ${why}`));
  state.waiting = undefined;
}

export async function openRawClient(address: { hostname: string; port: number }): Promise<RawClient> {
  const data: State = { waiting: undefined, chunks: [], size: 0, expected: 0, open: true };
  const socket = await Bun.connect<State>({ ...address, data, socket: handlers });
  return {
    request: (text, body) =>
      new Promise((resolve, reject) => {
        data.waiting = { resolve, reject };
        const length =
          body === undefined ? "" : `content-length: ${Buffer.byteLength(body)}\r\ncontent-type: application/json\r\n`;
        socket.write(`${text}host: bench\r\n${length}\r\n${body ?? ""}`);
      }),
    isOpen: () => data.open,
    close: () => void socket.end(),
  };
}

/** Kept connections for many callers. One that broke is replaced; the caller learns of it. */
export function createRawPool(address: () => { hostname: string; port: number }, limit: number) {
  const idle: RawClient[] = [];
  const waiting: ((client: RawClient | undefined) => void)[] = [];
  let open = 0;
  const take = async (): Promise<RawClient> => {
    for (let ready = idle.pop(); ready; ready = idle.pop()) {
      if (ready.isOpen()) return ready;
      open -= 1;
    }
    if (open >= limit) {
      const handed = await new Promise<RawClient | undefined>((resolve) => waiting.push(resolve));
      if (handed) return handed;
    }
    open += 1;
    try {
      return await openRawClient(address());
    } catch (error) {
      open -= 1;
      waiting.shift()?.(undefined);
      throw error;
    }
  };
  return {
    async request(text: string, body?: string): Promise<RawAnswer> {
      const client = await take();
      try {
        const answer = await client.request(text, body);
        const next = waiting.shift();
        if (next) next(client);
        else idle.push(client);
        return answer;
      } catch (error) {
        open -= 1;
        client.close();
        waiting.shift()?.(undefined);
        throw error;
      }
    },
  };
}
