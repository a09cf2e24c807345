import { expect, test } from "bun:test";
import fc from "fast-check";
import { generateSigningKey, type SigningKey } from "./signing.ts";
import { followSigningChain, type Handover, type SigningChain, signHandover } from "./signing-chain.ts";

const storeId = "store-0001";
const keys = await Promise.all(Array.from({ length: 6 }, () => generateSigningKey()));
const stranger = await generateSigningKey();
const key = (index: number) => keys[index] as SigningKey;
const half = ({ keyId, publicKey }: SigningKey) => ({ keyId, publicKey });
const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString();

const handover = (index: number, changes: Partial<Handover> = {}): Handover => ({
  format: 1,
  storeId,
  from: half(key(index)),
  to: half(key(index + 1)),
  sequence: index + 1,
  announcedAt: day(2 * index + 1),
  effective: day(2 * index + 2),
  ...changes,
});
const chain: SigningChain = await Promise.all([0, 1, 2, 3, 4].map((index) => signHandover(handover(index), key(index))));
const follow = (links: SigningChain, from = 0, to = 5) =>
  followSigningChain(links, { storeId, from: key(from).keyId, to: key(to).keyId });
const refusal = { code: "E_SIGNATURE" };

test("from each key to each later one, and never back", async () => {
  for (const from of keys.keys()) {
    for (const to of keys.keys()) {
      const followed = follow(chain, from, to);
      if (to > from) expect(await followed).toEqual({ publicKey: key(to).publicKey, effective: day(2 * to) });
      else await expect(followed).rejects.toMatchObject(refusal);
    }
  }
});

test("property: with a link left out, doubled, exchanged, changed or signed by somebody else, the last key is not reached", async () => {
  const at = fc.integer({ min: 0, max: 4 });
  const changed = fc.constantFrom<Partial<Handover>>(
    { storeId: "store-0002" },
    { sequence: 9 },
    { from: half(stranger) },
    { to: half(stranger) },
    { to: { keyId: half(key(5)).keyId, publicKey: stranger.publicKey } },
    { announcedAt: day(1) },
    { effective: day(40) },
    { effective: null },
  );
  const breaks = fc.oneof(
    at.map((index) => async () => chain.filter((_, other) => other !== index)),
    at.map((index) => async () => chain.flatMap((link, other) => (other === index ? [link, link] : [link]))),
    fc
      .shuffledSubarray(chain, { minLength: 5 })
      .filter((links) => links.some((link, index) => link !== chain[index]))
      .map((links) => async () => links),
    fc.tuple(at, changed).map(([index, changes]) => async () => {
      const link = chain[index] as SigningChain[number];
      return chain.with(index, { ...link, handover: { ...link.handover, ...changes } });
    }),
    at.map((index) => async () => chain.with(index, await signHandover(handover(index), stranger))),
    at.map((index) => async () => chain.with(index, await signHandover(handover(index), key(index + 1)))),
  );
  await fc.assert(
    fc.asyncProperty(breaks, async (broken) => {
      const links = await broken();
      // `announcedAt` and `sequence` as they were make no break.
      fc.pre(JSON.stringify(links) !== JSON.stringify(chain));
      // A last link that is there twice is never looked at.
      fc.pre(!(links.length === 6 && JSON.stringify(links.slice(0, 5)) === JSON.stringify(chain)));
      await expect(follow(links)).rejects.toMatchObject(refusal);
    }),
    { numRuns: 300 },
  );
});

test("also a genuine signature leads nowhere under another number, out of time, for another store, or beside its key id", async () => {
  for (const changes of [
    { sequence: 4 },
    { effective: day(3) },
    { storeId: "store-0002" },
    { to: { keyId: key(3).keyId, publicKey: stranger.publicKey } },
  ]) {
    const links = chain.with(2, await signHandover(handover(2, changes), key(2)));
    await expect(follow(links)).rejects.toMatchObject(refusal);
  }
});

test("an announced key is not reached, nor what comes after it, and the refusal says that it was only announced", async () => {
  const announced = chain.with(4, await signHandover(handover(4, { effective: null }), key(4)));
  expect(await follow(announced, 0, 4)).toMatchObject({ publicKey: key(4).publicKey });
  await expect(follow(announced)).rejects.toMatchObject({ ...refusal, message: expect.stringContaining("announced") });
  await expect(follow(chain.with(2, await signHandover(handover(2, { effective: null }), key(2))))).rejects.toMatchObject(
    refusal,
  );
});
