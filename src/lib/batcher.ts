export interface BatchOptions<Question, Answer> {
  /** Answers in the order of the questions. */
  run(questions: readonly Question[]): Promise<readonly Answer[]>;
  /** At most so many at once. */
  max: number;
  /** Whether what `run` threw is everybody's. What is not is tried again in halves, so that only the questions that caused it fail. */
  concernsAll(thrown: unknown): boolean;
}

/** Answers questions together: those that come while others are being answered wait for each other, and nobody waits for more to come. */
export function createBatcher<Question, Answer>(
  options: BatchOptions<Question, Answer>,
): (question: Question) => Promise<Answer> {
  const { run, max, concernsAll } = options;
  let waiting: Asked<Question, Answer>[] = [];
  let running = false;

  const answer = async (asked: readonly Asked<Question, Answer>[]): Promise<void> => {
    try {
      const answers = await run(asked.map(({ question }) => question));
      for (const [i, { resolve }] of asked.entries()) resolve(answers[i] as Answer);
    } catch (error) {
      if (asked.length === 1 || concernsAll(error)) {
        for (const { reject } of asked) reject(error);
        return;
      }
      const half = Math.ceil(asked.length / 2);
      await answer(asked.slice(0, half));
      await answer(asked.slice(half));
    }
  };
  const drain = async () => {
    // What arrived in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, max);
      waiting = waiting.slice(max);
      await answer(batch);
    }
    running = false;
  };
  return (question) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (running) return;
      running = true;
      void drain();
    });
}

interface Asked<Question, Answer> {
  question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}
