import { StringDecoder } from "node:string_decoder";

export interface OutputCapture {
  push(chunk: Uint8Array): void;
  /** What was kept; ends with a mark when there was more. */
  finish(): { text: string; truncated: boolean };
}

/** Keeps the first `limitBytes` of a stream and swallows the rest, so that its writer never blocks on us. */
export function createOutputCapture(limitBytes: number, onText: (text: string) => void): OutputCapture {
  const decoder = new StringDecoder("utf8");
  const kept: string[] = [];
  let left = limitBytes;
  let truncated = false;
  const keep = (text: string) => {
    if (text === "") return;
    kept.push(text);
    onText(text);
  };
  return {
    push(chunk) {
      if (truncated) return;
      keep(decoder.write(Buffer.from(chunk.subarray(0, left))));
      truncated = chunk.length > left;
      left -= Math.min(left, chunk.length);
      if (truncated) keep(`\n[output cut after ${limitBytes} bytes]\n`);
    },
    finish() {
      if (!truncated) keep(decoder.end());
      return { text: kept.join(""), truncated };
    },
  };
}
