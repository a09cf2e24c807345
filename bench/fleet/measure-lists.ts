import { cpuSecondsOf } from "./process-usage.ts";

export interface ListFigure {
  what: string;
  bytes: number;
  requests: number;
  medianMs: number;
  cpuMs: number;
}

interface Page {
  items: unknown[];
  next?: string;
}

const rounds = 7;

/** What lists of hosts cost: the first page as a console asks for it, all pages as `larder hosts list` does, and the numbers. */
export async function measureLists(
  server: { url: string; pid: number },
  ask: (path: string) => Promise<Response>,
): Promise<ListFigure[]> {
  const read = async (path: string): Promise<{ bytes: number; page: Page }> => {
    const bytes = await (await ask(path)).bytes();
    return { bytes: bytes.byteLength, page: JSON.parse(new TextDecoder().decode(bytes)) as Page };
  };
  const readAll = async () => {
    const sum = { bytes: 0, requests: 0 };
    for (let after = ""; ; ) {
      const { bytes, page } = await read(`/hosts?limit=1000${after}`);
      sum.bytes += bytes;
      sum.requests += 1;
      if (page.next === undefined) return sum;
      after = `&after=${page.next}`;
    }
  };
  const once = (path: string) => async () => ({ bytes: (await read(path)).bytes, requests: 1 });
  const ways: [string, () => Promise<{ bytes: number; requests: number }>][] = [
    ["first page of 500", once("/hosts?limit=500")],
    ["first page of those behind", once("/hosts?limit=500&behind=true")],
    ["numbers of all", once("/host-counts?environment=default")],
    ["all, 1,000 at a time", readAll],
  ];
  const figures: ListFigure[] = [];
  for (const [what, way] of ways) {
    const taken: number[] = [];
    let last = { bytes: 0, requests: 0 };
    const cpu = await cpuSecondsOf(server.pid);
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      last = await way();
      taken.push(performance.now() - from);
    }
    const cpuMs = (((await cpuSecondsOf(server.pid)) - cpu) * 1000) / rounds;
    figures.push({ what, ...last, medianMs: taken.sort((a, b) => a - b)[rounds >> 1] ?? 0, cpuMs });
  }
  return figures;
}
