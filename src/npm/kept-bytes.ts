/** Bytes set aside from a stream until they are taken as text: at most `limit`, else `onOverflow`, which throws. */
export function createKeptBytes(limit: number, onOverflow: () => never) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let buffer = new Uint8Array(4096);
  let length = 0;
  return {
    add(source: Uint8Array, from: number, to: number): void {
      const needed = length + to - from;
      if (needed > limit) onOverflow();
      if (needed > buffer.length) {
        const larger = new Uint8Array(Math.min(limit, Math.max(needed, buffer.length * 2)));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(source.subarray(from, to), length);
      length = needed;
    },
    /** Throws a `TypeError` when it is not UTF-8. */
    take(): string {
      const text = decoder.decode(buffer.subarray(0, length));
      length = 0;
      return text;
    },
  };
}
