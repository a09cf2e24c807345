import type { RegistryRouter } from "../../npm/index.ts";

interface Question<T> {
  router: RegistryRouter;
  key: unknown[];
  /** Whether an answer is one to give again. */
  keep?: (answer: T) => boolean;
}

interface AnswerCache {
  /** The answer of `ask`, shared by all who ask the same within a short while. One that fails is not kept. */
  get<T>(question: Question<T>, ask: () => Promise<T>): Promise<T>;
}

const keptMs = 30_000;
const keptAnswers = 200;

/** Keyed by the registries as they were set too: what they said before a change is never heard after it. */
export function createAnswerCache(): AnswerCache {
  const caches = new WeakMap<RegistryRouter, Map<string, { answer: Promise<unknown>; until: number }>>();
  return {
    get<T>({ router, key, keep = () => true }: Question<T>, ask: () => Promise<T>): Promise<T> {
      const cache = caches.get(router) ?? new Map<string, { answer: Promise<unknown>; until: number }>();
      caches.set(router, cache);
      const text = JSON.stringify(key);
      const found = cache.get(text);
      if (found && performance.now() < found.until) return found.answer as Promise<T>;
      const answer = ask();
      cache.delete(text);
      cache.set(text, { answer, until: performance.now() + keptMs });
      for (const oldest of cache.keys()) {
        if (cache.size <= keptAnswers) break;
        cache.delete(oldest);
      }
      const forget = () => {
        if (cache.get(text)?.answer === answer) cache.delete(text);
      };
      answer.then((value) => keep(value) || forget(), forget);
      return answer;
    },
  };
}
