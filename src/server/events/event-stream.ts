import type { Event } from "../../contract/index.ts";

/** One client's server-sent events. */
export interface EventStream {
  body: ReadableStream<Uint8Array>;
  /** False: it is closed, or has just been cut because the client reads too slowly. */
  send(bytes: Uint8Array): boolean;
  close(): void;
}

const encoder = new TextEncoder();

/** What may wait for a client that reads slowly; some hundred events. */
const bufferBytes = 1 << 18;

/** `onClosed` is called once, however the stream ends. */
export function createEventStream(onClosed: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const end = () => {
    controller = undefined;
    onClosed();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started;
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
  );
  const close = () => {
    const open = controller;
    if (open === undefined) return;
    end();
    open.close();
  };
  const cut = () => {
    const open = controller;
    if (open === undefined) return;
    end();
    // An error resets the connection and drops what waits; a close would wait for a client that may never read.
    open.error(new Error("the client reads too slowly"));
  };
  return {
    body,
    close,
    send(bytes) {
      if (controller === undefined) return false;
      if ((controller.desiredSize ?? 0) < bytes.byteLength) {
        cut();
        return false;
      }
      controller.enqueue(bytes);
      return true;
    },
  };
}

/** Encoded once for all who get it. */
export const formatEvent = (event: Event): Uint8Array => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
/** Before the end of a stream: when its client may come again. */
export const reconnectAfter = (ms: number): Uint8Array => encoder.encode(`retry: ${ms}\n\n`);
export const heartbeat = encoder.encode(": alive\n\n");
