/** A member of the outer object (`path` of one name), or of an object in it that was asked to be opened (`path` of two). */
export interface JsonMember {
  path: readonly [string] | readonly [string, string];
  /** JSON text of the value. */
  text: string;
}

export interface JsonMembersOptions {
  /** Members of the outer object whose own members are delivered one by one. Their values must be objects. */
  open: ReadonlySet<string>;
  /** Members of the outer object that are delivered whole. All others are skipped over. */
  whole: ReadonlySet<string>;
  /** Of one delivered value's text. */
  valueBytes: number;
  /** Nesting within one delivered value. */
  depth: number;
}

/** What was read is not JSON of the expected shape; the message says where. */
export class JsonShapeError extends Error {}

const quote = 0x22;
const backslash = 0x5c;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
type State = "start" | "firstKey" | "key" | "colon" | "value" | "inside" | "scalar" | "next" | "done";

/**
 * Reads one large JSON object piece by piece, so that neither its size nor its nesting stalls the event loop or fills the memory: one pass over the bytes,
 * which delivers chosen members as text for `JSON.parse`. Skipped values are only checked for balance. Feed it with `push`, then call `end`.
 */
export function createJsonMembers(options: JsonMembersOptions, deliver: (member: JsonMember) => void) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let state: State = "start";
  /** Within which opened object we are; `undefined` in the outer one. */
  let opened: string | undefined;
  let name = "";
  let inString = false;
  let escaped = false;
  let depth = 0;
  let pieces: Uint8Array[] | undefined;
  let piecesBytes = 0;
  let offset = 0;

  const fail = (what: string): never => {
    throw new JsonShapeError(`${what} near byte ${offset}`);
  };
  const keep = (piece: Uint8Array) => {
    if (pieces === undefined) return;
    piecesBytes += piece.length;
    if (piecesBytes > options.valueBytes) fail("one value is too large");
    pieces.push(piece);
  };
  const takeText = (): string => {
    const text = decoder.decode(concat(pieces ?? [], piecesBytes));
    pieces = undefined;
    return text;
  };
  const collect = () => {
    pieces = [];
    piecesBytes = 0;
  };
  const endValue = () => {
    if (pieces !== undefined) deliver({ path: opened === undefined ? [name] : [opened, name], text: takeText() });
    state = "next";
  };

  /** Consumes bytes of a string up to its end; the index after the last one consumed. */
  const skipString = (chunk: Uint8Array, from: number): number => {
    let i = from;
    while (i < chunk.length) {
      const byte = chunk[i++];
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) {
        inString = false;
        return i;
      }
    }
    return i;
  };

  /** Consumes bytes of a bracketed value or a string up to its end. */
  const skipInside = (chunk: Uint8Array, from: number): number => {
    let i = from;
    for (;;) {
      if (inString) i = skipString(chunk, i);
      if (!inString && depth === 0) return i;
      if (i >= chunk.length) return i;
      const byte = chunk[i++];
      if (byte === quote) inString = true;
      else if (byte === 0x7b || byte === 0x5b) {
        if (++depth > options.depth && pieces !== undefined) fail("values are nested too deeply");
      } else if (byte === 0x7d || byte === 0x5d) depth--;
    }
  };

  const startValue = (chunk: Uint8Array, i: number): number => {
    const byte = chunk[i] as number;
    if (opened === undefined && options.open.has(name)) {
      if (byte !== 0x7b) fail(`${JSON.stringify(name)} is not an object`);
      opened = name;
      state = "firstKey";
      return i + 1;
    }
    if (opened !== undefined || options.whole.has(name)) collect();
    inString = byte === quote;
    depth = byte === 0x7b || byte === 0x5b ? 1 : 0;
    state = inString || depth > 0 ? "inside" : "scalar";
    if (state === "scalar") return i;
    keep(chunk.subarray(i, i + 1));
    return i + 1;
  };

  const endObject = () => {
    if (opened === undefined) state = "done";
    else {
      opened = undefined;
      state = "next";
    }
  };

  const push = (chunk: Uint8Array) => {
    let i = 0;
    while (i < chunk.length) {
      if (state === "inside") {
        const end = skipInside(chunk, i);
        keep(chunk.subarray(i, end));
        i = end;
        if (!inString && depth === 0) endValue();
        continue;
      }
      const byte = chunk[i] as number;
      if (state === "scalar") {
        if (byte === 0x2c || byte === 0x7d || isSpace(byte)) endValue();
        else keep(chunk.subarray(i, ++i));
        continue;
      }
      if (inString) {
        const end = skipString(chunk, i);
        keep(chunk.subarray(i, end));
        i = end;
        if (!inString) {
          name = JSON.parse(takeText()) as string;
          state = "colon";
        }
        continue;
      }
      if (isSpace(byte)) {
        i++;
        continue;
      }
      offset = i;
      if (state === "value") {
        i = startValue(chunk, i);
        continue;
      }
      i++;
      if (state === "start" && byte === 0x7b) state = "firstKey";
      else if ((state === "firstKey" || state === "next") && byte === 0x7d) endObject();
      else if ((state === "firstKey" || state === "key") && byte === quote) {
        collect();
        keep(chunk.subarray(i - 1, i));
        inString = true;
      } else if (state === "colon" && byte === 0x3a) state = "value";
      else if (state === "next" && byte === 0x2c) state = "key";
      else fail("this is not a JSON object");
    }
  };

  return {
    push,
    /** Throws when the object is not complete. */
    end() {
      if (state !== "done") fail("the document ends too early");
    },
  };
}

function concat(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  if (pieces.length === 1 && pieces[0]) return pieces[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
