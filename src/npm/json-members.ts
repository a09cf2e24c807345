import { createKeptBytes } from "./kept-bytes.ts";

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
  /** Of a member of an opened object, when that is an object itself: the members that are wanted. Others may be left out of its text. */
  pick: readonly string[];
  /** Of one delivered value's text. */
  valueBytes: number;
  /** Nesting within one delivered value. */
  depth: number;
}

/** What was read is not JSON of the expected shape; the message says where. */
export class JsonShapeError extends Error {}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
/** Bytes that count within a bracketed value. */
const interesting = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte !== 0 && '"{}[],'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
type State = "start" | "firstKey" | "key" | "colon" | "value" | "inside" | "scalar" | "next" | "done";

/**
 * Reads one large JSON object piece by piece, so that neither its size nor its nesting stalls the event loop or fills the memory: one pass over the bytes,
 * which delivers chosen members as text for `JSON.parse`. What is skipped is only checked for balance. Feed it with `push`, then call `end`.
 */
export function createJsonMembers(options: JsonMembersOptions, deliver: (member: JsonMember) => void) {
  const picked = options.pick.map((name) => new TextEncoder().encode(name));
  let state: State = "start";
  /** Within which opened object we are; `undefined` in the outer one. */
  let opened: string | undefined;
  let name = "";
  let inString = false;
  let escaped = false;
  let depth = 0;
  /** Of the value under way: kept as text; of an opened object's member: unwanted members dropped; at its first level, a name comes next; being dropped. */
  let keeping = false;
  let picking = false;
  let nameNext = false;
  let dropping = false;
  let consumed = 0;

  const fail = (what: string): never => {
    throw new JsonShapeError(`${what} near byte ${consumed}`);
  };
  const kept = createKeptBytes(options.valueBytes, () => fail("one value is too large"));

  /** Consumes bytes of a string up to its end; the index after the last one consumed. */
  const skipString = (chunk: Uint8Array, from: number): number => {
    let i = from;
    if (escaped && i < chunk.length) {
      escaped = false;
      i++;
    }
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === quote) {
        inString = false;
        return i + 1;
      }
      if (byte === backslash && ++i === chunk.length) escaped = true;
    }
    return chunk.length;
  };

  /** Consumes bytes of a value that is a string or in brackets, up to its end, and keeps what is wanted of it. */
  const readInside = (chunk: Uint8Array, from: number): number => {
    let keepFrom = from;
    let i = inString ? skipString(chunk, from) : from;
    while (i < chunk.length && depth > 0) {
      const byte = chunk[i++] as number;
      if ((interesting[byte] as number) === 0) continue;
      if (byte === quote) {
        const start = i - 1;
        inString = true;
        i = skipString(chunk, i);
        if (!nameNext || depth !== 1) continue;
        nameNext = false;
        if (inString || isPicked(picked, chunk, start + 1, i - 1)) continue;
        kept.add(chunk, keepFrom, start);
        dropping = true;
      } else if (byte === comma) {
        if (depth !== 1 || !picking) continue;
        nameNext = true;
        if (dropping) keepFrom = i;
        dropping = false;
      } else if (byte === 0x7b || byte === 0x5b) {
        if (++depth > options.depth && keeping) fail("values are nested too deeply");
      } else if (--depth === 0 && dropping) {
        keepFrom = i - 1;
        dropping = false;
      }
    }
    if (keeping && !dropping) kept.add(chunk, keepFrom, i);
    return i;
  };

  const startValue = (byte: number): void => {
    if (opened === undefined && options.open.has(name)) {
      if (byte !== 0x7b) fail(`${JSON.stringify(name)} is not an object`);
      opened = name;
      state = "firstKey";
      return;
    }
    keeping = opened !== undefined || options.whole.has(name);
    picking = opened !== undefined && byte === 0x7b;
    nameNext = picking;
    dropping = false;
    state = byte === quote || byte === 0x7b || byte === 0x5b ? "inside" : "scalar";
    if (state === "scalar") return;
    inString = byte === quote;
    depth = inString ? 0 : 1;
  };

  const endValue = () => {
    if (keeping) deliver({ path: opened === undefined ? [name] : [opened, name], text: withoutTrailingComma(kept.take()) });
    state = "next";
  };

  const endObject = () => {
    state = opened === undefined ? "done" : "next";
    opened = undefined;
  };

  /** One byte between strings and values. */
  const structure = (byte: number): void => {
    if (state === "start" && byte === 0x7b) state = "firstKey";
    else if ((state === "firstKey" || state === "next") && byte === 0x7d) endObject();
    else if ((state === "firstKey" || state === "key") && byte === quote) inString = true;
    else if (state === "colon" && byte === 0x3a) state = "value";
    else if (state === "next" && byte === comma) state = "key";
    else fail("this is not a JSON object");
  };

  const push = (chunk: Uint8Array) => {
    let i = 0;
    while (i < chunk.length) {
      const start = i;
      const byte = chunk[i] as number;
      if (state === "inside") {
        i = readInside(chunk, i);
        if (!inString && depth === 0) endValue();
      } else if (state === "scalar") {
        if (byte === comma || byte === 0x7d || isSpace(byte)) endValue();
        else if (keeping) kept.add(chunk, i, ++i);
        else i++;
      } else if (inString) {
        i = skipString(chunk, i);
        kept.add(chunk, start, i);
        if (inString) continue;
        name = JSON.parse(`"${kept.take()}`) as string;
        state = "colon";
      } else if (isSpace(byte)) i++;
      else if (state === "value") {
        startValue(byte);
        i++;
        if (keeping && (state as State) !== "firstKey") kept.add(chunk, start, i);
      } else {
        structure(byte);
        i++;
      }
      consumed += i - start;
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

function isPicked(picked: readonly Uint8Array[], chunk: Uint8Array, from: number, to: number): boolean {
  return picked.some((name) => {
    if (name.length !== to - from) return false;
    for (let i = 0; i < name.length; i++) if (name[i] !== chunk[from + i]) return false;
    return true;
  });
}

/** What stays behind when the last members of an object are dropped. */
const withoutTrailingComma = (text: string): string => (text.endsWith("}") ? text.replace(/,\s*\}$/, "}") : text);
