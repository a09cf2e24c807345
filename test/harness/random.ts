export interface Random {
  seed: number;
  /** In [0, 1). */
  next(): number;
  /** In [from, to]. */
  integer(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
}

/** The mulberry32 sequence: the same for one seed, on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    seed,
    next,
    integer,
    pick: (items) => {
      if (items.length === 0) throw new Error("Nothing to pick from.");
      return items[integer(0, items.length - 1)]!;
    },
    shuffle: (items) => {
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(0, i);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      return shuffled;
    },
  };
}

/** A new seed each time, or `LARDER_TEST_SEED`; a failure says how to have the same sequence again. */
export async function withRandom<T>(task: (random: Random) => T | Promise<T>): Promise<T> {
  const given = process.env.LARDER_TEST_SEED;
  const random = createRandom(given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given));
  try {
    return await task(random);
  } catch (error) {
    console.error(`This failure comes again with LARDER_TEST_SEED=${random.seed}`);
    throw error;
  }
}
