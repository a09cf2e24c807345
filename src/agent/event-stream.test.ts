import { expect, test } from "bun:test";
import fc from "fast-check";
import { createEventParser } from "./event-stream.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (...chunks: string[]): string[] => {
  const parser = createEventParser(10_000);
  return chunks.flatMap((chunk) => parser(bytes(chunk)));
};

test("events are framed as the standard says", () => {
  expect(parse("data: a\n\ndata:b\r\n\r\ndata: c\r\r")).toEqual(["a", "b", "c"]);
  expect(parse("data: one\ndata: two\n\n")).toEqual(["one\ntwo"]);
  expect(parse(": hello\n\nevent: x\nid: 3\nretry: 9\ndata: y\n\n")).toEqual(["y"]);
  expect(parse("data\n\ndata:  two blanks\n\n")).toEqual(["", " two blanks"]);
  expect(parse("database: no\n\ndata: unfinished")).toEqual([]);
});

test("an event that never ends is refused", () => {
  const parser = createEventParser(1000);
  expect(() => {
    for (let i = 0; i < 100; i++) parser(bytes("data: xxxxxxxxxxxxxxxxxxxxx\n"));
  }).toThrow("larger");
  expect(() => createEventParser(1000)(bytes("x".repeat(2000)))).toThrow("larger");
});

test("cuts of the network never change what is read", () => {
  const line = fc.string({ unit: fc.constantFrom("a", " ", ":", "ä", "€", "😀") });
  const eol = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(line, eol), { maxLength: 8 }),
      eol,
      fc.array(fc.nat(200), { maxLength: 20 }),
      (lines, end, cuts) => {
        const stream = bytes(
          `${lines.map(([text, ending]) => `data: ${text}${ending}${ending}`).join("")}data: last${end}${end}`,
        );
        const whole = createEventParser(1e6)(stream);
        const parser = createEventParser(1e6);
        const edges = [0, ...cuts.map((cut) => Math.min(cut, stream.length)), stream.length].sort((a, b) => a - b);
        const pieces = edges.slice(1).flatMap((edge, index) => parser(stream.subarray(edges[index], edge)));
        expect(pieces).toEqual(whole);
        expect(whole).toEqual([...lines.map(([text]) => text), "last"]);
      },
    ),
  );
});
