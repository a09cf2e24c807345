/** A map from texts to small numbers (0–255). Texts of at most 65,535 bytes, 2 GiB in all. */
export interface TextTable {
  get(text: string): number | undefined;
  /** `text` must be new. */
  add(text: string, value: number): void;
  size(): number;
}

const encoder = new TextEncoder();
/** Before each text: its value, and its length in two bytes. */
const headBytes = 3;
/** For a text of the most bytes. */
const spare = new Uint8Array(65_536);

/** Few are quicker in a `Map`; many take less memory as bytes in one buffer: 200,000 short ones 6 MB instead of 40. */
export function createTextTable({ mapped = 4096 } = {}): TextTable {
  const few = new Map<string, number>();
  let many: TextTable | undefined;
  return {
    get: (text) => (many ?? few).get(text),
    add(text, value) {
      if (!many && few.size < mapped) {
        few.set(text, value);
        return;
      }
      many ??= packed(few);
      many.add(text, value);
    },
    size: () => many?.size() ?? few.size,
  };
}

function packed(few: Map<string, number>): TextTable {
  const table = createPackedTable();
  for (const [text, value] of few) table.add(text, value);
  few.clear();
  return table;
}

function createPackedTable(): TextTable {
  let bytes = new Uint8Array(4096);
  let used = 0;
  let size = 0;
  /** Open addressing: where a text's head is, plus 1; 0 is free. At most half full. */
  let slots = new Uint32Array(512);

  const matches = (at: number, length: number): boolean => {
    if (((bytes[at + 1] as number) << 8) + (bytes[at + 2] as number) !== length) return false;
    for (let index = 0; index < length; index++) if (bytes[at + headBytes + index] !== spare[index]) return false;
    return true;
  };
  /** Of the text in `spare`: its slot, or the free one where it belongs. */
  const slotOf = (length: number): number => {
    const mask = slots.length - 1;
    for (let slot = hashOf(spare, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const at = slots[slot] as number;
      if (at === 0 || matches(at - 1, length)) return slot;
    }
  };
  const growSlots = (): void => {
    const old = slots;
    slots = new Uint32Array(old.length * 2);
    const mask = slots.length - 1;
    for (const at of old) {
      if (at === 0) continue;
      const length = ((bytes[at] as number) << 8) + (bytes[at + 1] as number);
      let slot = hashOf(bytes, at - 1 + headBytes, length) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = at;
    }
  };

  return {
    get(text) {
      const at = slots[slotOf(encoder.encodeInto(text, spare).written)] as number;
      return at === 0 ? undefined : bytes[at - 1];
    },
    add(text, value) {
      if ((size + 1) * 2 > slots.length) growSlots();
      const length = encoder.encodeInto(text, spare).written;
      if (used + headBytes + length > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, used + headBytes + length));
        larger.set(bytes);
        bytes = larger;
      }
      slots[slotOf(length)] = used + 1;
      bytes.set([value, length >> 8, length & 0xff], used);
      bytes.set(spare.subarray(0, length), used + headBytes);
      used += headBytes + length;
      size += 1;
    },
    size: () => size,
  };
}

/** FNV-1a, 32 bits. */
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < start + length; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
